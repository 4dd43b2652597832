//! Errors in the format of Unleash, an open-source feature flag service whose clients call `/auth/reset/*`:
//! `{"id","name","message","details":[{"message"}]}`.

use lambda_http::http::StatusCode;
use serde_json::{Value, json};

use super::error::weakness_codes;
use super::{ApiError, Reply};
use crate::api_key::KeyError;

/// The response for `error`, with Unleash's name for it.
pub(super) fn error(error: &ApiError, request_id: &str) -> Reply {
    let (status, name) = status_and_name(error);
    let message = match error {
        ApiError::TokenNotLive => "Token was not valid".to_owned(),
        other => other.detail(),
    };
    let details: Value = match error {
        ApiError::Invalid(problems) => problems
            .iter()
            .map(|problem| json!({"message": format!("{} {}", problem.pointer, problem.detail)}))
            .collect(),
        ApiError::PasswordRefused(weaknesses) => {
            let errors: Vec<String> = weaknesses.iter().map(ToString::to_string).collect();
            let codes: Vec<Value> = weaknesses.iter().map(weakness_codes).collect();
            json!([{"message": message, "validationErrors": errors, "errors": codes}])
        }
        _ => json!([{"message": message}]),
    };
    let code = error.code();
    Reply::json(
        status,
        &json!({"id": request_id, "name": name, "code": code, "message": message, "details": details}),
    )
}

fn status_and_name(error: &ApiError) -> (StatusCode, &'static str) {
    let name = match error {
        ApiError::NotFound | ApiError::AccountUnknown => "NotFoundError",
        ApiError::Invalid(problems) if problems.iter().any(|problem| problem.pointer == "#/password") => {
            "PasswordUndefinedError"
        }
        ApiError::Invalid(_) | ApiError::BodyTooLarge => "BadDataError",
        ApiError::Key(KeyError::Missing | KeyError::Unknown) => "AuthenticationRequired",
        ApiError::OriginUnknown | ApiError::Key(KeyError::ScopeMissing) => "NoAccessError",
        ApiError::TokenNotLive => return (StatusCode::UNAUTHORIZED, "InvalidTokenError"),
        ApiError::NotJson(_) => "ContentTypeError",
        ApiError::PasswordRefused(_) => return (StatusCode::BAD_REQUEST, "OwaspValidationError"),
        ApiError::Throttled(_) => "RateLimitError",
        ApiError::Unavailable(_) => "InternalError",
    };
    (error.status().0, name)
}

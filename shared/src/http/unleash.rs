//! Errors in the shape that Unleash's clients read: `{"id","name","message","details":[{"message"}]}`.

use lambda_http::http::StatusCode;
use serde_json::{Value, json};

use super::{Refusal, Reply};
use crate::api_key::KeyRefusal;

/// `refusal` with Unleash's name for it.
pub(super) fn error(refusal: &Refusal, request_id: &str) -> Reply {
    let (status, name) = status_and_name(refusal);
    let message = match refusal {
        Refusal::TokenNotLive => "Token was not valid".to_owned(),
        other => other.detail(),
    };
    let details: Value = match refusal {
        Refusal::Invalid(problems) => problems
            .iter()
            .map(|problem| json!({"message": format!("{} {}", problem.pointer, problem.detail)}))
            .collect(),
        Refusal::PasswordRefused(weaknesses) => {
            let errors: Vec<String> = weaknesses.iter().map(ToString::to_string).collect();
            json!([{"message": message, "validationErrors": errors}])
        }
        _ => json!([{"message": message}]),
    };
    Reply::json(status, &json!({"id": request_id, "name": name, "message": message, "details": details}))
}

fn status_and_name(refusal: &Refusal) -> (StatusCode, &'static str) {
    let name = match refusal {
        Refusal::NotFound | Refusal::AccountUnknown => "NotFoundError",
        Refusal::Invalid(problems) if problems.iter().any(|problem| problem.pointer == "#/password") => {
            "PasswordUndefinedError"
        }
        Refusal::Invalid(_) | Refusal::BodyTooLarge => "BadDataError",
        Refusal::Key(KeyRefusal::Missing | KeyRefusal::Unknown) => "AuthenticationRequired",
        Refusal::OriginUnknown | Refusal::Key(KeyRefusal::ScopeMissing) => "NoAccessError",
        Refusal::TokenNotLive => return (StatusCode::UNAUTHORIZED, "InvalidTokenError"),
        Refusal::NotJson(_) => "ContentTypeError",
        Refusal::PasswordRefused(_) => return (StatusCode::BAD_REQUEST, "OwaspValidationError"),
        Refusal::Throttled(_) => "RateLimitError",
        Refusal::Unavailable(_) => "InternalError",
    };
    (refusal.status().0, name)
}

//! Errors as problem documents (RFC 9457).

use lambda_http::http::header::{CONTENT_TYPE, HeaderValue};
use serde_json::json;

use super::error::weakness_codes;
use super::{ApiError, Reply};
use crate::password::Weakness;

/// The response for `error`.
pub(super) fn problem(error: &ApiError) -> Reply {
    let (status, title) = error.status();
    let mut body = json!({
        "type": "about:blank", "title": title, "status": status.as_u16(), "detail": error.detail(), "code": error.code(),
    });
    match error {
        ApiError::Invalid(problems) => body["errors"] = json!(problems),
        ApiError::PasswordRefused(weaknesses) => {
            let problem = |weakness: &Weakness| {
                let mut problem = weakness_codes(weakness);
                problem["pointer"] = "#/password".into();
                problem["detail"] = weakness.to_string().into();
                problem
            };
            body["errors"] = weaknesses.iter().map(problem).collect();
        }
        _ => {}
    }
    Reply::json(status, &body).header(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))
}

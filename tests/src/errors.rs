//! The documented paths, and the form of an error on each.

#![expect(missing_docs, reason = "the names of the constants are those of the paths")]

use serde_json::{Value, json};

use crate::event::Answer;

pub const RESET: &str = "/organizations/reset-password/";
pub const COMPLETE: &str = "/organizations/complete-password/";
pub const VALIDATE: &str = "/organizations/validate-password-reset/";
pub const UNLEASH_MAIL: &str = "/auth/reset/password-email";
pub const UNLEASH_VALIDATE: &str = "/auth/reset/validate";
pub const UNLEASH_CHECK: &str = "/auth/reset/validate-password";
pub const UNLEASH_SET: &str = "/auth/reset/password";

/// Asserts that `answer` is an error of the form that `path` documents.
pub fn assert_error(path: &str, answer: &Answer, status: u64, name: &str) {
    assert_eq!(answer.status(), status, "{path} {answer:?}");
    let body = answer.json();
    if path.starts_with("/auth/") {
        assert_eq!(body["name"], name, "{path}");
        assert_eq!(body["id"], "lambda-request");
        assert!(is_text(&body["message"]) && is_text(&body["details"][0]["message"]), "{body}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
    } else {
        assert_eq!(
            (&body["code"], &body["status"], &body["type"]),
            (&json!(name), &json!(status), &json!("about:blank")),
            "{path}"
        );
        assert!(body["title"].is_string() && is_text(&body["detail"]), "{body}");
        assert!(body["detail"].as_str().is_some_and(|detail| detail.ends_with('.')), "{body}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(body["errors"].is_array(), [400, 422].contains(&status), "{body}");
    }
    assert_eq!(answer.retry_after().is_some(), [429, 503].contains(&status), "{path}");
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.contains(' '))
}

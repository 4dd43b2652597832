//! Errors, and what callers are told of them. Internal errors are logged, not shown.

use lambda_http::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use crate::api_key::KeyError;
use crate::password::Weakness;
use crate::password::hash::HashError;
use crate::random::RandomError;
use crate::store::StoreError;
use crate::store::limits::Throttled;

/// A problem with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldProblem {
    /// The field: a JSON pointer as a URI fragment (RFC 6901 section 6), or `?name` for a query parameter.
    pub pointer: String,
    /// The problem.
    pub detail: String,
}

/// Why a call failed. Every non-2xx response is one of these.
#[derive(Debug)]
pub enum ApiError {
    /// This function does not have the route.
    NotFound,
    /// Fields are missing, have the wrong type or are malformed.
    Invalid(Vec<FieldProblem>),
    /// The call bypassed CloudFront.
    OriginUnknown,
    /// The API key is not accepted.
    Key(KeyError),
    /// The token is unknown, malformed, expired, used or superseded. Callers cannot tell which.
    TokenNotLive,
    /// The address has no account. Only for trusted callers.
    AccountUnknown,
    /// The body has more than 16 KiB.
    BodyTooLarge,
    /// The body is not JSON, by its `Content-Type` or its content.
    NotJson(&'static str),
    /// The policy refuses the password. The token stays live.
    PasswordRefused(Vec<Weakness>),
    /// A rate limit is exceeded.
    Throttled(Throttled),
    /// A dependency failed. The operation was done completely or not at all. The text is for the log.
    Unavailable(String),
}

impl ApiError {
    /// An [`Self::Invalid`] with one problem.
    #[must_use]
    pub fn invalid(pointer: String, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldProblem { pointer, detail: detail.into() }])
    }

    /// The error's stable code, for callers and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Invalid(_) => "invalid_request",
            Self::OriginUnknown => "origin_unknown",
            Self::Key(KeyError::Missing) => "api_key_missing",
            Self::Key(KeyError::Unknown) => "api_key_unknown",
            Self::Key(KeyError::ScopeMissing) => "scope_missing",
            Self::TokenNotLive => "token_not_live",
            Self::AccountUnknown => "account_unknown",
            Self::BodyTooLarge => "body_too_large",
            Self::NotJson(_) => "not_json",
            Self::PasswordRefused(_) => "password_refused",
            Self::Throttled(_) => "throttled",
            Self::Unavailable(_) => "unavailable",
        }
    }

    /// The status and its title (RFC 9110 section 15) in problem documents.
    pub(super) const fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NotFound | Self::TokenNotLive | Self::AccountUnknown => {
                (StatusCode::NOT_FOUND, "Not Found")
            }
            Self::Invalid(_) => (StatusCode::BAD_REQUEST, "Bad Request"),
            Self::Key(KeyError::Missing | KeyError::Unknown) => (StatusCode::UNAUTHORIZED, "Unauthorized"),
            Self::OriginUnknown | Self::Key(KeyError::ScopeMissing) => (StatusCode::FORBIDDEN, "Forbidden"),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Content Too Large"),
            Self::NotJson(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type"),
            Self::PasswordRefused(_) => (StatusCode::UNPROCESSABLE_ENTITY, "Unprocessable Content"),
            Self::Throttled(_) => (StatusCode::TOO_MANY_REQUESTS, "Too Many Requests"),
            Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        }
    }

    /// The text for the caller.
    pub(super) fn detail(&self) -> String {
        match self {
            Self::NotFound => "There is no such route.".to_owned(),
            Self::Invalid(problems) => match &problems[..] {
                [one] => format!("{} {}.", one.pointer, one.detail),
                _ => "Some fields are missing or not as they should be; see errors.".to_owned(),
            },
            Self::OriginUnknown => "This address of the API takes no calls: use its public one.".to_owned(),
            Self::Key(KeyError::Missing) => {
                "An API key is required: send it as Authorization: Bearer <key>.".to_owned()
            }
            Self::Key(KeyError::Unknown) => "The API key is not valid.".to_owned(),
            Self::Key(KeyError::ScopeMissing) => "The API key lacks the scope for this call.".to_owned(),
            Self::TokenNotLive => {
                "The token is not live: it is unknown, expired, used or superseded. Start a new reset."
                    .to_owned()
            }
            Self::AccountUnknown => "The address has no account.".to_owned(),
            Self::BodyTooLarge => "The body must be at most 16 KiB.".to_owned(),
            Self::NotJson(detail) => (*detail).to_owned(),
            Self::PasswordRefused(weaknesses) => {
                weaknesses.first().map(ToString::to_string).unwrap_or_default()
            }
            Self::Throttled(Throttled { retry_after }) => {
                format!("Too many attempts. Try again in {retry_after} seconds.")
            }
            Self::Unavailable(_) => {
                "The service did not answer in time. Try again in a moment. If the old password no longer works, the new one is set."
                    .to_owned()
            }
        }
    }

    /// The value of `Retry-After`, in seconds, if a retry helps.
    pub(super) const fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Throttled(throttled) => Some(throttled.retry_after),
            Self::Unavailable(_) => Some(2),
            _ => None,
        }
    }

    /// The internal error, for the log.
    #[must_use]
    pub fn internal(&self) -> Option<&str> {
        match self {
            Self::Unavailable(problem) => Some(problem),
            _ => None,
        }
    }
}

/// The machine-readable codes of `weakness`, the same in both formats. The pages translate them.
pub(super) fn weakness_codes(weakness: &Weakness) -> Value {
    let mut codes = json!({"code": weakness.code()});
    if let Some(advice) = weakness.advice() {
        codes["advice"] = advice.into();
    }
    codes
}

impl From<KeyError> for ApiError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<Throttled> for ApiError {
    fn from(throttled: Throttled) -> Self {
        Self::Throttled(throttled)
    }
}

impl From<Vec<Weakness>> for ApiError {
    fn from(weaknesses: Vec<Weakness>) -> Self {
        Self::PasswordRefused(weaknesses)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<RandomError> for ApiError {
    fn from(error: RandomError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<HashError> for ApiError {
    fn from(error: HashError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

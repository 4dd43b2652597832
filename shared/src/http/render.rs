//! Errors as responses: problem documents, or Unleash's format on `/auth/reset/*`.

use lambda_http::http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};

use super::routes::Dialect;
use super::{ApiError, Reply, problem, unleash};
use crate::api_key::KeyError;

/// The response for `error`, in the route's error format.
#[must_use]
pub fn render(error: &ApiError, dialect: Dialect, request_id: &str) -> Reply {
    let reply = match dialect {
        Dialect::Problem => problem::problem(error),
        Dialect::Unleash => unleash::error(error, request_id),
    };
    match error.retry_after() {
        Some(seconds) => reply.header(RETRY_AFTER, seconds.into()),
        None if matches!(error, ApiError::Key(KeyError::Missing | KeyError::Unknown)) => {
            reply.header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
        }
        None => reply,
    }
}

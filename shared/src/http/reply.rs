//! Responses, all with security headers.

use lambda_http::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use lambda_http::http::{HeaderMap, StatusCode};
use lambda_http::{Body, Response};
use serde_json::Value;

/// Set on every response. Responses may hold tokens, so they are not cached. An API response is not a document, so its policy allows
/// nothing. HSTS excludes subdomains: they are the operator's decision.
const SECURITY_HEADERS: [(&str, &str); 6] = [
    ("cache-control", "no-store"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("strict-transport-security", "max-age=63072000"),
    ("x-content-type-options", "nosniff"),
];

/// A response. May hold a token, so it has no `Debug`.
#[derive(Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Reply {
    /// A response without a body.
    #[must_use]
    pub fn empty(status: StatusCode) -> Self {
        let headers = SECURITY_HEADERS
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        Self { status, headers: HeaderMap::from_iter(headers), body: String::new() }
    }

    /// A response with a JSON body.
    #[must_use]
    pub fn json(status: StatusCode, body: &Value) -> Self {
        let reply = Self { body: body.to_string(), ..Self::empty(status) };
        reply.header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
    }

    /// A response with an HTML page.
    #[must_use]
    pub fn html(body: String) -> Self {
        let reply = Self { body, ..Self::empty(StatusCode::OK) };
        reply.header(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))
    }

    /// Sets the header `name`.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

impl From<Reply> for Response<Body> {
    fn from(reply: Reply) -> Self {
        let mut response = Self::new(Body::Text(reply.body));
        *response.status_mut() = reply.status;
        *response.headers_mut() = reply.headers;
        response
    }
}

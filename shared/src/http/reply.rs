//! What goes back. One shape serves API Gateway v1 and v2 and function URLs.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::EventVersion;

/// A response for Lambda to post. May hold a token, so it has no `Debug`.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    /// The HTTP status.
    pub status_code: u16,
    /// The headers.
    pub headers: BTreeMap<&'static str, String>,
    /// The body.
    pub body: String,
    is_base64_encoded: bool,
    /// Always empty. Part of the response format 2.0, without which `cargo lambda` takes no response; not part of 1.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    cookies: Option<[String; 0]>,
}

/// On every answer. An API answer is never a document, so its policy allows nothing; nothing may be cached, since
/// answers hold tokens; and browsers must come back by TLS alone (to this host: its subdomains are the operator's affair).
const SECURITY_HEADERS: [(&str, &str); 6] = [
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("Strict-Transport-Security", "max-age=63072000"),
    ("X-Content-Type-Options", "nosniff"),
];

impl Reply {
    /// An answer without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self {
            status_code: status,
            headers: SECURITY_HEADERS.map(|(name, value)| (name, value.to_owned())).into(),
            body: String::new(),
            is_base64_encoded: false,
            cookies: None,
        }
    }

    /// An answer with a JSON body.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self { body: body.to_string(), ..Self::empty(status) }.header("Content-Type", "application/json")
    }

    /// The same in the format that answers an event of `version`.
    #[must_use]
    pub fn in_format(self, version: EventVersion) -> Self {
        let cookies = match version {
            EventVersion::V1 => None,
            EventVersion::V2 => Some([]),
        };
        Self { cookies, ..self }
    }

    /// The same with the header `name` set.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.insert(name, value.into());
        self
    }
}

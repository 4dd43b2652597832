//! Sanitises events before `lambda_http`, which panics on input that anybody can send.
//!
//! `lambda_http` 1.3.2 builds an `http::Request` with `unwrap`. It panics on a malformed `Host` or `X-Forwarded-Proto`, a quote in the raw
//! query, an invalid base64 body or a URI over 64 KiB, and a header value outside ASCII fails the whole event. This module extracts what it
//! reads itself, and removes or repairs the rest.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lambda_http::http::HeaderValue;
use lambda_http::request::LambdaRequest;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use secrecy::SecretSlice;
use serde_json::{Map, Value};
use zeroize::Zeroize as _;

use crate::origin;

/// The largest body accepted: 16 KiB, many times what any call needs.
const MAX_BODY: usize = 16 * 1024;

/// The most bytes of path and query together. API Gateway accepts about 10 KB of request line and headers. Percent-encoding can triple the
/// length, and `http::Uri` accepts at most 65,534 bytes.
const MAX_URI: usize = 12 * 1024;

/// The most characters in a stage's name (API Gateway's quota).
const MAX_STAGE: usize = 128;

/// The query parameters that are read. Others are removed from parsed parameters: `lambda_http` repeats a name for each of its values, so
/// the URI could become arbitrarily long.
const QUERY_PARAMETERS: [&str; 2] = ["token", "email"];

/// The headers that are read. Others are removed.
const HEADERS: [&str; 7] = [
    "accept-language",
    "authorization",
    "content-type",
    "user-agent",
    origin::HEADER,
    VIEWER_ADDRESS,
    VIEWER_COUNTRY,
];

/// The viewer's IP address and port. CloudFront adds it if the origin request policy includes it.
pub(super) const VIEWER_ADDRESS: &str = "cloudfront-viewer-address";

/// The viewer's country, two letters (ISO 3166-1). Likewise.
pub(super) const VIEWER_COUNTRY: &str = "cloudfront-viewer-country";

/// Characters that a URI's query must not contain (RFC 3986 section 3.4, as the crate `http` implements it). Excludes `%`, so that encoded
/// characters are not encoded twice.
const QUERY_ENCODE_SET: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');

/// The fields of an event that hold path and query.
const URI_FIELDS: [&str; 5] =
    ["rawPath", "path", "rawQueryString", "queryStringParameters", "multiValueQueryStringParameters"];

/// Replaces an invalid header value. It is not a valid key, secret or media type.
const INVALID_VALUE: &str = "?";

/// A request's body.
pub(super) enum Body {
    /// At most 16 KiB.
    Bytes(SecretSlice<u8>),
    /// More than 16 KiB.
    TooLarge,
}

/// The parts of an event that `lambda_http` does not get. Holds secrets, so it has no `Debug`.
pub struct Extracted {
    /// The body. `lambda_http` would copy it twice and wipe neither copy.
    pub(super) body: Body,
    /// The domain that was called, from API Gateway's request context.
    pub(super) domain: Option<String>,
}

/// Whether `event` is a batch of stream records, not an HTTP request.
#[must_use]
pub fn is_stream(event: &Value) -> bool {
    event["Records"].is_array()
}

/// Sanitises `event`, parses it with `lambda_http` and wipes it.
///
/// An event that is not an HTTP request becomes a request for a route that does not exist. API Gateway never sends such an event.
#[must_use]
#[expect(
    clippy::missing_panics_doc,
    reason = "`NO_ROUTE` is a constant that parses; tests with damaged events reach it"
)]
pub fn read(mut event: Value) -> (LambdaRequest, Extracted) {
    let extracted = sanitize(&mut event);
    let mut text = event.to_string();
    wipe(&mut event);
    let request = serde_json::from_str(&text).or_else(|_| serde_json::from_str(NO_ROUTE));
    text.zeroize();
    (request.expect("an event that lambda_http parses"), extracted)
}

const NO_ROUTE: &str = r#"{"version":"2.0","rawPath":"/","requestContext":{"http":{"method":"GET","path":"/"}},"isBase64Encoded":false}"#;

fn sanitize(event: &mut Value) -> Extracted {
    let Value::Object(fields) = event else {
        return Extracted { body: Body::Bytes(Vec::new().into()), domain: None };
    };
    let body = take_body(fields);
    // HTTP APIs duplicate the `Cookie` header here.
    fields.remove("cookies");
    for name in ["headers", "multiValueHeaders"] {
        fields.get_mut(name).map(sanitize_headers);
    }
    for name in ["queryStringParameters", "multiValueQueryStringParameters"] {
        if let Some(Value::Object(parameters)) = fields.get_mut(name) {
            parameters.retain(|name, _| QUERY_PARAMETERS.contains(&name.as_str()));
        }
    }
    let length: usize = URI_FIELDS.iter().filter_map(|name| fields.get(*name)).map(length_of).sum();
    if length > MAX_URI {
        for name in URI_FIELDS {
            fields.remove(name);
        }
    }
    if let Some(Value::String(query)) = fields.get_mut("rawQueryString") {
        *query = utf8_percent_encode(query, QUERY_ENCODE_SET).to_string();
    }
    for name in ["rawPath", "path"] {
        if let Some(Value::String(path)) = fields.get_mut(name)
            && !path.starts_with('/')
        {
            path.insert(0, '/');
        }
    }
    let Some(Value::Object(context)) = fields.get_mut("requestContext") else {
        return Extracted { body, domain: None };
    };
    if context.get("stage").and_then(Value::as_str).is_some_and(|stage| stage.len() > MAX_STAGE) {
        context.remove("stage");
    }
    let domain = match context.remove("domainName") {
        Some(Value::String(domain)) => Some(domain),
        _ => None,
    };
    Extracted { body, domain }
}

/// The approximate length of `value` in a URI, in bytes.
fn length_of(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(elements) => elements.iter().map(|element| length_of(element) + 3).sum(),
        Value::Object(entries) => entries.iter().map(|(name, value)| name.len() + length_of(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// Keeps the headers that are read. Removes empty ones. Replaces an invalid value, because removing it would turn a damaged API key into no
/// key.
fn sanitize_headers(headers: &mut Value) {
    let Value::Object(headers) = headers else { return };
    headers.retain(|name, value| {
        let values = match value {
            Value::Array(values) => &mut values[..],
            value => std::slice::from_mut(value),
        };
        let is_empty = |value: &Value| value.as_str().is_none_or(|text| text.trim().is_empty());
        if !HEADERS.iter().any(|known| known.eq_ignore_ascii_case(name)) || values.iter().all(is_empty) {
            return false;
        }
        for value in values {
            let is_valid = |text: &str| text.is_ascii() && HeaderValue::from_str(text).is_ok();
            if !value.as_str().is_some_and(is_valid) {
                *value = Value::from(INVALID_VALUE);
            }
        }
        true
    });
}

/// Removes the body from `event` and wipes the original.
fn take_body(event: &mut Map<String, Value>) -> Body {
    let is_base64 = event.insert("isBase64Encoded".to_owned(), Value::Bool(false)) == Some(Value::Bool(true));
    let Some(Value::String(mut text)) = event.remove("body") else { return Body::Bytes(Vec::new().into()) };
    let max_length = if is_base64 { MAX_BODY.div_ceil(3) * 4 } else { MAX_BODY };
    let decoded = |text: &str| if is_base64 { BASE64_STANDARD.decode(text).ok() } else { None };
    let bytes =
        (text.len() <= max_length).then(|| decoded(&text).unwrap_or_else(|| text.as_bytes().to_vec()));
    text.zeroize();
    bytes.filter(|bytes| bytes.len() <= MAX_BODY).map_or(Body::TooLarge, |bytes| Body::Bytes(bytes.into()))
}

/// Overwrites every string in `value`: some are tokens or API keys.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(elements) => elements.iter_mut().for_each(wipe),
        Value::Object(entries) => entries.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

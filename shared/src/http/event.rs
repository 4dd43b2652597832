//! The front door: a guard before `lambda_http`, which panics on input that anybody can send.
//!
//! `lambda_http` 1.3.2 builds an `http::Request` with `unwrap`: a malformed `Host` or `X-Forwarded-Proto`, a quote in the raw
//! query, a base64 body that is none or an address over 64 KiB panics, and a header value outside ASCII fails the whole event. The
//! guard takes out of the event what it reads itself and mends what is left, so that none of these remain.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lambda_http::http::HeaderValue;
use lambda_http::request::LambdaRequest;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use secrecy::SecretSlice;
use serde_json::{Map, Value};
use zeroize::Zeroize as _;

use crate::origin;

/// Bytes of the largest body that is looked at: 16 KiB, many times what any call needs.
const MAX_BODY: usize = 16 * 1024;

/// Bytes of the longest path and query that are looked at, together: API Gateway takes no more than some 10 KB of request line and
/// headers. Percent-encoded they may be three times as long, and `http::Uri` takes no more than 65,534 bytes.
const MAX_URI: usize = 12 * 1024;

/// Characters of the longest name of a stage (API Gateway's quota).
const MAX_STAGE: usize = 128;

/// The query parameters that are read. Of an event that brings them parsed, all others stay out: a name that is repeated for each of
/// its values could make the address as long as one likes.
const PARAMETERS: [&str; 2] = ["token", "email"];

/// The headers that are read. All others stay out.
const HEADERS: [&str; 5] =
    ["accept-language", "authorization", "content-type", origin::HEADER, VIEWER_ADDRESS];

/// The viewer's address and port, as CloudFront adds them where its origin request policy says so.
pub(super) const VIEWER_ADDRESS: &str = "cloudfront-viewer-address";

/// What a URI's query may not hold (RFC 3986 section 3.4, as the crate `http` reads it). What is encoded already stays so.
const NOT_IN_QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');

/// Where a request's path and query stand.
const PLACES: [&str; 5] =
    ["rawPath", "path", "rawQueryString", "queryStringParameters", "multiValueQueryStringParameters"];

/// What stands for a header's value that cannot be read: no key, no secret and no media type.
const UNREADABLE: &str = "?";

/// A request's body.
pub(super) enum Body {
    /// At most 16 KiB.
    Bytes(SecretSlice<u8>),
    /// More.
    TooLarge,
}

/// What the guard took out of an event. Holds secrets, so it has no `Debug`.
pub struct Guarded {
    /// The body. `lambda_http` would copy it twice and wipe neither copy.
    pub(super) body: Body,
    /// The domain that the call came through, by API Gateway's own word.
    pub(super) domain: Option<String>,
}

/// Whether `event` holds records of a stream and no HTTP request.
#[must_use]
pub fn is_stream(event: &Value) -> bool {
    event["Records"].is_array()
}

/// Reads `event` as `lambda_http` does, without its panics, and wipes it.
///
/// An event that is no HTTP request, which no gateway sends, becomes a request for a route that does not exist.
#[must_use]
#[expect(
    clippy::missing_panics_doc,
    reason = "`NO_ROUTE` is a constant, and the tests' damaged events come to it"
)]
pub fn read(mut event: Value) -> (LambdaRequest, Guarded) {
    let guarded = guard(&mut event);
    let mut text = event.to_string();
    wipe(&mut event);
    let request = serde_json::from_str(&text).or_else(|_| serde_json::from_str(NO_ROUTE));
    text.zeroize();
    (request.expect("an event that lambda_http takes"), guarded)
}

const NO_ROUTE: &str = r#"{"version":"2.0","rawPath":"/","requestContext":{"http":{"method":"GET","path":"/"}},"isBase64Encoded":false}"#;

fn guard(event: &mut Value) -> Guarded {
    let Value::Object(fields) = event else {
        return Guarded { body: Body::Bytes(Vec::new().into()), domain: None };
    };
    let body = take_body(fields);
    // HTTP APIs repeat the header here.
    fields.remove("cookies");
    for name in ["headers", "multiValueHeaders"] {
        fields.get_mut(name).map(keep_readable_headers);
    }
    for name in ["queryStringParameters", "multiValueQueryStringParameters"] {
        if let Some(Value::Object(parameters)) = fields.get_mut(name) {
            parameters.retain(|name, _| PARAMETERS.contains(&name.as_str()));
        }
    }
    let length: usize = PLACES.iter().filter_map(|name| fields.get(*name)).map(length_of).sum();
    if length > MAX_URI {
        for name in PLACES {
            fields.remove(name);
        }
    }
    if let Some(Value::String(query)) = fields.get_mut("rawQueryString") {
        *query = utf8_percent_encode(query, NOT_IN_QUERY).to_string();
    }
    for name in ["rawPath", "path"] {
        if let Some(Value::String(path)) = fields.get_mut(name)
            && !path.starts_with('/')
        {
            path.insert(0, '/');
        }
    }
    let Some(Value::Object(context)) = fields.get_mut("requestContext") else {
        return Guarded { body, domain: None };
    };
    if context.get("stage").and_then(Value::as_str).is_some_and(|stage| stage.len() > MAX_STAGE) {
        context.remove("stage");
    }
    let domain = match context.remove("domainName") {
        Some(Value::String(domain)) => Some(domain),
        _ => None,
    };
    Guarded { body, domain }
}

/// Bytes of `value` as text, more or less: it need not be written to be measured.
fn length_of(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(elements) => elements.iter().map(|element| length_of(element) + 3).sum(),
        Value::Object(entries) => entries.iter().map(|(name, value)| name.len() + length_of(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// An empty header is an absent one. One that cannot be read is there: an API key that somebody mangled is a wrong one.
fn keep_readable_headers(headers: &mut Value) {
    let Value::Object(headers) = headers else { return };
    headers.retain(|name, value| {
        let values = match value {
            Value::Array(values) => &mut values[..],
            value => std::slice::from_mut(value),
        };
        let is_absent = |value: &Value| value.as_str().is_none_or(|text| text.trim().is_empty());
        if !HEADERS.iter().any(|known| known.eq_ignore_ascii_case(name)) || values.iter().all(is_absent) {
            return false;
        }
        for value in values {
            let is_readable = |text: &str| text.is_ascii() && HeaderValue::from_str(text).is_ok();
            if !value.as_str().is_some_and(is_readable) {
                *value = Value::from(UNREADABLE);
            }
        }
        true
    });
}

/// Takes the body out of `event` and wipes it there.
fn take_body(event: &mut Map<String, Value>) -> Body {
    let is_base64 = event.insert("isBase64Encoded".to_owned(), Value::Bool(false)) == Some(Value::Bool(true));
    let Some(Value::String(mut text)) = event.remove("body") else { return Body::Bytes(Vec::new().into()) };
    let longest = if is_base64 { MAX_BODY.div_ceil(3) * 4 } else { MAX_BODY };
    let bytes = match is_base64.then(|| BASE64_STANDARD.decode(&text)) {
        _ if text.len() > longest => None,
        Some(Ok(bytes)) => Some(bytes),
        Some(Err(_)) | None => Some(text.as_bytes().to_vec()),
    };
    text.zeroize();
    bytes.filter(|bytes| bytes.len() <= MAX_BODY).map_or(Body::TooLarge, |bytes| Body::Bytes(bytes.into()))
}

/// Overwrites every text in `value`: tokens and API keys among them.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(elements) => elements.iter_mut().for_each(wipe),
        Value::Object(entries) => entries.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

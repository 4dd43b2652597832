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

/// Bytes of the largest body that is looked at: 16 KiB, many times what any call needs. The same for a path and its query.
const MAX_LENGTH: usize = 16 * 1024;

/// The headers that are read. All others stay out.
const HEADERS: [&str; 4] = ["authorization", "content-type", origin::HEADER, VIEWER_ADDRESS];

/// The viewer's address and port, as CloudFront adds them where its origin request policy says so.
pub(super) const VIEWER_ADDRESS: &str = "cloudfront-viewer-address";

/// What a URI's query may not hold (RFC 3986 section 3.4, as the crate `http` reads it). What is encoded already stays so.
const NOT_IN_QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');

/// Where a request's path and query stand.
const PLACES: [&str; 5] =
    ["rawPath", "path", "rawQueryString", "queryStringParameters", "multiValueQueryStringParameters"];

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
    if let Some(Value::String(query)) = fields.get_mut("rawQueryString") {
        *query = utf8_percent_encode(query, NOT_IN_QUERY).to_string();
    }
    let is_too_long =
        |name: &&str| fields.get(*name).is_some_and(|value| value.to_string().len() > MAX_LENGTH);
    if PLACES.iter().any(is_too_long) {
        for name in PLACES {
            fields.remove(name);
        }
    }
    for name in ["rawPath", "path"] {
        if let Some(Value::String(path)) = fields.get_mut(name)
            && !path.starts_with('/')
        {
            path.insert(0, '/');
        }
    }
    let context = fields.get_mut("requestContext").and_then(Value::as_object_mut);
    let domain = match context.and_then(|context| context.remove("domainName")) {
        Some(Value::String(domain)) => Some(domain),
        _ => None,
    };
    Guarded { body, domain }
}

/// An empty header is an absent one.
fn keep_readable_headers(headers: &mut Value) {
    let Value::Object(headers) = headers else { return };
    let readable = |value: &Value| {
        value.as_str().is_some_and(|text| {
            !text.trim().is_empty() && text.is_ascii() && HeaderValue::from_str(text).is_ok()
        })
    };
    headers.retain(|name, value| {
        HEADERS.iter().any(|known| known.eq_ignore_ascii_case(name))
            && match value {
                Value::Array(values) => !values.is_empty() && values.iter().all(readable),
                value => readable(value),
            }
    });
}

/// Takes the body out of `event` and wipes it there.
fn take_body(event: &mut Map<String, Value>) -> Body {
    let is_base64 = event.insert("isBase64Encoded".to_owned(), Value::Bool(false)) == Some(Value::Bool(true));
    let Some(Value::String(mut text)) = event.remove("body") else { return Body::Bytes(Vec::new().into()) };
    let longest = if is_base64 { MAX_LENGTH.div_ceil(3) * 4 } else { MAX_LENGTH };
    let decoded = if is_base64 && text.len() <= longest { BASE64_STANDARD.decode(&text).ok() } else { None };
    let bytes = decoded.unwrap_or_else(|| text.as_bytes().to_vec());
    text.zeroize();
    if bytes.len() > MAX_LENGTH { Body::TooLarge } else { Body::Bytes(bytes.into()) }
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

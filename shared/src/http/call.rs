//! A call, read from the events of API Gateway's HTTP APIs (v2), REST APIs (v1) and function URLs (v2).
//!
//! Read by hand from the JSON rather than through `lambda_http`, whose conversion to an `http::Request` panics on
//! input that anybody can send (a quote in the query string, a malformed `Host`): each such call would be a 500.
//! Nothing here can fail: what is missing is absent, what is strange is refused later with a 4xx.

use std::net::IpAddr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use serde_json::Value;
use zeroize::Zeroize as _;

use super::{Fields, Refusal};
use crate::mail::ApiAddress;

/// Bytes of the largest body that is looked at: 16 KiB, many times what any call needs.
const MAX_BODY: usize = 16 * 1024;

/// What a body may say of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// `application/json` or anything `+json`.
    Json,
    /// The same or `text/plain`, which browsers send without a preflight and a documented client does.
    JsonOrText,
}

/// The format of an event, and of the response that it wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventVersion {
    /// REST APIs.
    V1,
    /// HTTP APIs and function URLs.
    V2,
}

impl EventVersion {
    /// The format of `event`.
    #[must_use]
    pub fn of(event: &Value) -> Self {
        if event["requestContext"]["http"].is_object() { Self::V2 } else { Self::V1 }
    }
}

enum Body {
    Bytes(SecretSlice<u8>),
    TooLarge,
}

/// One call. Holds secrets, so it has no `Debug`.
pub struct Call {
    /// The format of the event.
    pub version: EventVersion,
    /// The method, in upper case as sent.
    pub method: String,
    /// The path as sent, without the stage.
    pub path: String,
    /// `Authorization` as sent.
    pub authorization: Option<SecretString>,
    /// Whom per-address throttles count: the caller's IP address as API Gateway saw it, for IPv6 its /64 network,
    /// which one customer has to himself.
    pub source_ip: String,
    /// Which API the call came through.
    pub api: Option<ApiAddress>,
    /// API Gateway's request id.
    pub gateway_request_id: Option<String>,
    query: Vec<(String, SecretString)>,
    content_type: Option<String>,
    body: Body,
}

impl Call {
    /// Reads `event` and wipes it: of its secrets the call's own copies are left, which go when the call does. (What the runtime
    /// and the JSON parser had in their buffers is not ours to wipe.)
    #[must_use]
    pub fn from_event(mut event: Value) -> Self {
        Self::read_and_wipe(&mut event)
    }

    fn read_and_wipe(event: &mut Value) -> Self {
        let call = Self::read(event);
        wipe(event);
        call
    }

    fn read(event: &Value) -> Self {
        let version = EventVersion::of(event);
        let context = &event["requestContext"];
        let stage = context["stage"].as_str().unwrap_or("$default").to_owned();
        let (method, path, ip, query) = match version {
            EventVersion::V2 => (
                &context["http"]["method"],
                &event["rawPath"],
                &context["http"]["sourceIp"],
                raw_query(event),
            ),
            EventVersion::V1 => {
                (&event["httpMethod"], &event["path"], &context["identity"]["sourceIp"], parsed_query(event))
            }
        };
        Self {
            version,
            method: text(method).unwrap_or_default(),
            path: match version {
                EventVersion::V1 => text(path).unwrap_or_default(),
                EventVersion::V2 => without_stage(&text(path).unwrap_or_default(), &stage),
            },
            authorization: header(event, "authorization").map(SecretString::from),
            source_ip: source_ip(ip.as_str()),
            api: api_address(context, stage),
            gateway_request_id: text(&context["requestId"]),
            query,
            content_type: header(event, "content-type"),
            body: body(event),
        }
    }

    /// The query parameter `name`, decoded.
    ///
    /// # Errors
    ///
    /// [`Refusal::Invalid`] if it is there twice: two readers could then see two values.
    pub fn query(&self, name: &'static str) -> Result<Option<&str>, Refusal> {
        let mut values =
            self.query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.expose_secret());
        let value = values.next();
        if values.next().is_some() {
            return Err(Refusal::invalid(format!("?{name}"), "must not be given more than once"));
        }
        Ok(value)
    }

    /// The body's fields; none if it is empty.
    ///
    /// # Errors
    ///
    /// [`Refusal::BodyTooLarge`], [`Refusal::NotJson`] or [`Refusal::Invalid`].
    pub fn fields(&self, media: Media) -> Result<Fields, Refusal> {
        let Body::Bytes(bytes) = &self.body else { return Err(Refusal::BodyTooLarge) };
        let bytes = bytes.expose_secret();
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Fields::none());
        }
        if !self.content_type.as_deref().is_none_or(|content_type| media.takes(content_type)) {
            return Err(Refusal::NotJson("The Content-Type must be application/json."));
        }
        Fields::parse(bytes)
    }
}

impl Media {
    fn takes(self, content_type: &str) -> bool {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let json = essence == "application/json"
            || (essence.starts_with("application/") && essence.ends_with("+json"));
        json || (self == Self::JsonOrText && essence == "text/plain")
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// HTTP APIs send names in lower case, REST APIs as the client wrote them. An empty header is an absent one.
fn header(event: &Value, name: &str) -> Option<String> {
    let headers = event["headers"].as_object()?;
    let value = headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?.1;
    text(value).filter(|value| !value.trim().is_empty())
}

/// A named stage stands before the path of an HTTP API, and not before that of a REST API.
fn without_stage(path: &str, stage: &str) -> String {
    let rest = path.strip_prefix('/').and_then(|path| path.strip_prefix(stage));
    rest.filter(|rest| rest.starts_with('/')).unwrap_or(path).to_owned()
}

fn source_ip(ip: Option<&str>) -> String {
    match ip.map(str::parse) {
        Some(Ok(IpAddr::V4(v4))) => v4.to_string(),
        Some(Ok(IpAddr::V6(v6))) => v6.to_ipv4_mapped().map_or_else(
            || {
                let [a, b, c, d, ..] = v6.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            },
            |v4| v4.to_string(),
        ),
        // One bucket for all who come without an address, rather than none.
        _ => "unknown".to_owned(),
    }
}

fn api_address(context: &Value, stage: String) -> Option<ApiAddress> {
    let api_id = text(&context["apiId"])?;
    let domain = context["domainName"].as_str().unwrap_or_default();
    let is_function_url = domain.strip_prefix(&api_id).is_some_and(|rest| rest.starts_with(".lambda-url."));
    Some(ApiAddress { api_id, stage, is_function_url })
}

fn raw_query(event: &Value) -> Vec<(String, SecretString)> {
    let raw = event["rawQueryString"].as_str().unwrap_or_default();
    form_urlencoded::parse(raw.as_bytes())
        .map(|(key, value)| (key.into(), value.into_owned().into()))
        .collect()
}

fn parsed_query(event: &Value) -> Vec<(String, SecretString)> {
    if let Some(multi) = event["multiValueQueryStringParameters"].as_object() {
        let values = multi
            .iter()
            .flat_map(|(key, values)| values.as_array().into_iter().flatten().map(move |v| (key, v)));
        return values.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.into()))).collect();
    }
    let single = event["queryStringParameters"].as_object().into_iter().flatten();
    single.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.into()))).collect()
}

fn body(event: &Value) -> Body {
    let body = event["body"].as_str().unwrap_or_default();
    let is_base64 = event["isBase64Encoded"].as_bool().unwrap_or(false);
    let longest = if is_base64 { MAX_BODY.div_ceil(3) * 4 } else { MAX_BODY };
    if body.len() > longest {
        return Body::TooLarge;
    }
    let decoded = if is_base64 { BASE64_STANDARD.decode(body).ok() } else { None };
    let bytes = decoded.unwrap_or_else(|| body.as_bytes().to_vec());
    if bytes.len() > MAX_BODY { Body::TooLarge } else { Body::Bytes(bytes.into()) }
}

/// Overwrites every text in `value`: passwords, tokens and API keys among them.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(elements) => elements.iter_mut().for_each(wipe),
        Value::Object(entries) => entries.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn v2(changes: &Value) -> Call {
        let mut event = json!({
            "version": "2.0", "rawPath": "/organizations/reset-password/", "rawQueryString": "", "headers": {},
            "requestContext": {
                "apiId": "a1", "stage": "$default", "requestId": "r",
                "http": {"method": "POST", "sourceIp": "192.0.2.1"}
            }
        });
        merge(&mut event, changes);
        Call::from_event(event)
    }

    fn merge(into: &mut Value, changes: &Value) {
        match (into, changes) {
            (Value::Object(into), Value::Object(changes)) => {
                for (key, value) in changes {
                    merge(into.entry(key.clone()).or_insert(Value::Null), value);
                }
            }
            (into, changes) => *into = changes.clone(),
        }
    }

    #[test]
    fn a_rest_api_event_reads_like_an_http_api_event() {
        let call = Call::from_event(json!({
            "httpMethod": "GET", "path": "/organizations/complete-password/", "headers": {"AUTHORIZATION": "Token k"},
            "multiValueQueryStringParameters": {"token": ["T"], "email": ["a@b.de"]},
            "requestContext": {"apiId": "a1", "stage": "prod", "requestId": "r", "identity": {"sourceIp": "192.0.2.9"}}
        }));
        assert_eq!((call.method.as_str(), call.path.as_str()), ("GET", "/organizations/complete-password/"));
        assert_eq!(call.source_ip, "192.0.2.9");
        assert_eq!(call.query("token").ok().flatten(), Some("T"));
        assert_eq!(call.authorization.map(|a| a.expose_secret().to_owned()), Some("Token k".to_owned()));
        assert_eq!(call.api.map(|api| api.stage), Some("prod".to_owned()));
    }

    #[test]
    fn an_event_is_wiped_once_it_is_read() {
        let mut event = json!({"body": "secret", "headers": {"authorization": "secret"}, "more": [{"x": ["secret", 1, null]}]});
        let call = Call::read_and_wipe(&mut event);
        assert_eq!(call.authorization.map(|a| a.expose_secret().to_owned()), Some("secret".to_owned()));
        assert!(!event.to_string().contains("secret"), "{event}");
    }

    #[test]
    fn a_named_stage_is_no_part_of_the_path() {
        let call = v2(
            &json!({"rawPath": "/prod/organizations/reset-password", "requestContext": {"stage": "prod"}}),
        );
        assert_eq!(call.path, "/organizations/reset-password");
        let call = v2(&json!({"rawPath": "/production", "requestContext": {"stage": "prod"}}));
        assert_eq!(call.path, "/production");
    }

    #[test]
    fn a_function_url_is_known_by_its_domain() {
        let call = v2(&json!({"requestContext": {"domainName": "a1.lambda-url.eu-west-1.on.aws"}}));
        assert!(call.api.is_some_and(|api| api.is_function_url));
        let call = v2(&json!({"requestContext": {"domainName": "evil.lambda-url.eu-west-1.on.aws"}}));
        assert!(call.api.is_some_and(|api| !api.is_function_url));
    }

    #[test]
    fn throttles_count_the_gateways_address_and_a_whole_ipv6_network() {
        let ip = |ip: &str| {
            v2(&json!({"requestContext": {"http": {"sourceIp": ip}}, "headers": {"x-forwarded-for": "198.51.100.7"}})).source_ip
        };
        assert_eq!(ip("192.0.2.1"), "192.0.2.1");
        assert_eq!(ip("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(ip("2001:db8:1:2:3:4:5:6"), ip("2001:db8:1:2:ffff::1"));
        assert_ne!(ip("2001:db8:1:2::1"), ip("2001:db8:1:3::1"));
        assert_eq!(ip("nonsense"), "unknown");
    }

    #[test]
    fn a_repeated_parameter_is_refused() {
        let call = v2(&json!({"rawQueryString": "token=a&token=b&email=a%2Bb%40c.de"}));
        assert!(call.query("token").is_err());
        assert_eq!(call.query("email").ok().flatten(), Some("a+b@c.de"));
        assert_eq!(call.query("else").ok().flatten(), None);
    }

    #[test]
    fn a_body_has_at_most_16_kib_plain_or_in_base64() {
        let padded = |length: usize| format!("{{}}{}", " ".repeat(length - 2));
        for (length, taken) in [(MAX_BODY, true), (MAX_BODY + 1, false)] {
            let plain = v2(&json!({"body": padded(length)}));
            assert_eq!(plain.fields(Media::Json).is_ok(), taken, "{length}");
            let encoded =
                v2(&json!({"body": BASE64_STANDARD.encode(padded(length)), "isBase64Encoded": true}));
            assert_eq!(encoded.fields(Media::Json).is_ok(), taken, "{length} in base64");
        }
    }

    #[test]
    fn the_content_type_decides_unless_it_is_absent() {
        let takes = |content_type: &str, media| {
            let headers =
                if content_type.is_empty() { json!({}) } else { json!({"Content-Type": content_type}) };
            v2(&json!({"headers": headers, "body": "{}"})).fields(media).is_ok()
        };
        for content_type in
            ["", "application/json", "Application/JSON; charset=utf-8", "application/problem+json"]
        {
            assert!(takes(content_type, Media::Json), "{content_type}");
        }
        for content_type in
            ["application/x-www-form-urlencoded", "text/html", "multipart/form-data", "json", "x+json"]
        {
            assert!(!takes(content_type, Media::JsonOrText), "{content_type}");
        }
        assert!(takes("text/plain;charset=UTF-8", Media::JsonOrText));
        assert!(!takes("text/plain", Media::Json));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            "\\PC{0,20}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 24, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(
                    ("(body|headers|rawPath|http|stage|identity|sourceIp|rawQueryString|[a-z]{1,3})", inner),
                    0..5
                )
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_event_can_panic(event in any_json(), context in any_json(), query in "\\PC{0,60}", body in "\\PC{0,60}") {
            let _ = Call::from_event(event.clone()).fields(Media::Json);
            let call = v2(&json!({"requestContext": context, "rawQueryString": query, "body": body, "headers": event}));
            let _ = (call.query("token").is_ok(), call.fields(Media::JsonOrText).is_ok());
        }
    }
}

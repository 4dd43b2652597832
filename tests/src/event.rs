//! Events as API Gateway and function URLs send them, and the functions' responses.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

/// What API Gateway encodes in a query: all but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The source of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gateway {
    /// An HTTP API (payload format 2.0).
    HttpApi,
    /// A REST API (payload format 1.0).
    RestApi,
    /// A function URL (payload format 2.0).
    FunctionUrl,
}

/// A request, from which an event is made.
#[derive(Clone, Debug)]
pub struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    source_ip: Option<String>,
    gateway: Gateway,
}

impl Request {
    /// A request of `method` to `path`, through an HTTP API.
    #[must_use]
    pub fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            source_ip: Some("192.0.2.1".to_owned()),
            gateway: Gateway::HttpApi,
        }
    }

    /// A `POST` of JSON.
    #[must_use]
    pub fn post(path: &str, body: &Value) -> Self {
        Self::new("POST", path).header("content-type", "application/json").body(body.to_string())
    }

    /// A `GET`.
    #[must_use]
    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// With the query parameter `name`; `value` is not encoded.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With the header `name`.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With `body`.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// With this source IP address; `None` for an event without one.
    #[must_use]
    pub fn from_ip(mut self, ip: Option<&str>) -> Self {
        self.source_ip = ip.map(str::to_owned);
        self
    }

    /// Through `gateway`.
    #[must_use]
    pub const fn through(mut self, gateway: Gateway) -> Self {
        self.gateway = gateway;
        self
    }

    /// The body, if it is JSON.
    pub(crate) fn body_json(&self) -> Option<Value> {
        serde_json::from_slice(self.body.as_deref()?).ok()
    }

    /// The query parameters.
    pub(crate) fn queries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.query.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The header `name`.
    pub(crate) fn header_value(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The event.
    #[must_use]
    pub fn event(&self) -> Value {
        match self.gateway {
            Gateway::HttpApi => self.format_2("a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"),
            Gateway::FunctionUrl => self.format_2("a1b2c3d4e5.lambda-url.eu-west-1.on.aws"),
            Gateway::RestApi => self.format_1(),
        }
    }

    fn format_2(&self, domain: &str) -> Value {
        let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
        let raw_query: Vec<String> =
            self.query.iter().map(|(k, v)| format!("{}={}", encode(k), encode(v))).collect();
        let (body, is_base64) = self.encoded_body();
        let headers: Map<String, Value> =
            self.headers.iter().map(|(name, value)| (name.to_lowercase(), json!(value))).collect();
        json!({
            "version": "2.0", "routeKey": "$default", "rawPath": self.path, "rawQueryString": raw_query.join("&"),
            "headers": headers, "body": body, "isBase64Encoded": is_base64,
            "requestContext": {
                "accountId": "123456789012", "apiId": "a1b2c3d4e5", "domainName": domain, "domainPrefix": "a1b2c3d4e5",
                "requestId": "gateway-request", "routeKey": "$default", "stage": "$default", "time": "12/Mar/2026:19:03:58 +0000",
                "timeEpoch": 1_773_342_238_000_u64,
                "http": {"method": self.method, "path": self.path, "protocol": "HTTP/1.1", "sourceIp": self.source_ip, "userAgent": "tests"},
            },
        })
    }

    fn format_1(&self) -> Value {
        let (body, is_base64) = self.encoded_body();
        let object = |map: Map<String, Value>| if map.is_empty() { Value::Null } else { map.into() };
        let single = |pairs: &[(String, String)]| {
            object(pairs.iter().map(|(name, value)| (name.clone(), json!(value))).collect())
        };
        let multi = |pairs: &[(String, String)]| {
            let values = |name| pairs.iter().filter(move |(other, _)| other == name).map(|(_, value)| value);
            object(pairs.iter().map(|(name, _)| (name.clone(), values(name).cloned().collect())).collect())
        };
        json!({
            "resource": "/{proxy+}", "path": self.path, "httpMethod": self.method,
            "headers": single(&self.headers), "multiValueHeaders": multi(&self.headers),
            "queryStringParameters": single(&self.query), "multiValueQueryStringParameters": multi(&self.query),
            "pathParameters": null, "stageVariables": null, "body": body, "isBase64Encoded": is_base64,
            "requestContext": {
                "resourceId": "r", "apiId": "a1b2c3d4e5", "stage": "prod", "requestId": "gateway-request",
                "domainName": "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com", "httpMethod": self.method,
                "path": format!("/prod{}", self.path), "identity": {"sourceIp": self.source_ip, "userAgent": "tests"},
            },
        })
    }

    /// UTF-8 as a string, anything else in base64, as the gateways do.
    fn encoded_body(&self) -> (Value, bool) {
        match &self.body {
            None => (Value::Null, false),
            Some(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => (json!(text), false),
                Err(_) => (json!(BASE64_STANDARD.encode(bytes)), true),
            },
        }
    }
}

/// A function's response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The response as Lambda posts it.
    pub response: Value,
}

impl Answer {
    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u64 {
        self.response["statusCode"].as_u64().expect("a status")
    }

    /// The header `name`.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = ["headers", "multiValueHeaders"].into_iter().find_map(|kind| {
            let headers = self.response[kind].as_object()?;
            Some(headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?.1)
        })?;
        found.as_str().or_else(|| found[0].as_str())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.response["body"].as_str().unwrap_or_default()
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(self.text()).expect("a JSON body")
    }

    /// The `Retry-After` header in seconds.
    #[must_use]
    pub fn retry_after(&self) -> Option<u64> {
        self.header("retry-after")?.parse().ok()
    }
}

/// The status and the body, with `TOKEN` for each token: for snapshots.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::from_str(self.text()).unwrap_or(Value::Null);
        let tokens = ["reset_token", "token"].into_iter().filter_map(|name| json[name].as_str());
        let body = tokens.fold(self.text().to_owned(), |body, token| body.replace(token, "TOKEN"));
        f.write_str(format!("{} {body}", self.status()).trim_end())
    }
}

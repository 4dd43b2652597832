//! [`Call`]: what handlers need from a `lambda_http` request.

use std::net::IpAddr;

use lambda_http::aws_lambda_events::query_map::QueryMap;
use lambda_http::http::header::{ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt as _};
use secrecy::{ExposeSecret as _, SecretString};

use super::event::{Body, Extracted, VIEWER_ADDRESS, VIEWER_COUNTRY};
use super::{ApiError, Fields};
use crate::api_key::Caller;
use crate::clock::Timestamp;
use crate::device::{Country, Device};
use crate::email::EmailAddress;
use crate::language::{Language, Languages};
use crate::mail::ApiAddress;
use crate::origin;
use crate::source_ip::SourceIp;
use crate::store::asked::Asked;

/// The `Content-Type` that a route accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcceptedContentType {
    /// `application/json` or anything `+json`.
    Json,
    /// JSON or `text/plain`, which a documented client sends with a `GET`. Not for a `POST`: a page of another site can send one with
    /// `text/plain` or without a type, and no CORS preflight. Browsers send no body with a `GET`.
    JsonOrText,
}

/// One call. Holds secrets, so it has no `Debug`.
pub struct Call {
    /// Who calls. Anonymous until the gate has identified the caller.
    pub caller: Caller,
    /// When the call arrived.
    pub received_at: Timestamp,
    /// The method, in upper case as sent.
    pub method: String,
    /// The path as sent, without the stage.
    pub path: String,
    /// `Authorization` as sent.
    pub authorization: Option<SecretString>,
    /// The header that proves that the call came through CloudFront.
    pub origin_secret: Option<SecretString>,
    /// The first supported language in `Accept-Language`.
    pub language: Option<Language>,
    /// What per-IP limits count: the caller's IP address as API Gateway saw it.
    pub source_ip: SourceIp,
    viewer_ip: Option<IpAddr>,
    /// What `User-Agent` says of the caller's device: anybody can write anything there.
    pub device: Device,
    viewer_country: Option<Country>,
    /// Which API the call came through.
    pub api: Option<ApiAddress>,
    /// API Gateway's request id.
    pub gateway_request_id: Option<String>,
    query: QueryMap,
    content_type: Option<String>,
    body: Body,
}

impl Call {
    /// The call in `request`, with what [`super::event::read`] extracted from its event. `languages` are the supported ones.
    #[must_use]
    pub fn new(
        request: &Request,
        extracted: Extracted,
        languages: Languages,
        received_at: Timestamp,
    ) -> Self {
        let context = match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV1(context)) => Context {
                api_id: context.apiid.clone(),
                stage: context.stage.clone(),
                request_id: context.request_id.clone(),
                source_ip: context.identity.source_ip.clone(),
                // In a REST API's event, the path has no stage.
                stage_in_path: None,
            },
            Some(RequestContext::ApiGatewayV2(context)) => Context {
                api_id: context.apiid.clone(),
                stage: context.stage.clone(),
                request_id: context.request_id.clone(),
                source_ip: context.http.source_ip.clone(),
                stage_in_path: context.stage.clone(),
            },
            _ => Context::default(),
        };
        Self {
            caller: Caller::Anonymous,
            received_at,
            method: request.method().to_string(),
            path: without_stage(request.raw_http_path(), context.stage_in_path.as_deref()),
            authorization: header(request, AUTHORIZATION.as_str()).map(SecretString::from),
            origin_secret: header(request, origin::HEADER).map(SecretString::from),
            language: header(request, ACCEPT_LANGUAGE.as_str())
                .and_then(|header| languages.from_accept_language(header)),
            source_ip: context
                .source_ip
                .and_then(|ip| ip.parse::<IpAddr>().ok())
                .map_or_else(SourceIp::unknown, SourceIp::from),
            viewer_ip: header(request, VIEWER_ADDRESS).and_then(parse_viewer_address),
            device: header(request, USER_AGENT.as_str()).map(Device::from_user_agent).unwrap_or_default(),
            viewer_country: header(request, VIEWER_COUNTRY).and_then(Country::from_code),
            api: context
                .api_id
                .map(|api_id| ApiAddress::new(api_id, context.stage, extracted.domain.as_deref())),
            gateway_request_id: context.request_id,
            query: request.query_string_parameters_ref().cloned().unwrap_or_default(),
            content_type: header(request, CONTENT_TYPE.as_str()).map(str::to_owned),
            body: extracted.body,
        }
    }

    /// Makes per-IP limits count the viewer's IP address from CloudFront's header, instead of CloudFront's, and believes its country. Only
    /// for a call with a valid origin secret: anybody can send the headers.
    pub fn believe_cloudfront(&mut self) {
        if let Some(ip) = self.viewer_ip {
            self.source_ip = ip.into();
        }
        self.device.country = self.viewer_country;
    }

    /// What is known of the caller, for the mail that the call orders.
    #[must_use]
    pub fn asked(&self) -> Asked {
        Asked::of(&self.caller, self.language, self.device)
    }

    /// The query parameter `name`, decoded.
    ///
    /// # Errors
    ///
    /// [`ApiError::Invalid`] if it is repeated: another parser could then see another value.
    pub fn query(&self, name: &'static str) -> Result<Option<&str>, ApiError> {
        match self.query.all(name).unwrap_or_default()[..] {
            [] => Ok(None),
            [value] => Ok(Some(value)),
            _ => Err(ApiError::invalid(format!("?{name}"), "must not be given more than once")),
        }
    }

    /// The address in a JSON body `{"email"}`.
    ///
    /// # Errors
    ///
    /// As [`Self::fields`].
    pub fn email(&self) -> Result<EmailAddress, ApiError> {
        let mut fields = self.fields(AcceptedContentType::Json)?;
        let email = fields.email();
        fields.finish(email)
    }

    /// The body's fields. No fields if the body is empty.
    ///
    /// # Errors
    ///
    /// [`ApiError::BodyTooLarge`], [`ApiError::NotJson`] or [`ApiError::Invalid`].
    pub fn fields(&self, accepted: AcceptedContentType) -> Result<Fields, ApiError> {
        let Body::Bytes(bytes) = &self.body else { return Err(ApiError::BodyTooLarge) };
        let bytes = bytes.expose_secret();
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Fields::empty());
        }
        if !self.content_type.as_deref().is_some_and(|content_type| accepted.matches(content_type)) {
            return Err(ApiError::NotJson("The Content-Type must be application/json."));
        }
        Fields::parse(bytes)
    }
}

/// The fields of both kinds of request context.
#[derive(Default)]
struct Context {
    api_id: Option<String>,
    stage: Option<String>,
    request_id: Option<String>,
    source_ip: Option<String>,
    stage_in_path: Option<String>,
}

impl AcceptedContentType {
    fn matches(self, content_type: &str) -> bool {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_json = essence == "application/json"
            || (essence.starts_with("application/") && essence.ends_with("+json"));
        is_json || (self == Self::JsonOrText && essence == "text/plain")
    }
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

/// In an HTTP API's event, a named stage is the first segment of the path.
fn without_stage(path: &str, stage: Option<&str>) -> String {
    let rest = stage.and_then(|stage| path.strip_prefix('/')?.strip_prefix(stage));
    rest.filter(|rest| rest.starts_with('/')).unwrap_or(path).to_owned()
}

/// The IP address in `198.51.100.10:46532`. An IPv6 address may be in brackets.
fn parse_viewer_address(address_and_port: &str) -> Option<IpAddr> {
    let (address, _port) = address_and_port.trim().rsplit_once(':')?;
    address.trim_matches(['[', ']']).parse().ok()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::event;
    use super::*;

    const MAX_BODY: usize = 16 * 1024;

    fn v2(changes: &Value) -> Call {
        let mut event = json!({
            "version": "2.0", "rawPath": "/organizations/reset-password/", "rawQueryString": "", "headers": {},
            "requestContext": {
                "apiId": "a1", "stage": "$default", "requestId": "r",
                "http": {"method": "POST", "sourceIp": "192.0.2.1"}
            }
        });
        merge(&mut event, changes);
        call(event)
    }

    fn call(event: Value) -> Call {
        let (request, extracted) = event::read(event);
        Call::new(&request.into(), extracted, Languages::default(), Timestamp::from_millis(0))
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
    fn rest_api_events_are_supported() {
        let call = call(json!({
            "httpMethod": "GET", "path": "/organizations/complete-password/", "headers": {"AUTHORIZATION": "Token k"},
            "multiValueQueryStringParameters": {"token": ["T"], "email": ["a@b.de"]},
            "requestContext": {"apiId": "a1", "stage": "prod", "requestId": "r", "httpMethod": "GET", "identity": {"sourceIp": "192.0.2.9"}}
        }));
        assert_eq!((call.method.as_str(), call.path.as_str()), ("GET", "/organizations/complete-password/"));
        assert_eq!(call.source_ip.own, "192.0.2.9");
        assert_eq!(call.query("token").ok().flatten(), Some("T"));
        assert_eq!(call.authorization.map(|a| a.expose_secret().to_owned()), Some("Token k".to_owned()));
        assert_eq!(call.api.map(|api| api.stage), Some("prod".to_owned()));
    }

    #[test]
    fn a_named_stage_is_not_part_of_the_path() {
        let call = v2(
            &json!({"rawPath": "/prod/organizations/reset-password", "requestContext": {"stage": "prod"}}),
        );
        assert_eq!(call.path, "/organizations/reset-password");
        let call = v2(&json!({"rawPath": "/production", "requestContext": {"stage": "prod"}}));
        assert_eq!(call.path, "/production");
    }

    #[test]
    fn a_function_url_is_recognised_by_its_domain() {
        let call = v2(&json!({"requestContext": {"domainName": "a1.lambda-url.eu-west-1.on.aws"}}));
        assert!(call.api.is_some_and(|api| api.is_function_url));
        let call = v2(&json!({"requestContext": {"domainName": "evil.lambda-url.eu-west-1.on.aws"}}));
        assert!(call.api.is_some_and(|api| !api.is_function_url));
    }

    #[test]
    fn limits_count_the_ip_address_from_api_gateway() {
        let ip = |ip: &str| {
            v2(&json!({"requestContext": {"http": {"sourceIp": ip}}, "headers": {"x-forwarded-for": "198.51.100.7"}})).source_ip
        };
        assert_eq!(ip("192.0.2.1").own, "192.0.2.1");
        assert_eq!(ip("nonsense"), SourceIp::unknown());
    }

    #[test]
    fn a_repeated_parameter_is_refused() {
        let call = v2(&json!({"rawQueryString": "token=a&token=b&email=a%2Bb%40c.de"}));
        assert!(call.query("token").is_err());
        assert_eq!(call.query("email").ok().flatten(), Some("a+b@c.de"));
        assert_eq!(call.query("else").ok().flatten(), None);
    }

    #[test]
    fn a_body_may_have_16_kib_plain_or_in_base64() {
        let padded = |length: usize| format!("{{}}{}", " ".repeat(length - 2));
        for (length, is_accepted) in [(MAX_BODY, true), (MAX_BODY + 1, false)] {
            let json = json!({"content-type": "application/json"});
            let plain = v2(&json!({"headers": json, "body": padded(length)}));
            assert_eq!(plain.fields(AcceptedContentType::Json).is_ok(), is_accepted, "{length}");
            let encoded = v2(
                &json!({"headers": json, "body": BASE64_STANDARD.encode(padded(length)), "isBase64Encoded": true}),
            );
            assert_eq!(encoded.fields(AcceptedContentType::Json).is_ok(), is_accepted, "{length} in base64");
        }
    }

    #[test]
    fn the_content_type_is_required_and_must_be_accepted() {
        let is_accepted = |content_type: &str, accepted| {
            let headers =
                if content_type.is_empty() { json!({}) } else { json!({"Content-Type": content_type}) };
            v2(&json!({"headers": headers, "body": "{}"})).fields(accepted).is_ok()
        };
        for content_type in
            ["application/json", "Application/JSON; charset=utf-8", "application/problem+json"]
        {
            assert!(is_accepted(content_type, AcceptedContentType::Json), "{content_type}");
        }
        for content_type in
            ["", "application/x-www-form-urlencoded", "text/html", "multipart/form-data", "json", "x+json"]
        {
            assert!(!is_accepted(content_type, AcceptedContentType::JsonOrText), "{content_type}");
        }
        assert!(is_accepted("text/plain;charset=UTF-8", AcceptedContentType::JsonOrText));
        assert!(!is_accepted("text/plain", AcceptedContentType::Json));
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
            let _ = call(event.clone()).fields(AcceptedContentType::Json);
            let mut v1 = json!({"httpMethod": "GET", "requestContext": {"httpMethod": "GET"}});
            merge(&mut v1, &event);
            let _ = call(v1).fields(AcceptedContentType::Json);
            let call = v2(&json!({"requestContext": context, "rawQueryString": query, "body": body, "headers": event}));
            let _ = (call.query("token").is_ok(), call.fields(AcceptedContentType::JsonOrText).is_ok());
        }
    }
}

//! The link in the mail. Its base is configured or built from API Gateway's request context, never from `Host` or `X-Forwarded-Host`: an
//! attacker could set those to receive the token.

use secrecy::SecretString;

use crate::token::ResetToken;

/// The API that was called, from API Gateway's request context (never from a header).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiAddress {
    /// The id of the API, or of the function URL.
    pub api_id: String,
    /// The stage, `$default` or a name.
    pub stage: String,
    /// Whether it is a function URL.
    pub is_function_url: bool,
}

impl ApiAddress {
    /// The API `api_id`, called through `domain`.
    #[must_use]
    pub fn new(api_id: String, stage: Option<String>, domain: Option<&str>) -> Self {
        let rest = domain.and_then(|domain| domain.strip_prefix(&api_id));
        let is_function_url = rest.is_some_and(|rest| rest.starts_with(".lambda-url."));
        Self { api_id, stage: stage.unwrap_or_else(|| "$default".to_owned()), is_function_url }
    }
}

/// The base URL of a link. The token is appended as the fragment, or replaces `{token}`.
#[derive(Clone, Debug)]
pub struct LinkBase(String);

impl LinkBase {
    /// The placeholder for the token, for front ends that read it from the path or the query.
    pub const TOKEN: &str = "{token}";

    /// A base that `config` has checked, or that comes from an order.
    #[must_use]
    pub const fn from_text(base: String) -> Self {
        Self(base)
    }

    /// The base as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The hosted page at the API's default endpoint in `region`. `None` if an id or name is invalid.
    #[must_use]
    pub fn of_hosted_page(api: &ApiAddress, region: &str) -> Option<Self> {
        let is_host_label =
            |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !is_host_label(&api.api_id) || !is_host_label(region) {
            return None;
        }
        if api.is_function_url {
            return Some(Self(format!("https://{}.lambda-url.{region}.on.aws{HOSTED_PAGE}", api.api_id)));
        }
        let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let is_valid_stage = api.stage.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        let stage = match api.stage.as_str() {
            "" | "$default" => String::new(),
            stage if is_valid_stage => format!("/{stage}"),
            _ => return None,
        };
        Some(Self(format!("https://{}.execute-api.{region}.{suffix}{stage}{HOSTED_PAGE}", api.api_id)))
    }

    /// The hosted page that asks for a new link, if this is the hosted page for the new password. Front ends of operators are free to have
    /// theirs anywhere.
    #[must_use]
    pub fn new_link_page(&self) -> Option<String> {
        let organizations = self.0.trim_end_matches('/').strip_suffix("/complete-password")?;
        organizations.ends_with("/organizations").then(|| format!("{organizations}/reset-password"))
    }

    /// The link with `token` in the place of `{token}`, or else in the fragment, which browsers do not send to servers or in `Referer`.
    #[must_use]
    pub fn with(&self, token: &ResetToken) -> SecretString {
        let token = token.0.expose_secret();
        if self.0.contains(Self::TOKEN) {
            self.0.replace(Self::TOKEN, token).into()
        } else {
            format!("{}#token={token}", self.0).into()
        }
    }
}

/// The route of the page "Choose a new password".
const HOSTED_PAGE: &str = "/organizations/complete-password";

#[cfg(test)]
mod tests {
    use lambda_http::http::Uri;
    use proptest::prelude::*;
    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::token::Token;

    fn api(stage: &str, is_function_url: bool) -> ApiAddress {
        ApiAddress { api_id: "a1b2c3".to_owned(), stage: stage.to_owned(), is_function_url }
    }

    fn link(base: &LinkBase) -> String {
        let token = ResetToken(Token::parse("T".repeat(20)).expect("a token"));
        base.with(&token).expose_secret().to_owned()
    }

    #[test]
    fn the_token_is_in_the_fragment_or_replaces_the_placeholder() {
        for (base, expected) in [
            ("https://example.com/new", "https://example.com/new#token=TTTTTTTTTTTTTTTTTTTT"),
            (
                "https://example.com/new?token={token}&a=b",
                "https://example.com/new?token=TTTTTTTTTTTTTTTTTTTT&a=b",
            ),
        ] {
            assert_eq!(link(&LinkBase::from_text(base.to_owned())), expected);
        }
    }

    #[test]
    fn the_hosted_page_is_at_the_apis_default_endpoint() {
        for (api, region, expected) in [
            (
                api("$default", false),
                "eu-west-1",
                "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/organizations",
            ),
            (
                api("prod", false),
                "eu-west-1",
                "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/prod/organizations",
            ),
            (
                api("$default", false),
                "cn-north-1",
                "https://a1b2c3.execute-api.cn-north-1.amazonaws.com.cn/organizations",
            ),
            (api("$default", true), "eu-west-1", "https://a1b2c3.lambda-url.eu-west-1.on.aws/organizations"),
        ] {
            let base = LinkBase::of_hosted_page(&api, region).expect("a base");
            assert_eq!(link(&base), format!("{expected}/complete-password#token=TTTTTTTTTTTTTTTTTTTT"));
        }
    }

    #[test]
    fn the_page_that_asks_for_a_new_link_is_beside_the_hosted_page() {
        for (base, expected) in [
            (
                "https://a.example/prod/organizations/complete-password/",
                Some("https://a.example/prod/organizations/reset-password"),
            ),
            (
                "http://127.0.0.1:9000/organizations/complete-password",
                Some("http://127.0.0.1:9000/organizations/reset-password"),
            ),
            ("https://a.example/complete-password", None),
            ("https://a.example/new?token={token}", None),
            ("https://a.example/organizations/complete-password?x={token}", None),
        ] {
            assert_eq!(LinkBase::from_text(base.to_owned()).new_link_page().as_deref(), expected, "{base}");
        }
    }

    #[test]
    fn an_invalid_stage_or_id_gives_no_link() {
        assert!(LinkBase::of_hosted_page(&api("a/../b", false), "eu-west-1").is_none());
        let evil = ApiAddress { api_id: "evil.example/".to_owned(), ..api("$default", false) };
        assert!(LinkBase::of_hosted_page(&evil, "eu-west-1").is_none());
    }

    proptest! {
        #[test]
        fn the_hosted_page_is_always_at_aws(api_id in "\\PC{0,20}|[a-z0-9.@/:#-]{0,20}", stage in "\\PC{0,20}|[a-z$/.@#]{0,10}") {
            let api = ApiAddress { api_id, stage, is_function_url: false };
            if let Some(base) = LinkBase::of_hosted_page(&api, "eu-west-1") {
                let uri: Uri = link(&base).parse().expect("a link");
                prop_assert!(uri.host().is_some_and(|host| host.ends_with(".execute-api.eu-west-1.amazonaws.com")));
                prop_assert!(uri.path().ends_with(HOSTED_PAGE));
            }
        }
    }
}

//! The link in the mail. Its base comes from configuration or from what API Gateway itself says of the API;
//! a base taken from `Host` or `X-Forwarded-Host` would send the token wherever a stranger wants.

use secrecy::SecretString;

use crate::token::ResetToken;

/// Which API a call came through, in API Gateway's own words (never in a header's).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiAddress {
    /// The id of the API, or of the function URL.
    pub api_id: String,
    /// The stage, `$default` or a name.
    pub stage: String,
    /// Whether the id is that of a function URL.
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

/// Where a link leads: an address to which the token is appended as its fragment, or put in the place of `{token}`.
#[derive(Clone, Debug)]
pub struct LinkBase(String);

impl LinkBase {
    /// What stands for the token in the address of a front end that reads it from the query.
    pub const TOKEN: &str = "{token}";

    /// The configured base, as [`crate::config`] has checked it, or the one that an order kept.
    #[must_use]
    pub const fn from_text(base: String) -> Self {
        Self(base)
    }

    /// The base as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The hosted page under the API's own address in `region`. `None` if that is no name of AWS's.
    #[must_use]
    pub fn of_hosted_page(api: &ApiAddress, region: &str) -> Option<Self> {
        let host_name =
            |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !host_name(&api.api_id) || !host_name(region) {
            return None;
        }
        if api.is_function_url {
            return Some(Self(format!("https://{}.lambda-url.{region}.on.aws{HOSTED_PAGE}", api.api_id)));
        }
        let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let plain_stage = api.stage.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        let stage = match api.stage.as_str() {
            "" | "$default" => String::new(),
            stage if plain_stage => format!("/{stage}"),
            _ => return None,
        };
        Some(Self(format!("https://{}.execute-api.{region}.{suffix}{stage}{HOSTED_PAGE}", api.api_id)))
    }

    /// The link with `token` in its fragment, which no server, log or `Referer` ever sees, unless the base says where else.
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
const HOSTED_PAGE: &str = "/organizations/complete-password/";

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
    fn the_token_stands_in_the_fragment_or_where_the_operator_says() {
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
    fn the_hosted_page_stands_under_the_apis_own_address() {
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
            assert_eq!(link(&base), format!("{expected}/complete-password/#token=TTTTTTTTTTTTTTTTTTTT"));
        }
    }

    #[test]
    fn there_is_no_link_from_a_strange_event() {
        assert!(LinkBase::of_hosted_page(&api("a/../b", false), "eu-west-1").is_none());
        let evil = ApiAddress { api_id: "evil.example/".to_owned(), ..api("$default", false) };
        assert!(LinkBase::of_hosted_page(&evil, "eu-west-1").is_none());
    }

    proptest! {
        #[test]
        fn the_default_never_leads_away_from_aws(api_id in "\\PC{0,20}|[a-z0-9.@/:#-]{0,20}", stage in "\\PC{0,20}|[a-z$/.@#]{0,10}") {
            let api = ApiAddress { api_id, stage, is_function_url: false };
            if let Some(base) = LinkBase::of_hosted_page(&api, "eu-west-1") {
                let uri: Uri = link(&base).parse().expect("a link");
                prop_assert!(uri.host().is_some_and(|host| host.ends_with(".execute-api.eu-west-1.amazonaws.com")));
                prop_assert!(uri.path().ends_with(HOSTED_PAGE));
            }
        }
    }
}

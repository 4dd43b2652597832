//! The two pages. Their Content-Security-Policy allows only their one script and one style, by SHA-256, the logo, and calls to this API. A
//! page is rendered in a language on its first request, and cached.

use std::sync::OnceLock;

use askama::Template;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lambda_http::http::header::{
    CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, InvalidHeaderValue, VARY,
};
use sha2::{Digest as _, Sha256};

use super::{ApiError, Reply};
use crate::branding::Branding;
use crate::language::{Language, Languages, Messages};
use crate::password::{self, PasswordPolicy};

const STYLE: &str = include_str!("../../templates/page.css");
const FORGOT_SCRIPT: &str =
    concat!(include_str!("../../templates/page.js"), include_str!("../../templates/forgot_page.js"));
const CHOOSE_SCRIPT: &str =
    concat!(include_str!("../../templates/page.js"), include_str!("../../templates/choose_page.js"));

/// UTF-16 units that the field takes. A browser cuts what is pasted to it, before a whole grapheme cluster. So many more than the longest
/// password's 256 that what was cut is still refused as too long.
const MAX_UNITS: usize = 8 * password::MAX_LENGTH;

#[derive(Template)]
#[template(path = "forgot_page.html")]
struct Forgot<'a> {
    say: &'a Messages,
    brand: &'a Branding,
    style: &'a str,
    script: &'static str,
}

#[derive(Template)]
#[template(path = "choose_page.html")]
struct Choose<'a> {
    say: &'a Messages,
    brand: &'a Branding,
    min_length: usize,
    max_length: usize,
    max_units: usize,
    is_bcrypt: bool,
    style: &'a str,
    script: &'static str,
}

enum PageKind {
    Forgot,
    Choose(PasswordPolicy),
}

/// One of the two pages, in all languages.
pub struct Pages {
    kind: PageKind,
    branding: Branding,
    default_language: Language,
    cache: Vec<(Language, OnceLock<Reply>)>,
}

impl Pages {
    /// "Forgot your password?"
    #[must_use]
    pub fn forgot(branding: Branding, languages: Languages, default_language: Language) -> Self {
        Self::new(PageKind::Forgot, branding, languages, default_language)
    }

    /// "Choose a new password", which says what `policy` asks for.
    #[must_use]
    pub fn choose(
        branding: Branding,
        policy: PasswordPolicy,
        languages: Languages,
        default_language: Language,
    ) -> Self {
        Self::new(PageKind::Choose(policy), branding, languages, default_language)
    }

    fn new(kind: PageKind, branding: Branding, languages: Languages, default_language: Language) -> Self {
        let cache = languages.all().map(|language| (language, OnceLock::new())).collect();
        Self { kind, branding, default_language, cache }
    }

    /// The page in `language`, or in the default language.
    ///
    /// # Errors
    ///
    /// [`ApiError::Unavailable`] if it cannot be rendered, which only running out of memory can cause.
    pub fn in_language(&self, language: Option<Language>) -> Result<Reply, ApiError> {
        let language = language.unwrap_or(self.default_language);
        let page = self.cache.iter().find(|(cached, _)| *cached == language).map(|(_, page)| page);
        if let Some(reply) = page.and_then(OnceLock::get) {
            return Ok(reply.clone());
        }
        let reply = self.render(language).map_err(|error| ApiError::Unavailable(error.to_string()))?;
        Ok(match page {
            Some(page) => page.get_or_init(|| reply).clone(),
            None => reply,
        })
    }

    fn render(&self, language: Language) -> Result<Reply, Box<dyn std::error::Error>> {
        // The script replaces `{wait}` and `{address}`.
        let say = Messages::new(language)
            .with_service(&self.branding.service_name)
            .with("wait", "{wait}")
            .with("address", "{address}")
            .with("max", password::MAX_LENGTH);
        let brand = &self.branding;
        let style = &*self.style();
        let (html, script) = match &self.kind {
            PageKind::Forgot => {
                let script = FORGOT_SCRIPT;
                (Forgot { say: &say, brand, style, script }.render()?, script)
            }
            &PageKind::Choose(PasswordPolicy { min_length, is_bcrypt, .. }) => {
                let page = Choose {
                    say: &say.with("min", min_length),
                    brand,
                    min_length,
                    max_length: password::max_length(is_bcrypt),
                    max_units: MAX_UNITS,
                    is_bcrypt,
                    style,
                    script: CHOOSE_SCRIPT,
                };
                (page.render()?, CHOOSE_SCRIPT)
            }
        };
        let policy = content_security_policy(script, style, self.branding.logo_url.as_deref())?;
        let header = HeaderValue::from_static;
        Ok(Reply::html(html)
            .header(CONTENT_SECURITY_POLICY, policy)
            .header(CONTENT_LANGUAGE, header(language.code()))
            .header(VARY, header("accept-language"))
            .header(HeaderName::from_static("cross-origin-opener-policy"), header("same-origin"))
            .header(
                HeaderName::from_static("permissions-policy"),
                header("camera=(), geolocation=(), microphone=()"),
            ))
    }

    /// The style sheet, with the operator's colour for buttons.
    fn style(&self) -> String {
        let color = self.branding.color.map(|color| {
            let button = color;
            let text = color.text();
            format!(":root{{--button:{button};--on-button:{text}}}\n")
        });
        format!("{STYLE}{}", color.unwrap_or_default())
    }
}

/// `logo` must not contain the header's separators, which `config` checks.
fn content_security_policy(
    script: &str,
    style: &str,
    logo: Option<&str>,
) -> Result<HeaderValue, InvalidHeaderValue> {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    // A source expression has no query (CSP level 3, section 2.3.1), and matches any.
    let logo = logo.and_then(|logo| logo.split('?').next());
    let images = logo.map(|logo| format!("img-src {logo}; ")).unwrap_or_default();
    HeaderValue::from_str(&format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; {images}connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
        hash(script),
        hash(style)
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use lambda_http::{Body, Response};

    use super::*;

    /// The largest page allowed, in bytes.
    const MAX_PAGE: usize = 20 * 1024;

    fn branding(is_branded: bool) -> Branding {
        let link = |link: &str| is_branded.then(|| link.to_owned());
        Branding {
            service_name: "Ann & <Co> \"x\"".to_owned(),
            color: is_branded.then(|| "#ffd400".parse().expect("a colour")),
            logo_url: link("https://example.com/logo.png?size=2"),
            sign_in_link: link("https://example.com/sign-in?a=1&b=2"),
            support_link: link("mailto:help@example.com"),
        }
    }

    fn choose(branding: Branding, is_bcrypt: bool) -> Pages {
        let policy = PasswordPolicy { min_length: 15, service_name: "Rekey".to_owned(), is_bcrypt };
        Pages::choose(branding, policy, Languages::default(), Language::english())
    }

    fn pages(is_branded: bool) -> [Pages; 2] {
        let languages = Languages::default();
        let english = Language::english();
        [Pages::forgot(branding(is_branded), languages, english), choose(branding(is_branded), false)]
    }

    fn rendered(pages: &Pages, language: Language) -> (String, Response<Body>) {
        let response = Response::from(pages.in_language(Some(language)).expect("a page"));
        let Body::Text(body) = response.body() else { panic!("no text") };
        (body.clone(), response)
    }

    fn all() -> Vec<(Language, String, Response<Body>)> {
        let pages = [pages(false), pages(true)];
        let all = pages.iter().flatten().flat_map(|pages| {
            Languages::default().all().map(|language| {
                let (body, response) = rendered(pages, language);
                (language, body, response)
            })
        });
        all.collect()
    }

    #[test]
    fn the_policy_has_the_hashes_of_script_and_style() {
        for (_, body, response) in all() {
            let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().expect("a policy");
            for tag in ["script", "style"] {
                let inner = body
                    .split(&format!("<{tag}>"))
                    .nth(1)
                    .and_then(|rest| rest.split(&format!("</{tag}>")).next());
                let hash = BASE64_STANDARD.encode(Sha256::digest(inner.expect("one such tag")));
                assert!(policy.contains(&format!("{tag}-src 'sha256-{hash}'")), "{tag}");
            }
            assert!(!policy.contains("unsafe"));
            assert!(!body.contains(" style=") && !body.contains(" onclick"));
        }
    }

    #[test]
    fn a_page_is_escaped_small_and_declares_its_language() {
        for (language, body, response) in all() {
            let code = language.code();
            assert!(body.contains("Ann &#38; &#60;Co&#62; &#34;x&#34;") && !body.contains("<Co>"), "{code}");
            assert!(body.contains(&format!("<html lang=\"{code}\" dir=\"{}\">", language.direction())));
            assert!(body.len() < MAX_PAGE, "{code}: {}", body.len());
            assert_eq!(response.headers()[CONTENT_LANGUAGE], code);
            assert_eq!(response.headers()[VARY], "accept-language");
        }
    }

    #[test]
    fn buttons_have_the_operators_colour() {
        for (is_branded, color) in [(false, None), (true, Some(":root{--button:#ffd400;--on-button:"))] {
            for pages in pages(is_branded) {
                let (body, _) = rendered(&pages, Language::english());
                assert!(body.contains(STYLE) && color.is_none_or(|color| body.contains(color)));
                assert_eq!(body.matches("--button:").count(), 2 + usize::from(is_branded));
            }
        }
    }

    #[test]
    fn the_script_is_the_same_in_every_language() {
        let scripts: BTreeSet<String> = all()
            .into_iter()
            .filter_map(|(_, body, _)| Some(body.split("<script>").nth(1)?.to_owned()))
            .collect();
        assert_eq!(scripts.len(), 2, "one for each page");
    }

    #[test]
    fn the_scripts_have_no_syntax_or_function_that_browsers_of_2019_lack() {
        for script in [FORGOT_SCRIPT, CHOOSE_SCRIPT] {
            for young in [
                "?.",
                "??",
                "||=",
                "&&=",
                ".at(",
                "AbortSignal.",
                "isWellFormed",
                "replaceAll",
                "hasOwn",
                "#_",
            ] {
                assert!(!script.contains(young), "{young}");
            }
        }
    }

    #[test]
    fn only_the_logo_may_be_loaded_as_an_image() {
        for (is_branded, sources) in [(false, None), (true, Some("img-src https://example.com/logo.png;"))] {
            for pages in pages(is_branded) {
                let (_, response) = rendered(&pages, Language::english());
                let policy =
                    response.headers()[CONTENT_SECURITY_POLICY].to_str().expect("a policy").to_owned();
                assert_eq!(policy.contains("img-src"), is_branded);
                assert!(sources.is_none_or(|sources| policy.contains(sources)), "{policy}");
            }
        }
    }

    #[test]
    fn the_page_has_a_text_for_every_code_of_the_password_policy() {
        let (body, _) = rendered(&pages(false)[1], Language::english());
        for pattern in password::Pattern::ALL {
            assert!(body.contains(&format!("data-advice-{}=", pattern.code())), "{pattern:?}");
        }
        for code in [
            "password-too-short",
            "password-too-long",
            "password-too-many-bytes",
            "password-contains-nul",
            "password-guessable",
            "password-breached",
        ] {
            assert!(body.contains(&format!("data-{code}=")), "{code}");
        }
    }

    #[test]
    fn the_page_promises_no_longer_password_than_the_hash_takes() {
        for (is_bcrypt, rules, others) in
            [(false, "maxlength: 128;", "data-bytes"), (true, "maxlength: 72;", "128")]
        {
            let (body, _) = rendered(&choose(branding(false), is_bcrypt), Language::english());
            let (markup, _) = body.split_once("<script>").expect("a script");
            assert!(markup.contains(&format!("passwordrules=\"minlength: 15; {rules}\"")), "{markup}");
            assert!(!markup.contains(others), "{markup}");
        }
    }

    #[test]
    fn without_a_language_the_page_is_in_the_default_one() {
        let (languages, german) =
            (Languages::default(), Languages::default().from_code("de").expect("German"));
        let pages = Pages::forgot(branding(false), languages, german);
        let response = Response::from(pages.in_language(None).expect("a page"));
        assert_eq!(response.headers()[CONTENT_LANGUAGE], "de");
    }
}

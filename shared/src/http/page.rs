//! The two pages, under a Content-Security-Policy that names the SHA-256 of their one script and one style: nothing
//! else runs, loads, frames or submits.

use askama::Template;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lambda_http::http::header::{CONTENT_SECURITY_POLICY, HeaderName, HeaderValue};
use sha2::{Digest as _, Sha256};

use super::Reply;

const STYLE: &str = include_str!("../../templates/page.css");

#[derive(Template)]
#[template(path = "forgot_page.html")]
struct Forgot<'a> {
    service: &'a str,
    style: &'static str,
    script: &'static str,
}

#[derive(Template)]
#[template(path = "choose_page.html")]
struct Choose<'a> {
    service: &'a str,
    min_length: usize,
    style: &'static str,
    script: &'static str,
}

/// "Forgot your password?"
///
/// # Errors
///
/// [`askama::Error`] if the template fails, which only running out of memory brings about.
pub fn forgot(service: &str) -> Result<Reply, askama::Error> {
    let script = include_str!("../../templates/forgot_page.js");
    Ok(page(Forgot { service, style: STYLE, script }.render()?, script))
}

/// "Choose a new password". `min_length` is the policy's, for the hint.
///
/// # Errors
///
/// As [`forgot`].
pub fn choose(service: &str, min_length: usize) -> Result<Reply, askama::Error> {
    let script = include_str!("../../templates/choose_page.js");
    Ok(page(Choose { service, min_length, style: STYLE, script }.render()?, script))
}

fn page(html: String, script: &str) -> Reply {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
        hash(script),
        hash(STYLE)
    );
    let policy = HeaderValue::from_str(&policy).expect("hashes in base64");
    Reply::html(html)
        .header(CONTENT_SECURITY_POLICY, policy)
        .header(
            HeaderName::from_static("cross-origin-opener-policy"),
            HeaderValue::from_static("same-origin"),
        )
        .header(
            HeaderName::from_static("permissions-policy"),
            HeaderValue::from_static("camera=(), geolocation=(), microphone=()"),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_the_hash_of_exactly_what_stands_between_the_tags() {
        for reply in [forgot("Ann & <Co>").expect("a page"), choose("Ann & <Co>", 15).expect("a page")] {
            let response = lambda_http::Response::from(reply);
            let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().expect("a policy");
            let lambda_http::Body::Text(body) = response.body() else { panic!("no text") };
            for tag in ["script", "style"] {
                let inner = body
                    .split(&format!("<{tag}>"))
                    .nth(1)
                    .and_then(|rest| rest.split(&format!("</{tag}>")).next());
                let hash = BASE64_STANDARD.encode(Sha256::digest(inner.expect("one such tag")));
                assert!(policy.contains(&format!("{tag}-src 'sha256-{hash}'")), "{tag}");
            }
            assert!(!policy.contains("unsafe"));
            assert!(body.contains("Ann &#38; &#60;Co&#62;") && !body.contains("<Co>"));
            assert!(!body.contains(" style=") && !body.contains(" onclick"));
        }
    }
}

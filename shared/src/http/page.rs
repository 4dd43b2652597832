//! The two pages, under a Content-Security-Policy that names the SHA-256 of their one script and one style: nothing
//! else runs, loads, frames or submits.

use askama::Template;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
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
    let mut reply = Reply::empty(200)
        .header("Content-Type", "text/html; charset=utf-8")
        .header("Content-Security-Policy", policy)
        .header("Cross-Origin-Opener-Policy", "same-origin")
        .header("Permissions-Policy", "camera=(), geolocation=(), microphone=()");
    reply.body = html;
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_the_hash_of_exactly_what_stands_between_the_tags() {
        for reply in [forgot("Ann & <Co>").expect("a page"), choose("Ann & <Co>", 15).expect("a page")] {
            let policy = &reply.headers["Content-Security-Policy"];
            for tag in ["script", "style"] {
                let inner = reply
                    .body
                    .split(&format!("<{tag}>"))
                    .nth(1)
                    .and_then(|rest| rest.split(&format!("</{tag}>")).next());
                let hash = BASE64_STANDARD.encode(Sha256::digest(inner.expect("one such tag")));
                assert!(policy.contains(&format!("{tag}-src 'sha256-{hash}'")), "{tag}");
            }
            assert!(!policy.contains("unsafe"));
            assert!(reply.body.contains("Ann &#38; &#60;Co&#62;") && !reply.body.contains("<Co>"));
            assert!(!reply.body.contains(" style=") && !reply.body.contains(" onclick"));
        }
    }
}

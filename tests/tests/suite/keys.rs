//! Callers with an API key: who is trusted, and who is refused.

use serde_json::json;
use tests::errors::{COMPLETE, RESET, UNLEASH_VALIDATE, assert_error};
use tests::{KNOWN, Request, UNKNOWN, World};

use crate::contract::bodies;

fn keys() -> String {
    use sha2::{Digest as _, Sha256};
    let hex = |key: &str| <[u8; 32]>::from(Sha256::digest(key)).map(|byte| format!("{byte:02x}")).concat();
    format!(
        "backend:reset+validate+complete:{},narrow:reset:{},none:complete:{}",
        hex("s3cret-of-a-backend"),
        hex("narrow-key"),
        hex("setter-key")
    )
}

/// The operator's page, which is needed if keys are required.
const RESET_LINK: (&str, &str) = ("RESET_LINK", "https://example.com/new-password");

#[tokio::test]
async fn status_200_for_pages_or_404_if_keys_are_required() {
    let open = World::new().await;
    let closed = World::with(&[("API_KEYS", &keys()), ("REQUIRE_API_KEY", "true"), RESET_LINK]).await;
    for (path, title) in [(RESET, "Forgot your password?"), (COMPLETE, "Choose a new password")] {
        let page = open.send(Request::get(path)).await;
        assert_eq!(page.status(), 200);
        assert!(
            page.text().contains(title)
                && page.header("content-type").is_some_and(|t| t.starts_with("text/html"))
        );
        assert_error(
            path,
            &closed.send(Request::get(path).header("authorization", "s3cret-of-a-backend")).await,
            404,
            "not_found",
        );
    }
}

#[tokio::test]
async fn status_401_and_403_for_api_keys() {
    let keys = keys();
    let optional = World::with(&[("API_KEYS", &keys)]).await;
    let required = World::with(&[("API_KEYS", &keys), ("REQUIRE_API_KEY", "true"), RESET_LINK]).await;
    let requests = bodies().map(|(path, body)| (path, Request::post(path, &body)));
    let gets = [COMPLETE, UNLEASH_VALIDATE].map(|path| (path, Request::get(path).query("token", "x")));
    for (path, request) in requests.into_iter().chain(gets) {
        let name = |problem, unleash| if path.starts_with("/auth/") { unleash } else { problem };
        let wrong = optional.send(request.clone().header("authorization", "Bearer key-of-a-stranger")).await;
        assert_error(path, &wrong, 401, name("api_key_unknown", "AuthenticationRequired"));
        for malformed in ["Bearer clé", "Bearer a\tb\u{7f}"] {
            let malformed = optional.send(request.clone().header("authorization", malformed)).await;
            assert_error(path, &malformed, 401, name("api_key_unknown", "AuthenticationRequired"));
        }
        assert_eq!(wrong.header("www-authenticate"), Some("Bearer"));
        let key = if path == RESET { "setter-key" } else { "narrow-key" };
        let narrow = optional.send(request.clone().header("authorization", key)).await;
        assert_error(path, &narrow, 403, name("scope_missing", "NoAccessError"));
        assert_eq!(narrow.header("www-authenticate"), None);
        for request in [request.clone(), request.clone().header("authorization", "")] {
            assert_error(
                path,
                &required.send(request).await,
                401,
                name("api_key_missing", "AuthenticationRequired"),
            );
        }
        for scheme in ["Token s3cret-of-a-backend", "Bearer s3cret-of-a-backend", "s3cret-of-a-backend"] {
            let good = required.send(request.clone().header("authorization", scheme)).await;
            let by_key = ["api_key_missing", "api_key_unknown", "scope_missing"]
                .iter()
                .any(|code| good.text().contains(code));
            assert!(
                !by_key && !good.text().contains("AuthenticationRequired") && good.status() != 403,
                "{good:?}"
            );
        }
    }
}

#[tokio::test]
async fn without_configured_keys_the_authorization_header_is_ignored() {
    let world = World::new().await;
    let request = Request::post(RESET, &json!({"email": KNOWN})).header("authorization", "Bearer whatever");
    assert_eq!(world.send(request).await.status(), 200);
}

#[tokio::test]
async fn status_404_for_an_unknown_address_only_for_trusted_callers() {
    let world = World::with(&[("API_KEYS", &keys())]).await;
    let token = world.request_token(UNKNOWN).await;
    let request = || Request::get(COMPLETE).query("token", &token);
    assert_error(
        COMPLETE,
        &world.send(request().header("authorization", "s3cret-of-a-backend")).await,
        404,
        "account_unknown",
    );
    assert_eq!(world.send(request()).await.status(), 204);
    let known = world.request_token(KNOWN).await;
    let request =
        Request::get(COMPLETE).query("token", &known).header("authorization", "s3cret-of-a-backend");
    assert_eq!(world.send(request).await.status(), 204);
}

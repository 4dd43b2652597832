//! An API behind CloudFront: calls that bypass CloudFront are refused, and limits count CloudFront's viewers.

use serde_json::json;
use tests::errors::{
    COMPLETE, RESET, UNLEASH_CHECK, UNLEASH_MAIL, UNLEASH_SET, UNLEASH_VALIDATE, VALIDATE, assert_error,
};
use tests::{KNOWN, Request, UNKNOWN, World};

/// The operator's page, under CloudFront's name.
const RESET_LINK: (&str, &str) = ("RESET_LINK", "https://example.com/new-password");

#[tokio::test]
async fn status_403_for_calls_that_bypass_cloudfront() {
    use sha2::{Digest as _, Sha256};
    let digest =
        |secret: &str| <[u8; 32]>::from(Sha256::digest(secret)).map(|byte| format!("{byte:02x}")).concat();
    let (old, new) = ("the-old-origin-secret", "the-new-origin-secret");
    let secrets = format!("{},{}", digest(old), digest(new));
    let world = World::with(&[("ORIGIN_SECRETS", &secrets), RESET_LINK]).await;
    let posts = [RESET, VALIDATE, COMPLETE, UNLEASH_MAIL, UNLEASH_CHECK, UNLEASH_SET];
    let mut requests: Vec<(&str, Request)> =
        posts.map(|path| (path, Request::post(path, &json!({"email": KNOWN})))).into();
    requests.extend([RESET, COMPLETE, UNLEASH_VALIDATE, "/nowhere"].map(|path| (path, Request::get(path))));
    for (path, request) in requests {
        let name = if path.starts_with("/auth/") { "NoAccessError" } else { "origin_unknown" };
        let wrong = |secret: &str| request.clone().header("x-origin-secret", secret);
        for refused in [request.clone(), wrong(""), wrong("a-wrong-secret"), wrong(&digest(old))] {
            assert_error(path, &world.send(refused).await, 403, name);
        }
        for secret in [old, new] {
            let admitted = world.send(request.clone().header("X-Origin-Secret", secret)).await;
            assert_ne!(admitted.status(), 403, "{path} {admitted:?}");
        }
    }
    // The secret proves that the call came through CloudFront, not who the caller is.
    let token = world.request_token_with(UNKNOWN, &[("x-origin-secret", new)]).await;
    let asked = Request::get(COMPLETE).query("token", &token).header("x-origin-secret", new);
    assert_eq!(world.send(asked).await.status(), 204, "a trusted caller would be told 404");
}

#[tokio::test]
async fn rule_7_limits_use_cloudfronts_viewer_address_only_behind_cloudfront() {
    // SHA-256 of `s3cret`.
    let digest = "1ec1c26b50d5d3c58d9583181af8076655fe00756bf7285940ba3670f99fcba0";
    let behind =
        [("ORIGIN_SECRETS", digest), ("RESET_LINK", "https://example.com/new"), ("LIMIT_RESET_PER_IP", "20")];
    let statuses = async |settings: &[(&str, &str)], viewer: &dyn Fn(usize) -> String| {
        let world = World::with(settings).await;
        let mut statuses = Vec::new();
        for attempt in 0..25 {
            let request =
                Request::post(RESET, &json!({"email": UNKNOWN})).header("x-origin-secret", "s3cret");
            let request = request.header("cloudfront-viewer-address", &viewer(attempt));
            statuses.push(world.send(request).await.status());
        }
        statuses
    };
    let throttled = [&[200; 20][..], &[429; 5]].concat();
    assert_eq!(
        statuses(&behind, &|attempt| format!("203.0.113.{attempt}:46532")).await,
        [200; 25],
        "different viewers"
    );
    assert_eq!(statuses(&behind, &|attempt| format!("203.0.113.1:{attempt}")).await, throttled, "one viewer");
    assert_eq!(
        statuses(&behind, &|attempt| format!("2001:db8:1:2::{attempt}:443")).await,
        throttled,
        "one IPv6 network"
    );
    assert_eq!(statuses(&behind, &|_| "nonsense".to_owned()).await, throttled, "the gateway's address");
    assert_eq!(
        statuses(&[("LIMIT_RESET_PER_IP", "20")], &|attempt| format!("203.0.113.{attempt}:1")).await,
        throttled,
        "without ORIGIN_SECRETS the header is ignored"
    );
}

//! The throttles: what they count, whom they stop and whom not.

#![recursion_limit = "256"]

use futures::future::join_all;
use serde_json::json;
use tests::refusal::{
    COMPLETE, RESET, UNLEASH_JUDGE, UNLEASH_MAIL, UNLEASH_SET, UNLEASH_VALIDATE, assert_refusal,
};
use tests::{KNOWN, NO_LIMITS, OTHER_PASSWORD, PASSWORD, Request, UNKNOWN, World};

#[tokio::test]
async fn status_429_from_each_throttle_with_the_time_to_wait() {
    let world = World::with(&[("LIMIT_MAIL_PER_ADDRESS", "2")]).await;
    let open = |ip: &str| Request::post(RESET, &json!({"email": UNKNOWN})).from_ip(Some(ip));
    for _ in 0..20 {
        assert_eq!(world.send(open("198.51.100.1")).await.status(), 200);
    }
    let refused = world.send(open("198.51.100.1")).await;
    assert_refusal(RESET, &refused, 429, "throttled");
    assert_eq!(world.send(open("198.51.100.2")).await.status(), 200, "somebody else is not locked out");
    let unleash = Request::post(UNLEASH_MAIL, &json!({"email": KNOWN})).from_ip(Some("198.51.100.1"));
    assert_refusal(UNLEASH_MAIL, &world.send(unleash).await, 429, "RateLimitError");
    world.advance(refused.retry_after().expect("seconds"));
    assert_eq!(world.send(open("198.51.100.1")).await.status(), 200, "after the wait it goes on");

    let bad = |path: &str| Request::get(path).query("token", &"Z".repeat(20)).from_ip(Some("198.51.100.3"));
    for _ in 0..20 {
        assert_eq!(world.send(bad(COMPLETE)).await.status(), 404);
    }
    assert_refusal(COMPLETE, &world.send(bad(COMPLETE)).await, 429, "throttled");
    assert_refusal(UNLEASH_VALIDATE, &world.send(bad(UNLEASH_VALIDATE)).await, 429, "RateLimitError");
    for (path, name) in [(COMPLETE, "throttled"), (UNLEASH_SET, "RateLimitError")] {
        let body = json!({"token": "Z".repeat(20), "password": OTHER_PASSWORD});
        assert_refusal(
            path,
            &world.send(Request::post(path, &body).from_ip(Some("198.51.100.3"))).await,
            429,
            name,
        );
    }

    for mails in 1..=2 {
        world.reset_token(KNOWN).await;
        let token = world.request_token(KNOWN).await;
        let minute = world.validate(&token).await;
        assert_refusal(COMPLETE, &minute, 429, "throttled");
        assert!(mails == 2 || minute.retry_after() <= Some(60), "{minute:?}");
        world.advance(61);
    }
    let token = world.request_token(KNOWN).await;
    let hour = world.validate(&token).await;
    assert_refusal(COMPLETE, &hour, 429, "throttled");
    world.advance(hour.retry_after().expect("seconds"));
    let token = world.request_token(KNOWN).await;
    assert_eq!(world.validate(&token).await.status(), 204);
}

#[tokio::test]
async fn a_limit_of_zero_is_none() {
    let world = World::with(&NO_LIMITS).await;
    for _ in 0..30 {
        world.reset_token(KNOWN).await;
        assert_eq!(world.validate(&"Z".repeat(20)).await.status(), 404);
    }
    assert_eq!(world.outbox.messages().len(), 30);
    assert!(world.token_rows().await.keys().all(|key| !key.starts_with("limit#")));
}

#[tokio::test]
async fn status_429_for_whoever_has_passwords_judged_by_the_hundred() {
    let world = World::with(&[("LIMIT_BAD_TOKEN_PER_IP", "2")]).await;
    let judge = || Request::post(UNLEASH_JUDGE, &json!({"password": OTHER_PASSWORD}));
    for _ in 0..20 {
        assert_eq!(world.send(judge()).await.status(), 200);
    }
    assert_refusal(UNLEASH_JUDGE, &world.send(judge()).await, 429, "RateLimitError");
    // The other route judges before it looks the token up, and counts before it judges.
    let set = Request::post(UNLEASH_SET, &json!({"token": "x", "password": "weak"}));
    assert_refusal(UNLEASH_SET, &world.send(set.clone()).await, 429, "RateLimitError");
    let elsewhere = world.send(set.from_ip(Some("198.51.100.9"))).await;
    assert_refusal(UNLEASH_SET, &elsewhere, 400, "OwaspValidationError");
}

#[tokio::test]
async fn live_tokens_do_not_use_the_bad_token_limit_up() {
    let world = World::new().await;
    let token = world.reset_token(KNOWN).await;
    for _ in 0..50 {
        assert_eq!(world.validate(&token).await.status(), 204);
        assert_eq!(world.complete(&token, "short").await.status(), 422);
    }
    assert_eq!(world.complete(&token, PASSWORD).await.status(), 204);
}

#[tokio::test]
async fn rule_7_throttles_count_the_gateways_address_and_no_header() {
    let world = World::new().await;
    let mut statuses = Vec::new();
    for attempt in 0..25 {
        let elsewhere = format!("203.0.113.{attempt}");
        let mut request = Request::post(RESET, &json!({"email": UNKNOWN}));
        for header in ["x-forwarded-for", "forwarded", "x-real-ip", "true-client-ip", "cf-connecting-ip"] {
            request = request.header(header, &elsewhere);
        }
        statuses.push(world.send(request).await.status());
    }
    assert_eq!(statuses, [&[200; 20][..], &[429; 5]].concat());
}

#[tokio::test]
async fn rule_7_fifty_bad_tokens_at_once_are_fifty_hits() {
    let world = World::new().await;
    let calls = (0..50).map(|_| world.send_only(Request::get(COMPLETE).query("token", &"Z".repeat(20))));
    let statuses: Vec<u64> = join_all(calls).await.iter().map(tests::Answer::status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 404).count(), 20, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 30, "{statuses:?}");
}

#[tokio::test]
async fn rule_7_a_mailbox_gets_no_more_than_the_limit_from_many_tokens_at_once() {
    let world = World::with(&[("LIMIT_RESET_PER_IP", "0"), ("LIMIT_BAD_TOKEN_PER_IP", "0")]).await;
    let mut tokens = Vec::new();
    for _ in 0..20 {
        tokens.push(world.request_token(KNOWN).await);
    }
    let calls = tokens.iter().map(|token| world.send_only(Request::get(COMPLETE).query("token", token)));
    let statuses: Vec<u64> = join_all(calls).await.iter().map(tests::Answer::status).collect();
    world.settle().await;
    assert_eq!(statuses.iter().filter(|status| **status == 204).count(), 1, "{statuses:?}");
    assert_eq!(world.outbox.messages().len(), 1, "one a minute");
}

#[tokio::test]
async fn many_calls_of_one_request_at_once_are_one_mail_and_no_refusal() {
    let world = World::new().await;
    let token = world.request_token(KNOWN).await;
    let calls = (0..10).map(|_| world.send_only(Request::get(COMPLETE).query("token", &token)));
    let statuses: Vec<u64> = join_all(calls).await.iter().map(tests::Answer::status).collect();
    world.settle().await;
    assert_eq!(statuses, [204; 10]);
    assert_eq!(world.outbox.messages().len(), 1);
}

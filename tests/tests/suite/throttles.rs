//! The limits: what they count, and which calls they refuse.

use futures::future::join_all;
use serde_json::json;
use tests::errors::{
    COMPLETE, RESET, UNLEASH_CHECK, UNLEASH_MAIL, UNLEASH_SET, UNLEASH_VALIDATE, assert_error,
};
use tests::{KNOWN, NO_LIMITS, OTHER_PASSWORD, PASSWORD, Request, UNKNOWN, World, reset_token_in};

#[tokio::test]
async fn status_429_from_each_throttle_with_the_time_to_wait() {
    let world = World::with(&[("LIMIT_MAIL_PER_ADDRESS", "2")]).await;
    let open = |ip: &str| Request::post(RESET, &json!({"email": UNKNOWN})).from_ip(Some(ip));
    for _ in 0..20 {
        assert_eq!(world.send(open("198.51.100.1")).await.status(), 200);
    }
    let refused = world.send(open("198.51.100.1")).await;
    assert_error(RESET, &refused, 429, "throttled");
    assert_eq!(world.send(open("198.51.100.2")).await.status(), 200, "another IP address is not throttled");
    let unleash = Request::post(UNLEASH_MAIL, &json!({"email": KNOWN})).from_ip(Some("198.51.100.1"));
    assert_error(UNLEASH_MAIL, &world.send(unleash).await, 429, "RateLimitError");
    world.advance(refused.retry_after().expect("seconds"));
    assert_eq!(world.send(open("198.51.100.1")).await.status(), 200, "after Retry-After the call succeeds");

    let bad = |path: &str| Request::get(path).query("token", &"Z".repeat(20)).from_ip(Some("198.51.100.3"));
    for _ in 0..20 {
        assert_eq!(world.send(bad(COMPLETE)).await.status(), 404);
    }
    assert_error(COMPLETE, &world.send(bad(COMPLETE)).await, 429, "throttled");
    assert_error(UNLEASH_VALIDATE, &world.send(bad(UNLEASH_VALIDATE)).await, 429, "RateLimitError");
    for (path, name) in [(COMPLETE, "throttled"), (UNLEASH_SET, "RateLimitError")] {
        let body = json!({"token": "Z".repeat(20), "password": OTHER_PASSWORD});
        assert_error(
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
        assert_error(COMPLETE, &minute, 429, "throttled");
        let wait = minute.retry_after().expect("seconds");
        assert!(mails == 2 || wait <= 60, "{minute:?}");
        world.advance(wait.min(60) - 1);
        assert_error(COMPLETE, &world.validate(&token).await, 429, "throttled");
        world.advance(1);
    }
    let token = world.request_token(KNOWN).await;
    let hour = world.validate(&token).await;
    assert_error(COMPLETE, &hour, 429, "throttled");
    world.advance(hour.retry_after().expect("seconds"));
    let token = world.request_token(KNOWN).await;
    assert_eq!(world.validate(&token).await.status(), 204);
}

#[tokio::test]
async fn a_limit_of_zero_is_no_limit() {
    let world = World::with(&NO_LIMITS).await;
    for _ in 0..30 {
        world.reset_token(KNOWN).await;
        assert_eq!(world.validate(&"Z".repeat(20)).await.status(), 404);
    }
    assert_eq!(world.outbox.messages().len(), 30);
    assert!(world.token_rows().await.keys().all(|key| !key.starts_with("limit#")));
}

#[tokio::test]
async fn status_429_for_too_many_password_checks_without_a_live_token() {
    let world = World::with(&[("LIMIT_BAD_TOKEN_PER_IP", "1")]).await;
    let live = world.reset_token(KNOWN).await;
    let check = || Request::post(UNLEASH_CHECK, &json!({"password": OTHER_PASSWORD}));
    for _ in 0..200 {
        assert_eq!(world.send(check()).await.status(), 200);
    }
    assert_error(UNLEASH_CHECK, &world.send(check()).await, 429, "RateLimitError");
    // This route checks the password before the token, and counts the call before both.
    let set = |token: &str, password: &str| {
        Request::post(UNLEASH_SET, &json!({"token": token, "password": password}))
    };
    assert_error(UNLEASH_SET, &world.send(set("x", "weak")).await, 429, "RateLimitError");
    let elsewhere = world.send(set("x", "weak").from_ip(Some("198.51.100.9"))).await;
    assert_error(UNLEASH_SET, &elsewhere, 400, "OwaspValidationError");
    // Calls with a live token are not counted.
    assert_error(UNLEASH_SET, &world.send(set(&live, "weak")).await, 400, "OwaspValidationError");
    assert_eq!(world.send(set(&live, OTHER_PASSWORD)).await.status(), 200);
}

#[tokio::test]
async fn ten_people_behind_one_ip_address_may_each_type_three_passwords_into_unleashs_form() {
    // The form checks the password at each keystroke. The limit is a tenth of the default, so this makes a tenth of the keystrokes.
    let world = World::with(&[("LIMIT_BAD_TOKEN_PER_IP", "2")]).await;
    for keystrokes in 0..10 * 3 * 100 / 10 {
        let answer = world.send(Request::post(UNLEASH_CHECK, &json!({"password": "w"}))).await;
        assert_eq!(answer.status(), 400, "keystroke {keystrokes}");
    }
}

#[tokio::test]
async fn rule_7_dead_tokens_from_an_ip_address_do_not_throttle_its_live_tokens() {
    let world = World::new().await;
    let (request, reset) = (world.request_token(UNKNOWN).await, world.reset_token(KNOWN).await);
    let dead = || Request::get(COMPLETE).query("token", &"Z".repeat(20));
    for _ in 0..25 {
        world.send(dead()).await;
    }
    assert_error(COMPLETE, &world.send(dead()).await, 429, "throttled");
    assert_eq!(world.validate(&request).await.status(), 204, "a live request token");
    assert_eq!(world.validate(&reset).await.status(), 204, "a live reset token");
    let shown = world.send(Request::get(UNLEASH_VALIDATE).query("token", &reset)).await;
    assert_eq!(shown.status(), 200);
    assert_eq!(world.complete(&reset, "short").await.status(), 422);
    assert_eq!(world.complete(&reset, PASSWORD).await.status(), 204);
    assert_error(COMPLETE, &world.complete(&reset, PASSWORD).await, 429, "throttled");
}

#[tokio::test]
async fn rule_7_a_live_token_is_never_counted() {
    let world = World::new().await;
    let token = world.reset_token(KNOWN).await;
    for _ in 0..50 {
        assert_eq!(world.validate(&token).await.status(), 204);
        assert_eq!(world.complete(&token, "short").await.status(), 422);
    }
    let counted = |rows: std::collections::BTreeMap<String, _>| {
        rows.into_keys().filter(|key| key.starts_with("limit#bad-token-ip")).count()
    };
    assert_eq!(counted(world.token_rows().await), 0);
    assert_eq!(world.complete(&token, PASSWORD).await.status(), 204);
}

#[tokio::test]
async fn rule_7_a_throttled_person_has_a_mail_with_a_working_link() {
    for lifetime in [60_u64, 600, 7_200] {
        let text = lifetime.to_string();
        let world = World::with(&[
            ("TOKEN_LIFETIME_SECONDS", &text),
            ("LIMIT_RESET_PER_IP", "0"),
            ("LIMIT_BAD_TOKEN_PER_IP", "0"),
        ])
        .await;
        // A stranger uses up the address's mails as fast as possible. The newest link always works.
        for _ in 0..40 {
            let token = world.request_token(KNOWN).await;
            let asked = world.validate(&token).await;
            assert!([204, 429].contains(&asked.status()), "{asked:?}");
            let newest = reset_token_in(&world.last_mail());
            assert_eq!(world.validate(&newest).await.status(), 204, "lifetime {lifetime} s");
            if let Some(seconds) = asked.retry_after() {
                assert!(seconds <= lifetime, "{seconds} of {lifetime}");
                world.advance(seconds - 1);
                assert_eq!(world.validate(&newest).await.status(), 204, "until the last second of the wait");
                world.advance(1);
            }
        }
    }
}

#[tokio::test]
async fn rule_7_limits_use_the_gateways_source_ip_and_no_header() {
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
async fn rule_7_fifty_concurrent_dead_tokens_are_all_counted() {
    let world = World::new().await;
    let calls = (0..50).map(|_| world.send_only(Request::get(COMPLETE).query("token", &"Z".repeat(20))));
    let statuses: Vec<u64> = join_all(calls).await.iter().map(tests::Answer::status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 404).count(), 20, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 30, "{statuses:?}");
}

#[tokio::test]
async fn rule_7_many_concurrent_tokens_do_not_exceed_a_mailboxs_limit() {
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
async fn many_concurrent_calls_for_one_request_send_one_mail_and_all_succeed() {
    let world = World::new().await;
    let token = world.request_token(KNOWN).await;
    let calls = (0..10).map(|_| world.send_only(Request::get(COMPLETE).query("token", &token)));
    let statuses: Vec<u64> = join_all(calls).await.iter().map(tests::Answer::status).collect();
    world.settle().await;
    assert_eq!(statuses, [204; 10]);
    assert_eq!(world.outbox.messages().len(), 1);
}

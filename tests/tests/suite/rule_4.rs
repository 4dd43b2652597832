//! Rule 4, one reset ends all: a token works only while the account's time of change is what it was when the token was issued.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use tests::errors::VALIDATE;
use tests::{KNOWN, NO_LIMITS, OTHER_PASSWORD, PASSWORD, Request, Service, World, reset_token_in};

#[tokio::test]
async fn rule_4_one_reset_ends_all_and_a_second_mail_does_not_break_the_first() {
    let world = World::with(&[("LIMIT_MAIL_PER_ADDRESS", "0")]).await;
    let first = world.reset_token(KNOWN).await;
    let second = world.reset_token(KNOWN).await;
    let request = world.request_token(KNOWN).await;
    assert_eq!(world.validate(&first).await.status(), 204, "older tokens stay live");
    world.advance(1);
    assert_eq!(world.complete(&first, PASSWORD).await.status(), 204);
    assert_eq!(world.validate(&second).await.status(), 404);
    assert_eq!(world.complete(&second, OTHER_PASSWORD).await.status(), 404);
    // A request token has no such bond: its mail goes to the account's own mailbox, with a fresh reset token.
    assert_eq!(world.validate(&request).await.status(), 204);
    let fresh = reset_token_in(&world.last_mail());
    assert_eq!(world.complete(&fresh, OTHER_PASSWORD).await.status(), 204);
}

#[tokio::test]
async fn rule_4_a_change_by_the_operators_application_ends_all() {
    for in_seconds in [false, true] {
        let world = World::new().await;
        let token = world.reset_token(KNOWN).await;
        world.advance(1);
        let at = if in_seconds { world.now() / 1000 } else { world.now() };
        world.set_attribute(KNOWN, "password_changed_at", AttributeValue::N(at.to_string())).await;
        assert_eq!(world.validate(&token).await.status(), 404);
        assert_eq!(world.complete(&token, PASSWORD).await.status(), 404);
        assert!(!world.has_password(KNOWN, PASSWORD).await);
    }
}

#[tokio::test]
async fn rule_4_any_other_time_of_change_ends_all_whatever_its_value() {
    let number = |at: u64| Some(AttributeValue::N(at.to_string()));
    let world = World::new().await;
    let now = world.now();
    // The row's value when the token was issued, and later: an application whose clock is a minute slow, a table in seconds, a row that
    // was recreated without a time, a time that was set for the first time.
    for (before, after) in [
        (None, number(now - 60_000)),
        (number(now - 90_000), number(now - 60_000)),
        (number(now - 60_000), number(now - 90_000)),
        (number(now / 1000 - 90), number(now / 1000 - 60)),
        (number(now - 90_000), None),
        (number(0), None),
        (number(now - 90_000), number(0)),
        (Some(AttributeValue::Null(true)), None),
        (None, Some(AttributeValue::Null(true))),
    ] {
        let world = World::new().await;
        let set = |at: &Option<AttributeValue>| world.set_attribute(KNOWN, "password_changed_at", at.clone());
        set(&before).await;
        let token = world.reset_token(KNOWN).await;
        assert_eq!(world.validate(&token).await.status(), 204, "{before:?}");
        set(&after).await;
        assert_eq!(world.validate(&token).await.status(), 404, "{before:?} {after:?}");
        assert_eq!(world.complete(&token, PASSWORD).await.status(), 404, "{before:?} {after:?}");
        set(&before).await;
        assert_eq!(world.complete(&token, PASSWORD).await.status(), 204, "{before:?} again");
    }
}

#[tokio::test]
async fn rule_4_the_transaction_requires_the_time_of_change_that_was_read() {
    let world = World::builder().faulty(Service::DynamoDb).start().await;
    let at = 1_700_000_000_123_u64;
    for (before, after) in [(None, Some(at)), (Some(at), None), (Some(at), Some(at + 1))] {
        let number = |at: u64| AttributeValue::N(at.to_string());
        let set = |at: Option<u64>| world.set_attribute(KNOWN, "password_changed_at", at.map(number));
        set(before).await;
        let token = world.reset_token(KNOWN).await;
        let answer = world.complete_while(&token, set(after)).await;
        assert_eq!(answer.status(), 404, "{before:?} {after:?}");
        world.advance(61);
    }
}

#[tokio::test]
async fn rule_4_a_completion_writes_a_greater_time_in_the_unit_of_the_row() {
    let ahead = |world: &World, by: u64| world.now() + by;
    for in_seconds in [false, true] {
        let world = World::new().await;
        let unit = if in_seconds { 1000 } else { 1 };
        let stored = ahead(&world, 3_600_000) / unit;
        world.set_attribute(KNOWN, "password_changed_at", AttributeValue::N(stored.to_string())).await;
        let mail = Request::post("/auth/reset/password-email", &json!({"email": KNOWN}));
        assert_eq!(world.send(mail).await.status(), 200);
        let token = reset_token_in(&world.last_mail());
        assert_eq!(world.complete(&token, PASSWORD).await.status(), 204, "the mailed link works");
        let written = world.account(KNOWN).await["password_changed_at"].as_n().expect("a number").clone();
        assert!(written.parse::<u64>().expect("a number") > stored, "{written} {stored}");
    }
    let world = World::new().await;
    world.set_attribute(KNOWN, "password_changed_at", AttributeValue::N("0".to_owned())).await;
    world.reset_known().await;
    let written = world.account(KNOWN).await["password_changed_at"].as_n().expect("a number").clone();
    assert_eq!(written, world.now().to_string(), "zero has no unit, so milliseconds are written");
}

#[tokio::test]
async fn an_account_whose_time_of_change_is_far_in_the_future_can_be_reset() {
    let key = "back-end:validate:b8bb4c2e10165728f055f99593a0239b4dc54483a9e4ead3a457059ccaabae25";
    for (in_seconds, authorization) in [(false, None), (true, None), (false, Some("Bearer key-of-a-backend"))]
    {
        let world = World::with(&[("API_KEYS", key)]).await;
        let stored = (world.now() + 600_000) / if in_seconds { 1000 } else { 1 };
        world.set_attribute(KNOWN, "password_changed_at", AttributeValue::N(stored.to_string())).await;
        let token = world.request_token(KNOWN).await;
        let mut order = Request::post(VALIDATE, &json!({"token": token}));
        if let Some(authorization) = authorization {
            order = order.header("authorization", authorization);
        }
        assert_eq!(world.send(order).await.status(), 204);
        let token = reset_token_in(&world.last_mail());
        assert_eq!(world.complete(&token, PASSWORD).await.status(), 204, "the mailed link works");
    }
}

/// Two processes whose clocks differ by an hour, on one pair of tables.
#[tokio::test]
async fn rule_4_a_process_whose_clock_is_behind_keeps_the_order_of_changes() {
    let ahead = World::with(&NO_LIMITS).await;
    let behind = World::builder().settings(&NO_LIMITS).tables(ahead.tables()).start().await;
    ahead.advance(3_600);
    let superseded = [ahead.reset_token(KNOWN).await, behind.reset_token(KNOWN).await];
    let changed_at = async || {
        let account = ahead.account(KNOWN).await;
        account["password_changed_at"].as_n().expect("a number").parse::<u64>().expect("a number")
    };
    let last = ahead.reset_token(KNOWN).await;
    assert_eq!(ahead.complete(&last, PASSWORD).await.status(), 204);
    let mut before = changed_at().await;
    assert!(before > behind.now(), "this change lies in the other process's future");
    for token in &superseded {
        for world in [&ahead, &behind] {
            assert_eq!(world.complete(token, OTHER_PASSWORD).await.status(), 404);
        }
    }
    for world in [&behind, &ahead, &behind] {
        let token = world.reset_token(KNOWN).await;
        assert_eq!(world.validate(&token).await.status(), 204, "a new link works at once");
        assert_eq!(world.complete(&token, OTHER_PASSWORD).await.status(), 204);
        let after = changed_at().await;
        assert!(after > before, "{after} {before}");
        before = after;
    }
}

#[tokio::test]
async fn rule_4_a_token_of_a_deleted_account_is_dead() {
    let world = World::new().await;
    let token = world.reset_token(KNOWN).await;
    let delete = world.dynamodb.delete_item().table_name(local::dynamodb::ACCOUNTS_TABLE);
    delete.key("email", AttributeValue::S(KNOWN.to_owned())).send().await.expect("a delete");
    assert_eq!(world.complete(&token, PASSWORD).await.status(), 404);
    assert!(world.account_by("email", KNOWN).await.is_none(), "a deleted account is not created again");
}

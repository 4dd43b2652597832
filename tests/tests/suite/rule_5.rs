//! Rule 5, accounts are not disclosed: what callers without a key see is the same for every address.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use tests::errors::{COMPLETE, RESET};
use tests::{KNOWN, Request, Service, UNKNOWN, World};

#[tokio::test]
async fn rule_5_an_invalid_row_does_not_reveal_an_account() {
    let world = World::new().await;
    for at in ["2026-11-20T12:00", "soon"] {
        world.set_attribute(KNOWN, "password_changed_at", AttributeValue::S(at.to_owned())).await;
        let (known, unknown) = (world.request_token(KNOWN).await, world.request_token(UNKNOWN).await);
        assert_eq!(world.validate(&known).await, world.validate(&unknown).await);
        let mail = |address: &str| Request::post("/auth/reset/password-email", &json!({"email": address}));
        world.advance(61);
        assert_eq!(world.send(mail(KNOWN)).await, world.send(mail(UNKNOWN)).await);
        world.advance(61);
    }
    assert!(world.outbox.messages().is_empty(), "an invalid time of change is not treated as unchanged");
}

#[tokio::test]
async fn rule_5_reset_and_validate_make_the_same_calls_for_every_address() {
    let mut seen = Vec::new();
    for address in [KNOWN, UNKNOWN] {
        let world = World::builder().faulty(Service::DynamoDb).start().await;
        let token = world.request_token(address).await;
        world.proxy().disarm();
        let asked = Request::get(COMPLETE).query("token", &token);
        assert_eq!(world.send_only(asked).await.status(), 204);
        world.advance(61);
        let unleash = Request::post("/auth/reset/password-email", &json!({"email": address}));
        assert_eq!(world.send_only(unleash).await.status(), 200);
        let calls = world.proxy().calls();
        assert!(calls.iter().all(|call| !call.tables.contains(local::dynamodb::ACCOUNTS_TABLE)), "{calls:?}");
        // Concurrent calls may arrive in any order.
        let mut calls: Vec<String> = calls.iter().map(|call| format!("{call:?}")).collect();
        calls.sort();
        seen.push(calls);
    }
    assert_eq!(seen[0], seen[1]);
}

/// The answers that an anonymous caller gets in a series of calls with `address`.
async fn answers_for(world: &World, address: &str) -> Vec<(u64, String, BTreeMap<String, String>)> {
    let mut answers = Vec::new();
    let mut tokens = Vec::new();
    for _ in 0..3 {
        let opened = world.send(Request::post(RESET, &json!({"email": address}))).await;
        tokens.push(opened.json()["reset_token"].as_str().expect("a token").to_owned());
        answers.push(opened);
    }
    for _ in 0..5 {
        for token in &tokens {
            answers.push(world.validate(token).await);
            let call = Request::get(COMPLETE).query("token", token).query("email", address);
            answers.push(world.send(call).await);
        }
        answers
            .push(world.send(Request::post("/auth/reset/password-email", &json!({"email": address}))).await);
        world.advance(61);
    }
    answers
        .into_iter()
        .map(|answer| {
            let headers = serde_json::from_value(answer.response["headers"].clone()).expect("headers");
            let mut text = answer.text().to_owned();
            for token in &tokens {
                text = text.replace(token, "TOKEN");
            }
            (answer.status(), text, headers)
        })
        .collect()
}

#[tokio::test]
async fn rule_5_no_oracle_in_status_body_headers_and_throttling() {
    for settings in [&[][..], &[("MAIL_FROM", "unverified@rekey.example")]] {
        let (known, unknown) = (World::with(settings).await, World::with(settings).await);
        let (known, unknown) = (answers_for(&known, KNOWN).await, answers_for(&unknown, UNKNOWN).await);
        assert_eq!(known, unknown);
        assert!(known.iter().any(|(status, ..)| *status == 429), "the series must reach the limits");
    }
}

#[tokio::test]
async fn rule_5_no_oracle_in_what_is_stored() {
    let world = World::new().await;
    let mut shapes = Vec::new();
    for address in [KNOWN, UNKNOWN] {
        let before = world.token_rows().await;
        let token = world.request_token(address).await;
        world.validate(&token).await;
        let after = world.token_rows().await;
        let new = after.iter().filter(|(key, _)| !before.contains_key(*key));
        let mut shape: Vec<(String, Vec<String>)> = new
            .map(|(key, row)| {
                let mut names: Vec<String> = row.keys().cloned().collect();
                names.sort();
                (key.split('#').next().expect("a kind").to_owned(), names)
            })
            .collect();
        shape.sort();
        shapes.push(shape.into_iter().filter(|(kind, _)| kind != "limit").collect::<Vec<_>>());
    }
    // Only what the mail function writes differs, which no caller can see.
    for shape in &mut shapes {
        shape.retain(|(kind, _)| kind != "reset");
        for (_, names) in shape {
            names.retain(|name| name != "outcome");
        }
    }
    assert_eq!(shapes[0], shapes[1]);
    assert_eq!(world.outbox.messages().len(), 1);
}

#[tokio::test]
async fn rule_5_a_change_of_password_does_not_reveal_an_account() {
    let world = World::new().await;
    let mut statuses = Vec::new();
    for address in [KNOWN, UNKNOWN] {
        let token = world.request_token(address).await;
        if address == KNOWN {
            world.reset_known().await;
        }
        world.advance(61);
        statuses.push(world.validate(&token).await);
    }
    assert_eq!(statuses[0], statuses[1]);
}

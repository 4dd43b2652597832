//! Batches of orders: all are sent at the same time, and what becomes of one neither shows in the others nor stops them.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tests::proxy::{EVERY, Fault, nth};
use tests::world::completion;
use tests::{KNOWN, NO_LIMITS, PASSWORD, Request, Service, UNKNOWN, World, reset_token_in};
use tokio::time::Instant;

/// Longer than a claim lasts, in seconds.
const CLAIM_LAPSED: u64 = 31;

fn mail(address: &str) -> Request {
    Request::post("/auth/reset/password-email", &json!({"email": address}))
}

/// Orders mails, and leaves the orders in the stream.
async fn order(world: &World, addresses: &[&str]) {
    for address in addresses {
        assert_eq!(world.send_only(mail(address)).await.status(), 200);
    }
}

/// The warnings and outcomes of all orders in the log.
fn outcomes(world: &World) -> Vec<String> {
    let log = world.log();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter_map(|line| Some(line["MailOutcome"].as_str()?.to_owned())).collect()
}

#[tokio::test]
async fn rule_5_the_mails_of_a_batch_are_sent_at_the_same_time() {
    let world = World::builder().settings(&NO_LIMITS).faulty(Service::Ses).start().await;
    order(&world, &[KNOWN; 12]).await;
    let batch = world.next_batch().await.expect("a batch");
    assert_eq!(batch.event["Records"].as_array().map(Vec::len), Some(10), "as in the SAM template");
    world.proxy().inject(Fault::Delay(Duration::from_secs(1)), EVERY);
    let started = Instant::now();
    assert_eq!(world.deliver(&batch.event).await, json!({"batchItemFailures": []}));
    assert!(started.elapsed() < Duration::from_secs(5), "one after the other would take ten seconds");
    assert_eq!(world.outbox.messages().len(), 10);
    assert!(world.settle().await);
    assert_eq!(world.outbox.messages().len(), 12);
}

#[tokio::test]
async fn an_order_that_fails_keeps_no_other_of_its_batch_back() {
    let world = World::with(&NO_LIMITS).await;
    let (rejected, broken) = ("jweir@projectthanos.com", "user@someretailer.com");
    world.outbox.reject(rejected);
    let text = AttributeValue::S("yesterday".to_owned());
    world.set_attribute(broken, "password_changed_at", text).await;
    order(&world, &[rejected, KNOWN, UNKNOWN, broken, "some@one.com"]).await;
    let batch = world.next_batch().await.expect("a batch");
    for _ in 0..3 {
        // Delivered again, everything in it is done.
        assert_eq!(world.deliver(&batch.event).await, json!({"batchItemFailures": []}));
    }
    assert_eq!(world.outbox.messages().len(), 2);
    assert_eq!(world.dead_letters().len(), 2, "one entry each, however often the stream delivers them");
    let outcomes = outcomes(&world);
    let count = |name: &str| outcomes.iter().filter(|outcome| *outcome == name).count();
    assert_eq!((count("sent"), count("failed")), (2, 2), "{outcomes:?}");
}

#[tokio::test]
async fn the_records_to_deliver_again_are_those_that_ses_did_not_take() {
    let world = World::builder().settings(&NO_LIMITS).faulty(Service::Ses).start().await;
    order(&world, &[KNOWN; 6]).await;
    let batch = world.next_batch().await.expect("a batch");
    world.proxy().inject(Fault::Throttled, 2..5);
    let answer = world.deliver(&batch.event).await;
    let failed = answer["batchItemFailures"].as_array().expect("failures");
    assert_eq!((failed.len(), world.outbox.messages().len()), (3, 3), "{answer}");
    world.proxy().disarm();
    assert_eq!(world.deliver(&batch.event).await, json!({"batchItemFailures": []}));
    assert_eq!(world.outbox.messages().len(), 6, "one mail for each order");
}

#[tokio::test]
async fn rule_10_five_mails_that_ses_loses_lock_nobody_out() {
    let world = World::builder().settings(&NO_LIMITS).faulty(Service::Ses).start().await;
    world.proxy().inject(Fault::InternalError, 0..2);
    order(&world, &[KNOWN]).await;
    assert!(!world.settle().await && !world.settle().await, "sent again after each error");
    assert!(world.settle().await, "twice at the most");
    let token = reset_token_in(&world.last_mail());
    assert_eq!(world.complete(&token, PASSWORD).await.status(), 204);
    assert!(world.dead_letters().is_empty());
}

#[tokio::test]
async fn an_order_whose_row_is_gone_is_ignored() {
    let world = World::with(&NO_LIMITS).await;
    order(&world, &[KNOWN, KNOWN]).await;
    let gone: Vec<String> =
        world.token_rows().await.into_keys().filter(|key| key.starts_with("order#")).collect();
    world.delete_token_row(&gone[0]).await;
    assert!(world.settle().await, "it does not block others");
    assert_eq!((world.outbox.messages().len(), world.dead_letters().len()), (1, 0), "no mail was lost");
    assert_eq!(outcomes(&world), ["sent"]);
}

#[tokio::test]
async fn an_expired_order_is_one_dead_letter() {
    let world = World::with(&NO_LIMITS).await;
    order(&world, &[KNOWN]).await;
    let batch = world.next_batch().await.expect("a batch");
    world.advance(7_200);
    for _ in 0..3 {
        assert_eq!(world.deliver(&batch.event).await, json!({"batchItemFailures": []}));
    }
    assert_eq!((world.outbox.messages().len(), world.dead_letters().len()), (0, 1));
    assert_eq!(outcomes(&world), ["failed"]);
}

#[tokio::test]
async fn the_dead_letter_comes_before_the_outcome() {
    let world = World::builder().settings(&NO_LIMITS).faulty(Service::DynamoDb).start().await;
    world.outbox.reject(KNOWN);
    order(&world, &[KNOWN]).await;
    // The account, the claim, the token, the outcome: the process dies while it stores the outcome.
    world.deliver_and_die(3).await;
    assert_eq!(world.dead_letters().len(), 1);
    world.advance(CLAIM_LAPSED);
    assert!(world.settle().await);
}

#[tokio::test]
async fn a_queue_that_refuses_the_dead_letter_does_not_block_the_lane() {
    let world = World::with(&NO_LIMITS).await;
    world.outbox.reject(KNOWN);
    world.refuse_dead_letters(true);
    order(&world, &[KNOWN, "some@one.com"]).await;
    assert!(world.settle().await);
    assert_eq!((world.outbox.messages().len(), world.dead_letters().len()), (1, 0));
    let mut outcomes = outcomes(&world);
    outcomes.sort();
    assert_eq!(outcomes, ["failed", "sent"], "the failure is in the log");
}

#[tokio::test]
async fn a_claim_is_released_if_the_token_cannot_be_stored() {
    let world = World::builder().settings(&NO_LIMITS).faulty(Service::DynamoDb).start().await;
    order(&world, &[KNOWN]).await;
    world.proxy().inject(Fault::Denied, nth(2));
    assert!(!world.settle().await);
    world.proxy().disarm();
    assert!(world.settle().await, "at once: nobody holds the claim");
    assert_eq!(world.outbox.messages().len(), 1);
}

#[tokio::test]
async fn a_notice_is_dated_at_the_change_however_late_it_is_sent() {
    let mut texts = Vec::new();
    for late in [0, 3_600] {
        let world = World::new().await;
        let token = world.reset_token(KNOWN).await;
        world.advance(60);
        assert_eq!(world.send_only(completion(&token, PASSWORD)).await.status(), 204);
        world.advance(late);
        assert!(world.settle().await);
        texts.push(world.last_mail().text);
    }
    assert!(texts[0] == texts[1] && texts[0].contains("9:01"), "{texts:?}");
}

#[tokio::test]
async fn reply_to_and_configuration_set_reach_ses() {
    let settings = [("MAIL_REPLY_TO", "help@rekey.example"), ("MAIL_CONFIGURATION_SET", "rekey-mails")];
    let world = World::with(&settings).await;
    world.reset_token(KNOWN).await;
    let request = world.last_mail().request;
    assert_eq!(request["ReplyToAddresses"], json!(["help@rekey.example"]));
    assert_eq!(request["ConfigurationSetName"], "rekey-mails");
    assert_eq!(request["EmailTags"], json!([{"Name": "rekey-mail", "Value": "reset"}]));
    let plain = World::new().await;
    plain.reset_token(KNOWN).await;
    let request = plain.last_mail().request;
    assert!(
        request.get("ReplyToAddresses").is_none() && request.get("ConfigurationSetName").is_none(),
        "{request}"
    );
}

#[tokio::test]
async fn a_mail_in_a_strangers_language_says_in_the_operators_what_it_is() {
    let explained = "Somebody, hopefully you, asked";
    let key = "back-end:reset:b8bb4c2e10165728f055f99593a0239b4dc54483a9e4ead3a457059ccaabae25";
    for (headers, locale, is_explained) in [
        (vec![("accept-language", "tr")], None, true),
        (vec![("accept-language", "en")], None, false),
        (vec![], None, false),
        (vec![("accept-language", "tr")], Some("fr"), false),
        (vec![("accept-language", "tr"), ("authorization", "key-of-a-backend")], None, false),
    ] {
        let world = World::with(&[("API_KEYS", key)]).await;
        if let Some(locale) = locale {
            world.set_attribute(KNOWN, "locale", AttributeValue::S(locale.to_owned())).await;
        }
        let token = world.request_token_with(KNOWN, &headers).await;
        assert_eq!(world.validate(&token).await.status(), 204);
        let mail = world.last_mail();
        let in_english = locale.is_none() && !headers.contains(&("accept-language", "tr"));
        for part in [&mail.text, &mail.html] {
            let count = part.matches(explained).count();
            assert_eq!(count, usize::from(is_explained || in_english), "{headers:?} {locale:?} {part}");
        }
        assert_eq!(mail.html.contains(r#"lang="en" dir="ltr" style"#), is_explained);
    }
}

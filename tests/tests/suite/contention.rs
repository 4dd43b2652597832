//! Concurrent transactions on one item. The emulator would queue them; `DynamoDB` cancels all but one at once.

use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use tests::errors::COMPLETE;
use tests::world::completion;
use tests::{Answer, KNOWN, NO_LIMITS, OTHER_PASSWORD, PASSWORD, Request, Service, World};

const EACH: Duration = Duration::from_millis(10);

/// Sends all `requests` concurrently; returns the answers, whose statuses must be in `statuses`.
async fn send_concurrently(world: &World, requests: Vec<Request>, statuses: &[u64]) -> Vec<Answer> {
    let calls = requests.into_iter().map(|request| {
        let world = world.clone();
        tokio::spawn(async move { world.send_only(request).await })
    });
    let answers: Vec<Answer> =
        join_all(calls).await.into_iter().map(|answer| answer.expect("an answer")).collect();
    for answer in &answers {
        assert!(statuses.contains(&answer.status()), "{answer:?}");
        assert_eq!(
            answer.status() == 503 || answer.status() == 429,
            answer.retry_after().is_some(),
            "{answer:?}"
        );
    }
    world.settle().await;
    answers
}

fn count(answers: &[Answer], status: u64) -> usize {
    answers.iter().filter(|answer| answer.status() == status).count()
}

#[tokio::test]
async fn rule_3_of_fifty_conflicting_completions_exactly_one_wins() {
    let world = World::builder().settings(&NO_LIMITS).faulty(Service::DynamoDb).start().await;
    let token = world.reset_token(KNOWN).await;
    world.proxy().contend(EACH);
    let password = |number: usize| format!("{PASSWORD} number {number}");
    let answers = send_concurrently(
        &world,
        (0..50).map(|n| completion(&token, &password(n))).collect(),
        &[204, 404, 503],
    )
    .await;
    // On a slow machine even the winner may get 503: its transaction was applied, but the answer came too late.
    let mut won = Vec::new();
    for (number, answer) in answers.iter().enumerate() {
        if world.has_password(KNOWN, &password(number)).await {
            won.push(answer.status());
        }
    }
    assert!(won == [204] || won == [503], "{won:?}");
    assert!(count(&answers, 204) <= 1);
    assert_eq!(world.complete(&token, OTHER_PASSWORD).await.status(), 404);
    assert_eq!(world.outbox.messages().iter().filter(|mail| mail.subject.contains("was changed")).count(), 1);
}

#[tokio::test]
async fn many_conflicting_calls_for_one_request_send_one_mail() {
    let world = World::builder().faulty(Service::DynamoDb).start().await;
    let token = world.request_token(KNOWN).await;
    world.proxy().contend(EACH);
    let ask = || Request::get(COMPLETE).query("token", &token);
    let answers = send_concurrently(&world, (0..10).map(|_| ask()).collect(), &[204, 503]).await;
    assert!(count(&answers, 204) > 0);
    // A caller that got 503 tries again.
    assert_eq!(world.send(ask()).await.status(), 204);
    assert_eq!(world.outbox.messages().len(), 1);
}

#[tokio::test]
async fn rule_7_conflicts_do_not_cause_a_second_mail() {
    let settings = [("LIMIT_RESET_PER_IP", "0"), ("LIMIT_BAD_TOKEN_PER_IP", "0")];
    let world = World::builder().settings(&settings).faulty(Service::DynamoDb).start().await;
    let mut requests = Vec::new();
    for _ in 0..20 {
        requests.push(Request::get(COMPLETE).query("token", &world.request_token(KNOWN).await));
    }
    requests.extend((0..20).map(|_| Request::post("/auth/reset/password-email", &json!({"email": KNOWN}))));
    world.proxy().contend(EACH);
    let last = requests[0].clone();
    let answers = send_concurrently(&world, requests, &[200, 204, 429, 503]).await;
    assert!(count(&answers, 200) + count(&answers, 204) <= 1);
    // On a slow machine all may get 503, even one whose order was placed.
    assert!([204, 429].contains(&world.send(last).await.status()));
    assert_eq!(world.outbox.messages().len(), 1);
}

#[tokio::test]
async fn a_slow_transaction_succeeds_and_a_conflicting_call_gets_503() {
    let world = World::builder().faulty(Service::DynamoDb).start().await;
    let token = world.reset_token(KNOWN).await;
    world.proxy().disarm();
    // Longer than the attempt time-out: the first call retries while its own transaction is in progress.
    world.proxy().contend(Duration::from_secs(4));
    let slow = tokio::spawn({
        let (world, request) = (world.clone(), completion(&token, PASSWORD));
        async move { world.send_only(request).await }
    });
    let started = async {
        while !world.proxy().operations().iter().any(|operation| operation == "TransactWriteItems") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), started).await.expect("a transaction");
    let second = world.send_only(completion(&token, OTHER_PASSWORD)).await;
    assert_eq!((second.status(), second.retry_after().is_some()), (503, true), "{second:?}");
    assert_eq!(slow.await.expect("an answer").status(), 204);
    assert!(world.has_password(KNOWN, PASSWORD).await);
    assert_eq!(world.complete(&token, OTHER_PASSWORD).await.status(), 404, "the token is used");
}

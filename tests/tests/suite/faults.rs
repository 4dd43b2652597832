//! Injects every fault into every `DynamoDB` call of every step: the answer is correct and in time, no change is partial, and
//! without the fault the same request succeeds.

use std::time::Duration;

use anyhow::ensure;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use tests::proxy::{Calls, EVERY, Fault, nth};
use tests::step::{Step, with_every_fault_at_every_call};
use tests::{Answer, KNOWN, OTHER_PASSWORD, Request, Service, World, reset_token_in};
use tokio::time::Instant;

/// The maximum duration of an answer. API Gateway times out after 29 s (REST API) or 30 s (HTTP API).
const MAX_DURATION: Duration = Duration::from_secs(22);

async fn world() -> World {
    World::builder().faulty(Service::DynamoDb).start().await
}

#[tokio::test]
async fn each_step_makes_the_expected_number_of_calls() {
    for step in Step::ALL {
        let world = world().await;
        let request = step.prepare(&world).await;
        world.proxy().disarm();
        let answer = world.send_only(request).await;
        assert!(answer.status() < 300, "{step:?} {answer:?}");
        let operations = world.proxy().operations();
        assert_eq!(operations.len() as u64, step.calls(), "{step:?} {operations:?}");
    }
}

/// The SDK would draw idempotency tokens from a generator that it seeds in the process.
#[tokio::test]
async fn all_attempts_of_a_transaction_have_one_idempotency_token_drawn_from_the_functions_source() {
    for step in [Step::Mail, Step::Complete] {
        let world = world().await;
        let request = step.prepare(&world).await;
        let before = world.proxy().idempotency_tokens().len();
        world.proxy().inject(Fault::Conflict, 0..step.calls() + 1);
        let answer = world.send_only(request).await;
        assert!(answer.status() < 300, "{step:?} {answer:?}");
        let tokens = world.proxy().idempotency_tokens().split_off(before);
        assert!(tokens.len() > 1 && tokens.iter().all(|token| *token == tokens[0]), "{step:?} {tokens:?}");
        let drawn =
            world.drawn().iter().filter(|bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes) == tokens[0]).count();
        assert_eq!(drawn, 1, "{step:?}");
    }
}

/// The problem of a call that did not try again. On a busy machine the second attempt may come too late as well.
const FAILED_ONCE: &str = "failed, although a second attempt would have succeeded";

/// A cell whose only problem is [`FAILED_ONCE`] has three tries.
async fn attempt_thrice(step: Step, fault: Fault, calls: Calls) -> anyhow::Result<()> {
    for _ in 0..2 {
        let outcome = attempt(step, fault, calls.clone()).await;
        if outcome.as_ref().err().is_none_or(|problem| problem.to_string() != FAILED_ONCE) {
            return outcome;
        }
    }
    attempt(step, fault, calls).await
}

/// Runs one cell of the matrix; the error is the problem.
async fn attempt(step: Step, fault: Fault, calls: Calls) -> anyhow::Result<()> {
    let world = world().await;
    let request = step.prepare(&world).await;
    let mails_before = world.outbox.messages().len();
    world.proxy().inject(fault, calls.clone());
    let started = Instant::now();
    let answer = world.send_only(request.clone()).await;
    let took = started.elapsed();
    world.proxy().disarm();
    world.settle().await;
    // If the work is done but never answered, the outcome is unknown, and the caller gets 503.
    let is_answer_lost = matches!(fault, Fault::AnswerLost | Fault::Late(_));
    if is_answer_lost && calls.end == EVERY.end && answer.status() == 503 {
        if let Fault::Late(by) = fault {
            tokio::time::sleep(by).await;
        }
        return retry_after_unknown_outcome(step, &world, request).await;
    }
    check(step, &world, &answer, took, mails_before).await?;
    retry(step, &world, request, &answer, mails_before).await?;
    let must_succeed = calls == nth(calls.start) && fault.is_retried();
    ensure!(!must_succeed || answer.status() < 300, FAILED_ONCE);
    Ok(())
}

/// Checks the answer with the fault, and the state after it.
async fn check(
    step: Step,
    world: &World,
    answer: &Answer,
    took: Duration,
    mails_before: usize,
) -> anyhow::Result<()> {
    let succeeded = answer.status() < 300;
    ensure!(took <= MAX_DURATION, "took {took:?}");
    let is_retryable = answer.status() == 503 && answer.retry_after().is_some();
    ensure!(succeeded || is_retryable, "{answer:?}");
    let mails = world.outbox.messages().len() - mails_before;
    let is_consistent = !step.mails() || mails == usize::from(succeeded);
    ensure!(is_consistent, "{mails} mails after {}", answer.status());
    if step.completes() {
        let set = world.has_password(KNOWN, OTHER_PASSWORD).await;
        ensure!(set == succeeded, "{}, but password set: {set}", answer.status());
    }
    Ok(())
}

/// Checks the next attempt, without the fault.
async fn retry(
    step: Step,
    world: &World,
    request: Request,
    first: &Answer,
    mails_before: usize,
) -> anyhow::Result<()> {
    if first.status() < 300 {
        return Ok(());
    }
    let second = world.send(request).await;
    ensure!(second.status() < 300, "the next attempt: {second:?}");
    let mails = world.outbox.messages().len() - mails_before;
    let expected = usize::from(step.mails() || step.completes());
    ensure!(mails == expected, "{mails} mails after the next attempt, not {expected}");
    if step.mails() {
        let completed = world.complete(&reset_token_in(&world.last_mail()), OTHER_PASSWORD).await;
        ensure!(completed.status() == 204, "the mailed token does not work");
    }
    Ok(())
}

/// The write may have been done. Then the password is set, or the mail can be ordered again a minute later.
async fn retry_after_unknown_outcome(step: Step, world: &World, request: Request) -> anyhow::Result<()> {
    world.advance(61);
    let second = world.send(request).await;
    if step.completes() && world.account(KNOWN).await.contains_key("password_hash") {
        let is_set = world.has_password(KNOWN, OTHER_PASSWORD).await;
        ensure!(is_set, "another password is set");
        return Ok(());
    }
    ensure!(second.status() < 300, "a minute later: {second:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_every_fault_at_every_call_the_answer_is_correct_and_a_retry_succeeds() {
    let steps = Step::ALL.map(|step| (step, step.calls()));
    with_every_fault_at_every_call("combinations of step, fault and call", steps, attempt_thrice).await;
}

#[tokio::test]
async fn a_completion_whose_answer_was_lost_succeeds() {
    let world = world().await;
    let request = Step::Complete.prepare(&world).await;
    world.proxy().inject(Fault::AnswerLost, nth(2));
    assert_eq!(world.send(request).await.status(), 204);
    assert!(world.has_password(KNOWN, OTHER_PASSWORD).await);
    let operations = world.proxy().operations();
    let transactions = operations.iter().filter(|operation| *operation == "TransactWriteItems");
    assert_eq!(transactions.count(), 3, "including that of the mail order");
}

/// The first answer is lost, the SDK's retry conflicts with its own transaction, and the next retry finds the work done.
async fn with_lost_answer_and_conflict(step: Step) -> World {
    let world = world().await;
    let request = step.prepare(&world).await;
    world.proxy().inject(Fault::AnswerLost, nth(step.calls() - 1));
    world.proxy().inject(Fault::Conflict, nth(step.calls()));
    let answer = world.send(request).await;
    assert!(answer.status() < 300, "{step:?} {answer:?}");
    world
}

#[tokio::test]
async fn a_completion_that_conflicts_with_itself_succeeds() {
    for step in [Step::Complete, Step::UnleashComplete] {
        let world = with_lost_answer_and_conflict(step).await;
        assert!(world.has_password(KNOWN, OTHER_PASSWORD).await, "{step:?}");
    }
}

#[tokio::test]
async fn a_mail_order_that_conflicts_with_itself_is_sent() {
    for step in [Step::Mail, Step::UnleashMail] {
        assert_eq!(with_lost_answer_and_conflict(step).await.outbox.messages().len(), 1, "{step:?}");
    }
}

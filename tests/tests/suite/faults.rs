//! Injects every fault into every `DynamoDB` call of every step: the answer is correct and in time, no change is partial, and
//! without the fault the same request succeeds.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use tests::proxy::{Fault, Proxy};
use tests::size;
use tests::step::{Step, run_all};
use tests::{Answer, KNOWN, OTHER_PASSWORD, Request, World, reset_token_in};
use tokio::time::Instant;

/// The maximum duration of an answer. API Gateway times out after 29 s (REST API) or 30 s (HTTP API).
const MAX_DURATION: Duration = Duration::from_secs(22);

async fn world() -> (World, Proxy) {
    World::behind_a_proxy(&[]).await
}

#[tokio::test]
async fn each_step_makes_the_expected_number_of_calls() {
    for step in Step::ALL {
        let (world, proxy) = world().await;
        let request = step.prepare(&world).await;
        proxy.disarm();
        let answer = world.send_only(request).await;
        assert!(answer.status() < 300, "{step:?} {answer:?}");
        assert_eq!(proxy.operations().len() as u64, step.calls(), "{step:?} {:?}", proxy.operations());
    }
}

/// The SDK would draw idempotency tokens from a generator that it seeds in the process.
#[tokio::test]
async fn all_attempts_of_a_transaction_have_one_idempotency_token_drawn_from_the_functions_source() {
    for step in [Step::Mail, Step::Complete] {
        let (world, proxy) = world().await;
        let request = step.prepare(&world).await;
        let before = proxy.idempotency_tokens().len();
        proxy.arm(Fault::Conflict, 0, step.calls() + 1);
        let answer = world.send_only(request).await;
        assert!(answer.status() < 300, "{step:?} {answer:?}");
        let tokens = proxy.idempotency_tokens().split_off(before);
        assert!(tokens.len() > 1 && tokens.iter().all(|token| *token == tokens[0]), "{step:?} {tokens:?}");
        let drawn =
            world.drawn().iter().filter(|bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes) == tokens[0]).count();
        assert_eq!(drawn, 1, "{step:?}");
    }
}

/// Runs one cell of the matrix; returns the problem, if there is one.
async fn attempt(step: Step, fault: Fault, call: u64, times: u64) -> Option<String> {
    let (world, proxy) = world().await;
    let request = step.prepare(&world).await;
    let mails_before = world.outbox.messages().len();
    proxy.arm(fault, call, times);
    let started = Instant::now();
    let answer = world.send_only(request.clone()).await;
    let took = started.elapsed();
    proxy.disarm();
    world.settle().await;
    // If the work is done but never answered, the outcome is unknown, and the caller gets 503.
    let is_answer_lost = matches!(fault, Fault::AnswerLost | Fault::Late(_));
    let problem = if is_answer_lost && times == u64::MAX && answer.status() == 503 {
        if let Fault::Late(by) = fault {
            tokio::time::sleep(by).await;
        }
        retry_after_unknown_outcome(step, &world, request).await
    } else {
        match check(step, &world, &answer, took, mails_before).await {
            None => retry(step, &world, request, &answer, mails_before).await,
            some => some,
        }
    };
    let must_succeed = times == 1 && fault.is_retried();
    let problem =
        problem.or_else(|| (must_succeed && answer.status() >= 300).then(|| FAILED_ONCE.to_owned()));
    problem.map(|problem| format!("{step:?} with {fault:?} at call {call}, {times} times: {problem}"))
}

/// The problem of a call that did not try again. On a busy machine the second attempt may come too late as well.
const FAILED_ONCE: &str = "failed, although a second attempt would have succeeded";

/// A cell whose only problem is [`FAILED_ONCE`] has three tries.
async fn attempt_thrice(step: Step, fault: Fault, call: u64, times: u64) -> Option<String> {
    for _ in 0..2 {
        let problem = attempt(step, fault, call, times).await;
        if !problem.as_ref().is_some_and(|problem| problem.ends_with(FAILED_ONCE)) {
            return problem;
        }
    }
    attempt(step, fault, call, times).await
}

/// Checks the answer with the fault, and the state after it.
async fn check(
    step: Step,
    world: &World,
    answer: &Answer,
    took: Duration,
    mails_before: usize,
) -> Option<String> {
    let succeeded = answer.status() < 300;
    if took > MAX_DURATION {
        return Some(format!("took {took:?}"));
    }
    if !succeeded && (answer.status() != 503 || answer.retry_after().is_none()) {
        return Some(format!("{answer:?}"));
    }
    let mails = world.outbox.messages().len() - mails_before;
    if step.mails() && mails != usize::from(succeeded) {
        return Some(format!("{mails} mails after {}", answer.status()));
    }
    if step.completes() {
        let set = world.account(KNOWN).await.contains_key("password_hash")
            && world.has_password(KNOWN, OTHER_PASSWORD).await;
        if set != succeeded {
            return Some(format!("{}, but password set: {set}", answer.status()));
        }
    }
    None
}

/// Checks the next attempt, without the fault.
async fn retry(
    step: Step,
    world: &World,
    request: Request,
    first: &Answer,
    mails_before: usize,
) -> Option<String> {
    if first.status() < 300 {
        return None;
    }
    let second = world.send(request).await;
    if second.status() >= 300 {
        return Some(format!("the next attempt: {second:?}"));
    }
    let mails = world.outbox.messages().len() - mails_before;
    let expected = usize::from(step.mails() || step.completes());
    if mails != expected {
        return Some(format!("{mails} mails after the next attempt, not {expected}"));
    }
    if step.mails() && !world.has_password(KNOWN, OTHER_PASSWORD).await {
        let token = reset_token_in(&world.last_mail());
        if world.complete(&token, OTHER_PASSWORD).await.status() != 204 {
            return Some("the mailed token does not work".to_owned());
        }
    }
    None
}

/// The write may have been done. Then the password is set, or the mail can be ordered again a minute later.
async fn retry_after_unknown_outcome(step: Step, world: &World, request: Request) -> Option<String> {
    world.advance(61);
    let second = world.send(request).await;
    if step.completes() && world.account(KNOWN).await.contains_key("password_hash") {
        return (!world.has_password(KNOWN, OTHER_PASSWORD).await)
            .then(|| "another password is set".to_owned());
    }
    (second.status() >= 300).then(|| format!("a minute later: {second:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_every_fault_at_every_call_the_answer_is_correct_and_a_retry_succeeds() {
    let mut groups = Vec::new();
    for step in Step::ALL {
        for fault in Fault::ALL {
            // Once: the SDK's retries succeed. Three times: they fail, but later operations work. Always: every call fails.
            let calls =
                (0..step.calls()).flat_map(|call| [1, 3, u64::MAX].map(|times| (step, fault, call, times)));
            groups.push(calls.collect());
        }
    }
    run_all(size::cells("combinations of step, fault and call", groups), |(step, fault, call, times)| {
        attempt_thrice(step, fault, call, times)
    })
    .await;
}

#[tokio::test]
async fn a_completion_whose_answer_was_lost_succeeds() {
    let (world, proxy) = world().await;
    let request = Step::Complete.prepare(&world).await;
    proxy.arm(Fault::AnswerLost, 2, 1);
    assert_eq!(world.send(request).await.status(), 204);
    assert!(world.has_password(KNOWN, OTHER_PASSWORD).await);
    assert_eq!(
        proxy.operations().iter().filter(|operation| *operation == "TransactWriteItems").count(),
        3,
        "including that of the mail order"
    );
}

/// The first answer is lost, the SDK's retry conflicts with its own transaction, and the next retry finds the work done.
const LOST_THEN_CONFLICT: [Fault; 2] = [Fault::AnswerLost, Fault::Conflict];

async fn with_lost_answer_and_conflict(step: Step) -> World {
    let (world, proxy) = world().await;
    let request = step.prepare(&world).await;
    proxy.arm_each(&LOST_THEN_CONFLICT, step.calls() - 1);
    let answer = world.send(request).await;
    assert!(answer.status() < 300, "{step:?} {answer:?}");
    world
}

#[tokio::test]
async fn a_completion_that_conflicts_with_itself_succeeds() {
    for step in [Step::Complete, Step::UnleashComplete] {
        assert!(
            with_lost_answer_and_conflict(step).await.has_password(KNOWN, OTHER_PASSWORD).await,
            "{step:?}"
        );
    }
}

#[tokio::test]
async fn a_mail_order_that_conflicts_with_itself_is_sent() {
    for step in [Step::Mail, Step::UnleashMail] {
        assert_eq!(with_lost_answer_and_conflict(step).await.outbox.messages().len(), 1, "{step:?}");
    }
}

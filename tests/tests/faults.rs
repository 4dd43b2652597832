//! Every call that a function makes to `DynamoDB`, times every fault, once and for good: the answer is right and in time, nothing
//! is half-done, and once the fault is gone the same call succeeds.

#![recursion_limit = "256"]

use std::time::Duration;

use tests::proxy::{Fault, Proxy};
use tests::step::{Step, try_all};
use tests::{Answer, KNOWN, OTHER_PASSWORD, Request, World, reset_token_in};
use tokio::time::Instant;

/// Longer than any answer may take: API Gateway gives up after 29 seconds.
const IN_TIME: Duration = Duration::from_secs(22);

async fn world() -> (World, Proxy) {
    World::behind_a_proxy(&[]).await
}

#[tokio::test]
async fn the_steps_make_the_calls_that_this_test_thinks_they_make() {
    for step in Step::ALL {
        let (world, proxy) = world().await;
        let request = step.prepare(&world).await;
        proxy.disarm();
        let answer = world.send_only(request).await;
        assert!(answer.status() < 300, "{step:?} {answer:?}");
        assert_eq!(proxy.operations().len() as u64, step.calls(), "{step:?} {:?}", proxy.operations());
    }
}

/// One cell of the matrix; what went wrong in it.
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
    // Where the work is done and no answer ever comes back, nobody can know; the caller is told to try again.
    let lost = matches!(fault, Fault::CutAfterTheWork | Fault::Late(_));
    let problem = if lost && times == u64::MAX && answer.status() == 503 {
        if let Fault::Late(by) = fault {
            tokio::time::sleep(by).await;
        }
        after_the_unknowable(step, &world, request).await
    } else {
        match check(step, &world, &answer, took, mails_before).await {
            None => afterwards(step, &world, request, &answer, mails_before).await,
            some => some,
        }
    };
    problem.map(|problem| format!("{step:?} with {fault:?} at call {call}, {times} times: {problem}"))
}

/// The answer under the fault, and the state right after it.
async fn check(
    step: Step,
    world: &World,
    answer: &Answer,
    took: Duration,
    mails_before: usize,
) -> Option<String> {
    let succeeded = answer.status() < 300;
    if took > IN_TIME {
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
            return Some(format!("{} and yet the password is set: {set}", answer.status()));
        }
    }
    None
}

/// The next try, when all is well again.
async fn afterwards(
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
        return Some(format!("the next try answers {second:?}"));
    }
    let mails = world.outbox.messages().len() - mails_before;
    let expected = usize::from(step.mails() || step.completes());
    if mails != expected {
        return Some(format!("{mails} mails after the next try, and not {expected}"));
    }
    if step.mails() && !world.has_password(KNOWN, OTHER_PASSWORD).await {
        let token = reset_token_in(&world.last_mail());
        if world.complete(&token, OTHER_PASSWORD).await.status() != 204 {
            return Some("the mailed token does not work".to_owned());
        }
    }
    None
}

/// The write may have been done: then a completion has happened, and a mail can be had a minute later.
async fn after_the_unknowable(step: Step, world: &World, request: Request) -> Option<String> {
    world.advance(61);
    let second = world.send(request).await;
    if step.completes() && world.account(KNOWN).await.contains_key("password_hash") {
        return (!world.has_password(KNOWN, OTHER_PASSWORD).await)
            .then(|| "another password is set".to_owned());
    }
    (second.status() >= 300).then(|| format!("a minute later: {second:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_times_every_fault_is_answered_rightly_and_can_be_tried_again() {
    let mut cells = Vec::new();
    for step in Step::ALL {
        for fault in Fault::ALL {
            for call in 0..step.calls() {
                // Once: the SDK's retries hide it. Thrice: they do not; for the one operation alone. For good: nothing works.
                cells.extend([1, 3, u64::MAX].map(|times| (step, fault, call, times)));
            }
        }
    }
    try_all(cells, |(step, fault, call, times)| attempt(step, fault, call, times)).await;
}

#[tokio::test]
async fn a_win_whose_answer_was_lost_is_still_a_win() {
    let (world, proxy) = world().await;
    let request = Step::Complete.prepare(&world).await;
    proxy.arm(Fault::CutAfterTheWork, 2, 1);
    assert_eq!(world.send(request).await.status(), 204);
    assert!(world.has_password(KNOWN, OTHER_PASSWORD).await);
    assert_eq!(
        proxy.operations().iter().filter(|operation| *operation == "TransactWriteItems").count(),
        3,
        "with the mail's"
    );
}

/// The first answer is lost, the SDK's repeat meets its own transaction, and the next one finds the work done.
const LOST_AND_MET_ITSELF: [Fault; 2] = [Fault::CutAfterTheWork, Fault::Conflict];

async fn lost_and_met_itself(step: Step) -> World {
    let (world, proxy) = world().await;
    let request = step.prepare(&world).await;
    proxy.arm_each(&LOST_AND_MET_ITSELF, step.calls() - 1);
    let answer = world.send(request).await;
    assert!(answer.status() < 300, "{step:?} {answer:?}");
    world
}

#[tokio::test]
async fn a_win_that_met_itself_is_still_a_win() {
    for step in [Step::Complete, Step::UnleashComplete] {
        assert!(lost_and_met_itself(step).await.has_password(KNOWN, OTHER_PASSWORD).await, "{step:?}");
    }
}

#[tokio::test]
async fn a_mail_whose_claim_met_itself_still_leaves() {
    for step in [Step::Mail, Step::UnleashMail] {
        assert_eq!(lost_and_met_itself(step).await.outbox.messages().len(), 1, "{step:?}");
    }
}

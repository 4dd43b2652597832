//! Injects every fault into the SES call of every step: the caller's answer is the same; what SES certainly did not accept is sent once
//! the fault is gone; what it may have accepted is sent again, twice at the most; and a minute later the same request sends a working mail.

use anyhow::ensure;
use serde_json::Value;
use tests::proxy::{Calls, EVERY, Fault, nth};
use tests::size;
use tests::step::{Step, run_all};
use tests::{KNOWN, NO_LIMITS, OTHER_PASSWORD, Request, Service, World, reset_token_in};
use tokio::net::{TcpListener, TcpSocket};

/// The steps that end with a mail.
const STEPS: [Step; 4] = [Step::Mail, Step::UnleashMail, Step::Complete, Step::UnleashComplete];

/// What is expected of a fault of SES.
#[derive(PartialEq)]
enum Expected {
    /// The mail is sent.
    Sent,
    /// SES certainly did not accept it: tried again until it does.
    NotSent,
    /// SES may have accepted it: tried again twice. Whether it did.
    Uncertain(bool),
}

fn expected(fault: Fault) -> Expected {
    match fault {
        Fault::Throttled | Fault::ThrottlingException | Fault::Denied => Expected::NotSent,
        // The proxy forwarded both the request and the answer.
        Fault::Delay(_) | Fault::Held | Fault::Conflict | Fault::ConflictWithFailedCondition => {
            Expected::Sent
        }
        Fault::AnswerLost | Fault::Late(_) => Expected::Uncertain(true),
        Fault::ConnectionClosed | Fault::Hang | Fault::InternalError | Fault::Garbage => {
            Expected::Uncertain(false)
        }
    }
}

/// The outcome in the last line of the mail function's log.
fn last_outcome(world: &World) -> String {
    let log = world.log();
    let line = log.lines().rfind(|line| line.contains("MailOutcome\":")).unwrap_or_default();
    assert!(!line.contains('@'), "{line}");
    let line: Value = serde_json::from_str(line).expect("JSON");
    line["MailOutcome"].as_str().expect("an outcome").to_owned()
}

/// Runs one cell of the matrix; the error is the problem.
async fn attempt(step: Step, fault: Fault, calls: Calls) -> anyhow::Result<()> {
    let world = World::builder().settings(&NO_LIMITS).faulty(Service::Ses).start().await;
    let request = step.prepare(&world).await;
    let before = world.outbox.messages().len();
    let mails = || world.outbox.messages().len() - before;
    world.proxy().inject(fault, calls.clone());
    let answer = world.send_only(request.clone()).await;
    ensure!(answer.status() < 300, "{answer:?}");
    let is_delivered = world.settle().await;
    let expected = expected(fault);
    let outcome = if expected == Expected::Sent { "sent" } else { "delayed" };
    let is_expected = is_delivered == (expected == Expected::Sent) && last_outcome(&world) == outcome;
    ensure!(is_expected, "delivered: {is_delivered}, {}", last_outcome(&world));
    // With the fault for ever: three attempts in all, then the order is given up. Otherwise the next one succeeds.
    let fails = calls == EVERY && matches!(expected, Expected::Uncertain(_));
    ensure!(!fails || !world.settle().await, "given up after two attempts");
    if !fails {
        world.proxy().disarm();
    }
    let is_last = world.settle().await && (last_outcome(&world) == "failed") == fails;
    ensure!(is_last, "the last attempt: {}", last_outcome(&world));
    let accepted = match expected {
        Expected::Sent | Expected::NotSent | Expected::Uncertain(false) => usize::from(!fails),
        Expected::Uncertain(true) if fails => 3,
        Expected::Uncertain(true) => 2,
    };
    let dead = world.dead_letters();
    let is_counted = mails() == accepted && dead.len() == usize::from(fails);
    ensure!(is_counted, "{} mails, dead letters: {dead:?}", mails());
    world.proxy().disarm();
    retry(step, &world, request).await
}

/// Checks the next attempt, without the fault.
async fn retry(step: Step, world: &World, request: Request) -> anyhow::Result<()> {
    if step.completes() {
        let set = world.has_password(KNOWN, OTHER_PASSWORD).await;
        ensure!(set, "the password is not set");
        return Ok(());
    }
    world.advance(61);
    let before = world.outbox.messages().len();
    let second = world.send(request).await;
    let is_mailed = second.status() < 300 && world.outbox.messages().len() == before + 1;
    ensure!(is_mailed, "a minute later: {second:?}");
    let token = reset_token_in(&world.last_mail());
    let completed = world.complete(&token, OTHER_PASSWORD).await;
    ensure!(completed.status() == 204, "the mailed token: {completed:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_10_with_every_fault_of_ses_the_caller_gets_the_same_answer_and_the_mail() {
    let faults = Fault::ALL.into_iter().flat_map(|fault| [nth(0), EVERY].map(|calls| (fault, calls)));
    let groups = faults.map(|(fault, calls)| STEPS.map(|step| (step, fault, calls.clone())).into()).collect();
    let cells = size::cells("combinations of fault of SES and step", groups);
    run_all(cells, |(step, fault, calls)| attempt(step, fault, calls)).await;
}

#[tokio::test]
async fn a_mail_is_retried_if_the_tls_handshake_with_ses_hangs() {
    // The system accepts connections, and nothing answers.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let ses = format!("https://{}", listener.local_addr().expect("an address"));
    let world = World::builder().settings(&NO_LIMITS).ses_at(&ses).start().await;
    let token = world.request_token(KNOWN).await;
    assert_eq!(world.validate(&token).await.status(), 204);
    assert!(!world.settle().await, "the order stays in the stream");
    assert!(world.log().contains("\"MailOutcome\":\"delayed\""), "{}", world.log());
}

#[tokio::test]
async fn a_mail_that_failed_without_a_connection_is_sent_later() {
    // Bound but not listening: connections are refused, and no other process gets the port.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let ses = format!("http://{}", socket.local_addr().expect("an address"));
    let world = World::builder().settings(&NO_LIMITS).ses_at(&ses).start().await;
    let token = world.request_token(KNOWN).await;
    assert_eq!(world.validate(&token).await.status(), 204);
    for _ in 0..3 {
        assert!(!world.settle().await, "the order stays in the stream");
    }
    assert!(world.log().contains("\"MailOutcome\":\"delayed\""), "{}", world.log());
    let listener = socket.listen(16).expect("the port");
    tokio::spawn(axum::serve(listener, world.outbox.clone().router()).into_future());
    assert!(world.settle().await);
    assert_eq!(world.outbox.messages().len(), 1);
    assert_eq!(world.complete(&reset_token_in(&world.last_mail()), OTHER_PASSWORD).await.status(), 204);
}

//! Injects every fault into the SES call of every step: the caller's answer is the same; what SES certainly did not accept is sent once
//! the fault is gone; what it may have accepted is sent again, twice at the most; and a minute later the same request sends a working mail.

use serde_json::Value;
use tests::proxy::Fault;
use tests::size;
use tests::step::{Step, run_all};
use tests::{KNOWN, OTHER_PASSWORD, Request, World, reset_token_in};
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
        Fault::Delay(_) | Fault::Conflict | Fault::ConflictWithFailedCondition => Expected::Sent,
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
async fn attempt(step: Step, fault: Fault, times: u64) -> Result<(), String> {
    let (world, proxy) = World::with_ses_behind_a_proxy().await;
    let request = step.prepare(&world).await;
    let before = world.outbox.messages().len();
    let mails = || world.outbox.messages().len() - before;
    proxy.arm(fault, 0, times);
    let answer = world.send_only(request.clone()).await;
    if answer.status() >= 300 {
        return Err(format!("{answer:?}"));
    }
    let is_delivered = world.settle().await;
    let expected = expected(fault);
    let outcome = if expected == Expected::Sent { "sent" } else { "delayed" };
    if is_delivered != (expected == Expected::Sent) || last_outcome(&world) != outcome {
        return Err(format!("delivered: {is_delivered}, {}", last_outcome(&world)));
    }
    // With the fault for ever: three attempts in all, then the order is given up. Otherwise the next one succeeds.
    let fails = times == u64::MAX && matches!(expected, Expected::Uncertain(_));
    if fails && world.settle().await {
        return Err("given up after two attempts".to_owned());
    }
    if !fails {
        proxy.disarm();
    }
    if !world.settle().await || (last_outcome(&world) == "failed") != fails {
        return Err(format!("the last attempt: {}", last_outcome(&world)));
    }
    let accepted = match expected {
        Expected::Sent | Expected::NotSent | Expected::Uncertain(false) => usize::from(!fails),
        Expected::Uncertain(true) if fails => 3,
        Expected::Uncertain(true) => 2,
    };
    if mails() != accepted || world.dead_letters().len() != usize::from(fails) {
        return Err(format!("{} mails, dead letters: {:?}", mails(), world.dead_letters()));
    }
    proxy.disarm();
    retry(step, &world, request).await
}

/// Checks the next attempt, without the fault.
async fn retry(step: Step, world: &World, request: Request) -> Result<(), String> {
    if step.completes() {
        let set = world.has_password(KNOWN, OTHER_PASSWORD).await;
        return if set { Ok(()) } else { Err("the password is not set".to_owned()) };
    }
    world.advance(61);
    let before = world.outbox.messages().len();
    let second = world.send(request).await;
    if second.status() >= 300 || world.outbox.messages().len() != before + 1 {
        return Err(format!("a minute later: {second:?}"));
    }
    let token = reset_token_in(&world.last_mail());
    let completed = world.complete(&token, OTHER_PASSWORD).await;
    if completed.status() == 204 { Ok(()) } else { Err(format!("the mailed token: {completed:?}")) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_10_with_every_fault_of_ses_the_caller_gets_the_same_answer_and_the_mail() {
    let mut groups = Vec::new();
    for fault in Fault::ALL {
        for times in [1, u64::MAX] {
            groups.push(STEPS.map(|step| (step, fault, times)).into());
        }
    }
    run_all(
        size::cells("combinations of fault of SES and step", groups),
        |(step, fault, times)| async move {
            let problem = attempt(step, fault, times).await.err()?;
            Some(format!("{step:?} with {fault:?}, {times} times: {problem}"))
        },
    )
    .await;
}

#[tokio::test]
async fn a_mail_is_retried_if_the_tls_handshake_with_ses_hangs() {
    // The system accepts connections, and nothing answers.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let world = World::with_ses_at(&format!("https://{}", listener.local_addr().expect("an address"))).await;
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
    let address = socket.local_addr().expect("an address");
    let world = World::with_ses_at(&format!("http://{address}")).await;
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

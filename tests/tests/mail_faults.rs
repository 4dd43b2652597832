//! Every call that the mail function makes to SES, times every fault, once and for good: the caller's answer is the same; what SES
//! surely did not take is sent when all is well again; nobody gets a second mail; and a minute later the same request brings a mail that
//! works.

#![recursion_limit = "256"]

use tests::proxy::Fault;
use tests::step::{Step, try_all};
use tests::{KNOWN, OTHER_PASSWORD, Request, World, reset_token_in};
use tokio::net::TcpSocket;

/// The steps that end with a mail.
const STEPS: [Step; 4] = [Step::Mail, Step::UnleashMail, Step::Complete, Step::UnleashComplete];

/// What must become of an order whose mail meets `fault`: how many mails have left, and what the log says.
fn fate(fault: Fault) -> (usize, &'static str) {
    match fault {
        // Surely not taken, and it concerns every mail.
        Fault::Throttled | Fault::ThrottlingException | Fault::Denied => (0, "delayed"),
        // The proxy took the work to SES, and SES's answer back.
        Fault::Delay(_) | Fault::Conflict | Fault::ConflictHalfWay => (1, "sent"),
        // Nobody can know whether SES took it, and here it did.
        Fault::CutAfterTheWork | Fault::Late(_) => (1, "failed"),
        // Nobody can know, and here it did not.
        Fault::Refused | Fault::Hang | Fault::InternalError | Fault::Garbage => (0, "failed"),
    }
}

/// One cell of the matrix; what went wrong in it.
async fn attempt(step: Step, fault: Fault, times: u64) -> Result<(), String> {
    let (world, proxy) = World::with_ses_behind_a_proxy().await;
    let request = step.prepare(&world).await;
    let before = world.outbox.messages().len();
    proxy.arm(fault, 0, times);
    let answer = world.send_only(request.clone()).await;
    if answer.status() >= 300 {
        return Err(format!("{answer:?}"));
    }
    let delivered = world.settle().await;
    let (mails, told) = fate(fault);
    let seen = world.outbox.messages().len() - before;
    if seen != mails || delivered != (told != "delayed") {
        return Err(format!("{seen} mails, delivered: {delivered}"));
    }
    let log = world.log();
    let event = log.lines().rfind(|line| line.contains("MailOutcome\":")).unwrap_or_default();
    if !event.contains(&format!("\"MailOutcome\":\"{told}\"")) || event.contains('@') {
        return Err(format!("the log says {event}"));
    }
    if world.dead_letters().len() != usize::from(told == "failed") {
        return Err(format!("dead letters: {:?}", world.dead_letters()));
    }
    proxy.disarm();
    let delivered = world.settle().await;
    let seen = world.outbox.messages().len() - before;
    if !delivered || seen != mails.max(usize::from(told == "delayed")) {
        return Err(format!("{seen} mails when all is well again, delivered: {delivered}"));
    }
    afterwards(step, &world, request).await
}

/// When all is well again.
async fn afterwards(step: Step, world: &World, request: Request) -> Result<(), String> {
    if step.completes() {
        let set = world.has_password(KNOWN, OTHER_PASSWORD).await;
        return if set { Ok(()) } else { Err("a lost notice undid the password".to_owned()) };
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
async fn rule_10_every_mail_times_every_fault_is_at_most_one_mail_and_never_the_callers_trouble() {
    let mut cells = Vec::new();
    for step in STEPS {
        for fault in Fault::ALL {
            cells.extend([1, u64::MAX].map(|times| (step, fault, times)));
        }
    }
    try_all(cells, |(step, fault, times)| async move {
        let problem = attempt(step, fault, times).await.err()?;
        Some(format!("{step:?} with {fault:?}, {times} times: {problem}"))
    })
    .await;
}

#[tokio::test]
async fn a_mail_for_which_there_was_no_connection_is_sent_when_there_is_one() {
    // Bound and not listening: whoever connects is refused, and nobody else gets the port.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let address = socket.local_addr().expect("an address");
    let world = World::with_ses_at(&format!("http://{address}")).await;
    let token = world.request_token(KNOWN).await;
    assert_eq!(world.validate(&token).await.status(), 204);
    for _ in 0..3 {
        assert!(!world.settle().await, "it stays in the stream");
    }
    assert!(world.log().contains("\"MailOutcome\":\"delayed\""), "{}", world.log());
    let listener = socket.listen(16).expect("the port");
    tokio::spawn(axum::serve(listener, world.outbox.clone().router()).into_future());
    assert!(world.settle().await);
    assert_eq!(world.outbox.messages().len(), 1);
    assert_eq!(world.complete(&reset_token_in(&world.last_mail()), OTHER_PASSWORD).await.status(), 204);
}

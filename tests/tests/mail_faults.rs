//! Every call that a function makes to SES, times every fault, once and for good: the caller's answer is the same and does not
//! wait, nobody gets a second mail, and a minute later the same request brings a mail that works.

#![recursion_limit = "256"]

use std::time::Duration;

use tests::proxy::{Fault, Proxy};
use tests::step::{Step, try_all};
use tests::{KNOWN, OTHER_PASSWORD, Request, World, reset_token_in};
use tokio::net::TcpSocket;
use tokio::time::Instant;

/// The steps that end with a mail.
const STEPS: [Step; 4] = [Step::Mail, Step::UnleashMail, Step::Complete, Step::UnleashComplete];

/// One attempt is given up after four seconds, and what that leaves open is not tried again.
const SETTLED_WITHIN: Duration = Duration::from_secs(7);

/// How many mails must have left once the fault had its way: what SES did not take and surely never will is sent once more.
fn mails_after(fault: Fault, times: u64) -> usize {
    match fault {
        Fault::Throttled => usize::from(times == 1),
        // The proxy took the work to SES, or had nothing to say about it.
        Fault::CutAfterTheWork
        | Fault::Delay(_)
        | Fault::Late(_)
        | Fault::Conflict
        | Fault::ConflictHalfWay => 1,
        Fault::Refused | Fault::Hang | Fault::InternalError | Fault::Denied | Fault::Garbage => 0,
    }
}

/// One cell of the matrix; what went wrong in it.
async fn attempt(step: Step, fault: Fault, times: u64) -> Result<(), String> {
    let (world, proxy) = World::with_ses_behind_a_proxy(Duration::ZERO).await;
    let request = step.prepare(&world).await;
    let before = world.outbox.messages().len();
    proxy.arm(fault, 0, times);
    let answer = world.send_only(request.clone()).await;
    if answer.status() >= 300 {
        return Err(format!("{answer:?}"));
    }
    let started = Instant::now();
    world.settle().await;
    let busy = started.elapsed();
    if busy > SETTLED_WITHIN {
        return Err(format!("the environment was busy for {busy:?}"));
    }
    let mails = world.outbox.messages().len() - before;
    if mails != mails_after(fault, times) {
        return Err(format!("{mails} mails"));
    }
    let lost = matches!(fault, Fault::CutAfterTheWork | Fault::Late(_));
    let told = if mails == 1 && !lost { "sent" } else { "failed" };
    let log = world.log();
    let event = log.lines().rfind(|line| line.contains("MailOutcome\":")).unwrap_or_default();
    if !event.contains(&format!("\"MailOutcome\":\"{told}\"")) || event.contains('@') {
        return Err(format!("the log says {event}"));
    }
    afterwards(step, &world, &proxy, request).await
}

/// When all is well again.
async fn afterwards(step: Step, world: &World, proxy: &Proxy, request: Request) -> Result<(), String> {
    proxy.disarm();
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
async fn every_mail_times_every_fault_is_at_most_one_mail_and_never_the_callers_trouble() {
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
async fn a_mail_for_which_there_was_no_connection_is_sent_once_more() {
    // Bound and not listening: whoever connects is refused, and nobody else gets the port.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let address = socket.local_addr().expect("an address");
    let world = World::with_ses_at(&format!("http://{address}")).await;
    let token = world.request_token(KNOWN).await;
    assert_eq!(
        world
            .send_only(Request::get("/organizations/complete-password/").query("token", &token))
            .await
            .status(),
        204
    );
    let settled = tokio::spawn({
        let world = world.clone();
        async move { world.settle().await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!settled.is_finished());
    let listener = socket.listen(16).expect("the port");
    tokio::spawn(axum::serve(listener, world.outbox.clone().router()).into_future());
    settled.await.expect("work after the reply");
    assert_eq!(world.outbox.messages().len(), 1);
}

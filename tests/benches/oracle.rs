//! Does an answer tell whether an address has an account? *validate* orders the mail and never looks: this prints the calls to
//! `DynamoDB` that it makes for an address with an account and for one without, which are the same, and how long the answers took, in
//! interleaved pairs. The figure is the area under the ROC curve of the two distributions (the Mann-Whitney statistic over the number
//! of pairs): 0.5 is no difference at all. The mail function runs after each pair, so that SES is no part of what is measured, as
//! on AWS, where it is another environment that no caller meets.
//!
//! Do mails tell? An attacker orders 25 mails to mailboxes of their own around one for the target, and adds up by how much each came late. With
//! SES answering after 0.3 s, this prints the sums for targets with and without an account, in interleaved pairs, and their area.

#![recursion_limit = "256"]

use std::time::{Duration, Instant};

use serde_json::json;
use tests::proxy::{EVERY, Fault};
use tests::{KNOWN, NO_LIMITS, Request, Service, UNKNOWN, World, median};

const PAIRS: usize = 500;

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "a benchmark's figures")]
async fn main() {
    let world = World::builder().settings(&NO_LIMITS).faulty(Service::DynamoDb).start().await;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    let (mut calls_known, mut calls_unknown) = (Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        // Which comes first must not matter.
        let mut order = [(KNOWN, &mut known, &mut calls_known), (UNKNOWN, &mut unknown, &mut calls_unknown)];
        order.rotate_left(pair % 2);
        for (address, times, calls) in order {
            let (seconds, made) = ask(&world, address).await;
            times.push(seconds);
            calls.push(made);
        }
        world.settle().await;
    }
    assert_eq!(world.outbox.messages().len(), PAIRS, "a mail for each known address");
    for (name, calls) in [("known", &calls_known), ("unknown", &calls_unknown)] {
        assert!(calls.iter().all(|made| *made == calls[0]), "each call makes the same calls");
        println!("calls to DynamoDB for an address that is {name}: {}", calls[0].join(", "));
    }
    assert_eq!(calls_known, calls_unknown);
    println!("times of {PAIRS} pairs of answers: {}", compared(known, unknown));
    mails().await;
}

/// Runs of the lane for each kind of target, and the attacker's mails in each.
const RUNS: usize = 40;
const OWN_MAILS: usize = 25;

#[expect(clippy::print_stdout, reason = "a benchmark's figures")]
async fn mails() {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for run in 0..RUNS {
        let mut order = [(KNOWN, &mut known), (UNKNOWN, &mut unknown)];
        order.rotate_left(run % 2);
        for (target, sums) in order {
            sums.push(sum_of_delays(target, run % OWN_MAILS).await);
        }
    }
    println!("sums of the delays of {OWN_MAILS} other mails, {RUNS} pairs: {}", compared(known, unknown));
}

/// The sum of the delays, in seconds, of the attacker's mails in one lane, in which the order for `target` has the place `place`.
async fn sum_of_delays(target: &str, place: usize) -> f64 {
    let world = World::builder().settings(&NO_LIMITS).faulty(Service::Ses).start().await;
    for number in 0..=OWN_MAILS {
        let address = if number == place { target } else { "some@one.com" };
        let mail = Request::post("/auth/reset/password-email", &json!({"email": address}));
        assert_eq!(world.send_only(mail).await.status(), 200);
    }
    world.proxy().inject(Fault::Delay(Duration::from_millis(300)), EVERY);
    let started = Instant::now();
    let (mut seen, mut sum) = (0, 0.0);
    let watched = async {
        while seen < OWN_MAILS {
            let own = world.outbox.messages().iter().filter(|mail| mail.to == "some@one.com").count();
            for _ in seen..own {
                sum += started.elapsed().as_secs_f64();
            }
            seen = own;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let delivered = async {
        while let Some(batch) = world.next_batch().await {
            let end = tokio::time::Instant::now() + Duration::from_secs(1);
            let answer = world.deliver(&batch.event).await;
            // The function's fixed second: this deployment's is set to nothing.
            tokio::time::sleep_until(end).await;
            assert!(world.acknowledge(&batch, &answer).await);
        }
    };
    tokio::join!(watched, delivered);
    sum
}

/// How long the answer took, and which calls were made for it.
async fn ask(world: &World, address: &str) -> (f64, Vec<String>) {
    let token = world.request_token(address).await;
    let request = Request::get("/organizations/complete-password/").query("token", &token);
    world.proxy().disarm();
    let started = Instant::now();
    let answer = world.send_only(request).await;
    let seconds = started.elapsed().as_secs_f64();
    assert_eq!(answer.status(), 204);
    let calls = world.proxy().calls().into_iter();
    let mut calls: Vec<String> = calls
        .map(|call| {
            let tables: Vec<String> = call.tables.into_iter().collect();
            format!(
                "{} {} ({} read, {} write units)",
                call.operation,
                tables.join("+"),
                call.reads,
                call.writes
            )
        })
        .collect();
    calls.sort();
    (seconds, calls)
}

/// The area, and the two medians in milliseconds.
fn compared(known: Vec<f64>, unknown: Vec<f64>) -> String {
    let area = area(&known, &unknown);
    format!(
        "area under the curve {area:.3}; median {:.2} ms for known and {:.2} ms for unknown addresses",
        median(known) * 1000.0,
        median(unknown) * 1000.0
    )
}

/// How often a sample of `a` is larger than one of `b`; ties count half.
fn area(a: &[f64], b: &[f64]) -> f64 {
    let wins: f64 = a
        .iter()
        .flat_map(|x| {
            b.iter().map(move |y| {
                if x > y {
                    1.0
                } else if x < y {
                    0.0
                } else {
                    0.5
                }
            })
        })
        .sum();
    #[expect(clippy::cast_precision_loss, reason = "a few thousand pairs")]
    let pairs = (a.len() * b.len()) as f64;
    wins / pairs
}

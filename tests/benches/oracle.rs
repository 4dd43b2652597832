//! Does time tell whether an address has an account? Pairs of calls, known and unknown, interleaved, with SES slow and with SES
//! failing: how long each answer took, and how long the environment was busy until it was free for the next call. The figure is the
//! area under the ROC curve of the two distributions (the Mann-Whitney statistic over the number of pairs): 0.5 is no
//! difference at all, and between 0.45 and 0.55 nobody can tell the two apart in practice.
//!
//! Times are scaled down to a fifth: a pace of 200 ms in place of a second, and an SES of 100 ms in place of 500.

#![recursion_limit = "256"]

use std::time::{Duration, Instant};

use tests::proxy::Fault;
use tests::{KNOWN, Request, UNKNOWN, World};

const PAIRS: usize = 300;
const PACE: Duration = Duration::from_millis(200);

/// Seconds until the answer, and from there until the environment was free.
#[derive(Default)]
struct Samples {
    answers: Vec<f64>,
    busy: Vec<f64>,
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "a benchmark's figures")]
async fn main() {
    println!("{PAIRS} pairs each; area under the curve, known against unknown addresses");
    println!("the emulator alone       answer {}", of_the_emulator().await);
    for (name, fault) in [
        ("SES answers at once", None),
        ("SES takes half a pace", Some(Fault::Delay(PACE / 2))),
        ("SES fails", Some(Fault::InternalError)),
    ] {
        let (world, ses) = World::with_ses_behind_a_proxy(PACE).await;
        if let Some(fault) = fault {
            ses.arm(fault, 0, u64::MAX);
        }
        let (mut known, mut unknown) = (Samples::default(), Samples::default());
        for pair in 0..PAIRS {
            // Which comes first must not matter.
            let mut order = [(KNOWN, &mut known), (UNKNOWN, &mut unknown)];
            order.rotate_left(pair % 2);
            for (address, samples) in order {
                measure(&world, address, samples).await;
            }
        }
        println!(
            "{name:<24} answer {}   busy after it {}",
            compared(known.answers, unknown.answers),
            compared(known.busy, unknown.busy)
        );
    }
}

/// What the emulator itself tells: it finds a row or finds none. No code of ours is in this.
async fn of_the_emulator() -> String {
    let world = World::new().await;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        let mut order = [(KNOWN, &mut known), (UNKNOWN, &mut unknown)];
        order.rotate_left(pair % 2);
        for (address, samples) in order {
            tokio::time::sleep(PACE / 10).await;
            let started = Instant::now();
            world.account_by("email", address).await;
            samples.push(started.elapsed().as_secs_f64());
        }
    }
    compared(known, unknown)
}

async fn measure(world: &World, address: &str, samples: &mut Samples) {
    let token = world.request_token(address).await;
    let request = Request::get("/organizations/complete-password/").query("token", &token);
    let started = Instant::now();
    let answer = world.send_only(request).await;
    samples.answers.push(started.elapsed().as_secs_f64());
    assert_eq!(answer.status(), 204);
    let replied = Instant::now();
    world.settle().await;
    samples.busy.push(replied.elapsed().as_secs_f64());
}

/// The area, and the two medians in milliseconds.
fn compared(mut known: Vec<f64>, mut unknown: Vec<f64>) -> String {
    let area = area(&known, &unknown);
    let median = |samples: &mut Vec<f64>| {
        samples.sort_by(f64::total_cmp);
        samples[samples.len() / 2] * 1000.0
    };
    format!("{area:.3} ({:.2} and {:.2} ms)", median(&mut known), median(&mut unknown))
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

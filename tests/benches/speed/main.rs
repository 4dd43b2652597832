//! How fast the functions start and answer, how large they are, and what they cost, each against a reference in the same run. Prints
//! tables with goals, and exits with an error where one is missed.
//!
//! ```text
//! cargo bench -p tests --bench speed               everything, some ten minutes
//! cargo bench -p tests --bench speed -- quick      few repetitions: what is exact must hold, times are only shown
//! cargo bench -p tests --bench speed -- record     writes the instructions down, to compare the next runs with
//! ```

#![recursion_limit = "256"]

mod cold;
mod endpoint;
mod exact;
mod programs;
mod share;
mod table;
mod warm;

use std::process::ExitCode;

use tests::stack::target_directory;

use self::table::{Goal, Report, begin_table, row, short};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let is_given = |word: &str| std::env::args().any(|argument| argument == word);
    let is_quick = is_given("quick");
    let functions = programs::functions().await;
    let peers = programs::peers(&functions[0].event).await;
    programs::run_on(Some(0));
    let endpoint = endpoint::Endpoint::start(&target_directory().join("release")).await;
    let mut report = Report::default();

    let everything: Vec<_> = functions.iter().cloned().chain([programs::page()]).chain(peers).collect();
    let (starts, calls) = if is_quick { (3, 200) } else { (41, 2000) };
    let sizes: &[usize] = if is_quick { &[100, 10_000] } else { &[100, 10_000, 1_000_000] };
    cold::measure(&mut report, &everything, &endpoint, starts, !is_quick).await;
    exact::sizes(&mut report, &functions[..4], &endpoint).await;
    exact::calls(&mut report, &functions, &endpoint).await;
    exact::instructions(&mut report, &functions, &endpoint, is_given("record")).await;
    warm::sizes(&mut report, &functions, sizes, calls, !is_quick).await;
    warm::completions(&functions[3], if is_quick { 3 } else { 15 }).await;
    let (ours, reference) = programs::argon2id().await;
    begin_table("argon2id, milliseconds on one CPU", &["Rekey", "the reference library (Debian)", "ratio"]);
    let ratio = report.check("argon2id", ours / reference, &Goal::AtMost(0.85), !is_quick);
    row(&[short(ours), short(reference), ratio]);

    if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

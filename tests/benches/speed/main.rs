//! How fast the functions start and answer, how large they are, and what they cost, each against a reference in the same run. Prints
//! tables with goals, and exits with an error where one is missed. It measures the binaries that `sam build` makes for x86-64: cargo-lambda
//! adds flags of its own and links with zig.
//!
//! What the release profile and `shared::aws` owe to these figures: `opt-level = "z"` instead of 3 for our own crates (*reset* 7.0 to 5.4
//! MB), no HTTP/2 and no default configuration chain (to 4.4 MB), no unwinding (to 3.9 MB, before the languages), root certificates that
//! are not decoded in constant time (that was 40 % of the instructions of a start; libraries no longer do it, and it is 5 %). With unwinding
//! a panic would be a 503; without it, it ends the process, and the next call starts another. No input is known that panics, and fuzzing
//! looks for one.
//!
//! What did not measure better: `lto = "thin"` (*reset* 5.2 instead of 4.2 MB) or none (4.8 MB); `-C force-unwind-tables=no` (the same
//! bytes: because of std's debug information, LLVM writes all tables of a fat LTO); `opt-level = 3` or `"s"` for *complete* instead of 2
//! (same argon2 or a slower one, same size); the SDK's own HTTP client (see `shared::aws::https`);
//! argon2's lanes in threads (at 3,538 MB, with two CPUs, a completion takes 0.8 of the time and costs 1.4 times as much as at 1,769 MB);
//! warming zxcvbn's dictionaries up at the start, which takes 12 ms of every start of *complete* to spare the first completion 12 ms of
//! some 200. *complete* cannot be as small as the others: zxcvbn's word lists and its regular expressions are 2 MB of it.
//!
//! ```text
//! cargo bench --workspace --bench speed --profile dev              everything, some ten minutes
//! cargo bench --workspace --bench speed --profile dev -- quick     few repetitions: what is exact must hold, times are only shown
//! cargo bench --workspace --bench speed --profile dev -- record    writes the instructions down, to compare the next runs with
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

    // Nobody waits for the mail function, each of whose batches takes a second.
    let waited_for = functions.iter().filter(|program| program.name != "mail").cloned();
    let everything: Vec<_> = waited_for.chain([programs::page()]).chain(peers).collect();
    let (starts, calls) = if is_quick { (3, 200) } else { (41, 2000) };
    let sizes: &[usize] = if is_quick { &[100, 10_000] } else { &[100, 10_000, 1_000_000] };
    cold::measure(&mut report, &everything, &endpoint, starts, !is_quick).await;
    exact::sizes(&mut report, &functions[..4], &endpoint, is_quick).await;
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

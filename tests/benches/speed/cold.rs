//! From the start of the process to the first answer, and how long the first call takes with the CPU share of 256 MB.

use std::collections::BTreeMap;

use tests::median;

use crate::endpoint::Endpoint;
use crate::programs::Program;
use crate::share::Share;
use crate::table::{Goal, Report, begin_table, milliseconds, row, short};

#[derive(Default)]
struct Samples {
    first: Vec<f64>,
    start: Vec<f64>,
    handler: Vec<f64>,
}

/// Prints the table. Every round starts every program once, so that what disturbs the machine disturbs them all.
pub(crate) async fn measure(
    report: &mut Report,
    programs: &[Program],
    endpoint: &Endpoint,
    rounds: usize,
    counts: bool,
) {
    let share = Share::of(256);
    let mut samples = BTreeMap::<&str, Samples>::new();
    for _ in 0..rounds {
        for program in programs {
            let of = samples.entry(program.name).or_default();
            let environment = program.start(endpoint, &[]).await;
            program.call(&environment, program.event.clone()).await;
            of.first.push(milliseconds(environment.started.elapsed()));
            environment.kill().await;

            let environment = program.start(endpoint, &[]).await;
            of.start.push(milliseconds(environment.asked().await - environment.started));
            share.hold(environment.pid);
            let asked = tokio::time::Instant::now();
            program.call(&environment, program.event.clone()).await;
            of.handler.push(milliseconds(asked.elapsed()));
            environment.kill().await;
        }
    }
    let medians = |name: &str| {
        let Samples { first, start, handler } = &samples[name];
        (median(first.clone()), median(start.clone()), median(handler.clone()))
    };
    let hello = medians("hello").0;
    let fastest_peer = samples.keys().filter(|name| name.contains(',')).map(|name| medians(name).0);
    let fastest_peer = fastest_peer.fold(f64::INFINITY, f64::min);
    let title = format!(
        "Cold start: milliseconds, medians of {rounds} starts, one CPU; then the CPU share of 256 MB from the first call on, by {}",
        share.how()
    );
    begin_table(
        &title,
        &[
            "program",
            "start to first answer",
            "× hello",
            "faster than Python and Node by",
            "start",
            "first call at 256 MB",
        ],
    );
    for program in programs {
        let name = program.name;
        let (first, start, handler) = medians(name);
        let is_function = ["reset", "validate", "complete"].contains(&name);
        let mut cells = vec![name.to_owned(), short(first)];
        if is_function {
            cells.push(report.check(&format!("{name}, × hello"), first / hello, &Goal::AtMost(3.5), counts));
            let faster = fastest_peer / first;
            cells.push(report.check(&format!("{name}, × faster"), faster, &Goal::AtLeast(25.0), counts));
        } else {
            cells.extend([short(first / hello), short(fastest_peer / first)]);
        }
        cells.push(short(start));
        if is_function {
            let what = format!("{name}, first call");
            cells.push(report.check(&what, handler, &Goal::AtMost(3.0), counts));
        } else {
            cells.push(short(handler));
        }
        row(&cells);
    }
}

//! What is printed: a table for each question, and whether every goal is met.

use std::time::Duration;

/// The goals that were missed.
#[derive(Default)]
pub(crate) struct Report {
    missed: Vec<String>,
}

/// A goal and what was measured against it.
pub(crate) enum Goal {
    /// At most this much, in the unit of what was measured.
    AtMost(f64),
    /// At least this much.
    AtLeast(f64),
}

impl Report {
    /// `value` as text, with the goal and whether it holds. Where `counts` is false the goal is shown and not held against anybody: a time
    /// measured a few times on a busy machine says little.
    pub(crate) fn check(&mut self, what: &str, value: f64, goal: &Goal, counts: bool) -> String {
        let (holds, text) = match goal {
            Goal::AtMost(most) => (value <= *most, format!("≤ {}", short(*most))),
            Goal::AtLeast(least) => (value >= *least, format!("≥ {}", short(*least))),
        };
        if !holds && counts {
            self.missed.push(format!("{what}: {} (goal {text})", short(value)));
        }
        format!("{} ({text}{})", short(value), if holds { "" } else { ", **missed**" })
    }

    /// Prints what was missed; whether nothing was.
    #[expect(clippy::print_stdout, reason = "a benchmark's figures")]
    pub(crate) fn holds(self) -> bool {
        for missed in &self.missed {
            println!("\nmissed: {missed}");
        }
        self.missed.is_empty()
    }
}

/// Begins a table of `columns` under a title.
#[expect(clippy::print_stdout, reason = "a benchmark's figures")]
pub(crate) fn begin_table(title: &str, columns: &[&str]) {
    println!("\n**{title}**\n\n| {} |\n|{}", columns.join(" | "), " --- |".repeat(columns.len()));
}

/// A row of the table.
#[expect(clippy::print_stdout, reason = "a benchmark's figures")]
pub(crate) fn row(cells: &[String]) {
    println!("| {} |", cells.join(" | "));
}

/// Three significant digits.
pub(crate) fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// In milliseconds.
pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

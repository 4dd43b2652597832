//! How large the big matrices and the random histories are. By default they take seconds, and still contain each kind of fault.
//! `REKEY_TESTS=full` runs all of them, as CI does. `REKEY_SEED=n` selects the seed of the random ones.

use std::io::Write as _;

#[expect(clippy::disallowed_methods, reason = "environment variables select how much is tested")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether everything runs.
#[must_use]
pub fn is_full() -> bool {
    match variable("REKEY_TESTS").as_deref() {
        None => false,
        Some("full") => true,
        Some(other) => panic!("REKEY_TESTS is {other:?}: it may be \"full\", or not set"),
    }
}

/// The seed of one random run, if one is selected.
#[must_use]
pub fn seed() -> Option<u64> {
    variable("REKEY_SEED").map(|seed| seed.parse().expect("REKEY_SEED must be a number"))
}

/// How many `things` to run: `full` of them, or by default `quick`, which is said.
#[must_use]
pub fn count(things: &str, quick: usize, full: usize) -> usize {
    if is_full() {
        return full;
    }
    say(&format!("{quick} of {full} {things}"));
    quick
}

/// All cells of a matrix, or by default one of each group, another one in each.
#[must_use]
pub fn cells<C>(things: &str, groups: Vec<Vec<C>>) -> Vec<C> {
    if is_full() {
        return groups.into_iter().flatten().collect();
    }
    say(&format!("{} of {} {things}", groups.len(), groups.iter().map(Vec::len).sum::<usize>()));
    let chosen = groups.into_iter().enumerate();
    chosen
        .filter_map(|(index, mut group)| (!group.is_empty()).then(|| group.swap_remove(index % group.len())))
        .collect()
}

/// Writes past the test harness, which hides what passing tests print.
fn say(what: &str) {
    let _ = writeln!(
        std::io::stderr(),
        "\nleft out: this runs {what}; REKEY_TESTS=full cargo test --workspace runs all"
    );
}

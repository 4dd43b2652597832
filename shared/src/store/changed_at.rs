//! The stored time of an account's last password change: a number of seconds or milliseconds since the epoch.

use crate::clock::Timestamp;

/// Numbers below this are seconds (until the year 5138). Numbers from this to [`MILLIS_END`] are milliseconds (since 1973). Larger ones
/// would be micro- or nanoseconds and are refused.
const SECONDS_END: u64 = 100_000_000_000;
const MILLIS_END: u64 = SECONDS_END * 1000;

/// When the password last changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChangedAt {
    /// The stored number without its fraction, in seconds or milliseconds.
    whole: u64,
    in_seconds: bool,
}

impl ChangedAt {
    pub(super) fn parse(stored: &str) -> Option<Self> {
        let whole = stored.split('.').next().unwrap_or_default();
        let whole: u64 = whole.parse().ok().filter(|number| *number < MILLIS_END)?;
        // Zero means "never", and says nothing about the unit.
        Some(Self { whole, in_seconds: whole > 0 && whole < SECONDS_END })
    }

    /// Whether the change was before `at`, whatever it was rounded from.
    pub(super) fn is_before(self, at: Timestamp) -> bool {
        self.latest() < at
    }

    /// The last millisecond that the number can stand for: 12:00:00 may have been 12:00:00.999.
    pub(super) const fn latest(self) -> Timestamp {
        Timestamp::from_millis(if self.in_seconds { self.whole * 1000 + 999 } else { self.whole })
    }

    /// The number to store for a change at `at`: in the unit of `previous` (milliseconds if there is none), greater than it and not
    /// before `at`.
    pub(super) fn next(previous: Option<Self>, at: Timestamp) -> u64 {
        let at = match previous {
            Some(previous) if previous.in_seconds => at.as_millis().div_ceil(1000),
            _ => at.as_millis(),
        };
        at.max(previous.map_or(0, |previous| previous.whole + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(stored: &str) -> ChangedAt {
        ChangedAt::parse(stored).expect(stored)
    }

    #[test]
    fn a_time_of_change_may_be_in_milliseconds_or_seconds() {
        for (stored, latest) in [
            ("1700000000123", 1_700_000_000_123),
            ("1700000000", 1_700_000_000_999),
            ("1700000000.25", 1_700_000_000_999),
            ("0", 0),
            ("99999999999", 99_999_999_999_999),
            ("100000000000", 100_000_000_000),
            ("99999999999999", 99_999_999_999_999),
        ] {
            assert_eq!(parsed(stored).latest(), Timestamp::from_millis(latest), "{stored}");
        }
        for text in ["", "-5", "1e3", "x", "100000000000000", "99999999999999999999999"] {
            assert_eq!(ChangedAt::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn rule_4_a_time_in_seconds_may_be_any_of_its_milliseconds() {
        for (stored, latest) in [("1700000000123", 1_700_000_000_123), ("1700000000", 1_700_000_000_999)] {
            let (changed_at, at) = (parsed(stored), Timestamp::from_millis);
            assert!(changed_at.is_before(at(latest + 1)) && !changed_at.is_before(at(latest)), "{stored}");
        }
    }

    #[test]
    fn rule_4_the_new_time_is_greater_than_the_previous_one_and_in_its_unit() {
        let at = Timestamp::from_millis(1_800_000_000_001);
        for (stored, written) in [
            (None, 1_800_000_000_001),
            (Some("0"), 1_800_000_000_001),
            (Some("1700000000123"), 1_800_000_000_001),
            (Some("1900000000123"), 1_900_000_000_124),
            (Some("1700000000"), 1_800_000_001),
            (Some("1800000001"), 1_800_000_002),
            (Some("1800000001.5"), 1_800_000_002),
        ] {
            assert_eq!(ChangedAt::next(stored.map(parsed), at), written, "{stored:?}");
        }
    }
}

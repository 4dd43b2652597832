//! The stored time of an account's last password change: a number of seconds or milliseconds since the epoch, or ISO 8601 text. It is
//! written as it was found.

use aws_sdk_dynamodb::types::AttributeValue;
use time::{Date, Duration, Month, OffsetDateTime, PrimitiveDateTime, Time};

use super::super::{StoreError, number, string};
use crate::clock::Timestamp;

/// Numbers below this are seconds (until the year 5138). Numbers from this to [`MILLIS_END`] are milliseconds (since 1973). Larger ones
/// would be micro- or nanoseconds and are refused.
const SECONDS_END: u64 = 100_000_000_000;
const MILLIS_END: u64 = SECONDS_END * 1000;

/// The length of `2026-11-28T05:33:00`.
const TO_THE_SECOND: usize = 19;

/// Nanoseconds have nine digits.
const MAX_DIGITS: usize = 9;

/// When the password last changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChangedAt {
    /// The stored time in its own units since the epoch.
    units: i128,
    format: Format,
}

/// How a time is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Format {
    Seconds,
    Milliseconds,
    Text {
        /// `T` or a space.
        separator: char,
        /// The digits of the second's fraction.
        digits: usize,
        /// `Z`, `+01:00`, `+0100` or nothing, which means UTC.
        zone: String,
        /// The zone's offset from UTC, in seconds.
        offset: i64,
    },
}

impl Format {
    /// How many of its units a second has.
    const fn per_second(&self) -> i128 {
        match self {
            Self::Seconds => 1,
            Self::Milliseconds => 1000,
            #[expect(clippy::cast_possible_truncation, reason = "at most nine digits")]
            Self::Text { digits, .. } => 10_i128.pow(*digits as u32),
        }
    }
}

impl ChangedAt {
    /// The time in the attribute's `value`. `None` if it holds no time, and says nothing about the format: it is absent, NULL or 0.
    ///
    /// # Errors
    ///
    /// An invalid row. Treating its time as absent would make old tokens valid.
    pub(super) fn parse(value: Option<&AttributeValue>) -> Result<Option<Self>, StoreError> {
        let parsed = match value {
            None | Some(AttributeValue::Null(_)) => return Ok(None),
            Some(AttributeValue::N(number)) => Self::from_number(number),
            Some(AttributeValue::S(text)) => Self::from_text(text),
            Some(_) => None,
        };
        let Some(parsed) = parsed else {
            return Err(StoreError::invalid_row(
                "an account's ACCOUNTS_PASSWORD_CHANGED_AT is neither a number of milliseconds or seconds since the epoch nor an \
                 ISO 8601 time",
            ));
        };
        Ok(Some(parsed).filter(|parsed| parsed.units != 0))
    }

    fn from_number(number: &str) -> Option<Self> {
        let whole = number.split('.').next().unwrap_or_default();
        let whole: u64 = whole.parse().ok().filter(|number| *number < MILLIS_END)?;
        let format = if whole < SECONDS_END { Format::Seconds } else { Format::Milliseconds };
        Some(Self { units: whole.into(), format })
    }

    fn from_text(text: &str) -> Option<Self> {
        let (main, rest) = text.split_at_checked(TO_THE_SECOND)?;
        let separator = main.chars().nth(10).filter(|separator| ['T', ' '].contains(separator))?;
        let pattern = |index: usize| ["-", "-", ":", ":"][index];
        let is_punctuated =
            [4, 7, 13, 16].iter().enumerate().all(|(index, at)| main.get(*at..=*at) == Some(pattern(index)));
        let field =
            |from: usize, to: usize| main.get(from..to).filter(|part| is_digits(part))?.parse::<u16>().ok();
        let month = Month::try_from(u8::try_from(field(5, 7)?).ok()?).ok()?;
        let small = |from, to| u8::try_from(field(from, to)?).ok();
        let date = Date::from_calendar_date(field(0, 4)?.into(), month, small(8, 10)?).ok()?;
        let time = Time::from_hms(small(11, 13)?, small(14, 16)?, small(17, 19)?).ok()?;
        let (fraction, zone) = match rest.strip_prefix(['.', ',']) {
            Some(rest) => rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count()),
            None => ("", rest),
        };
        let has_fraction = rest.starts_with('.');
        if !is_punctuated || has_fraction == fraction.is_empty() || fraction.len() > MAX_DIGITS {
            return None;
        }
        let offset = offset_of(zone)?;
        let format = Format::Text { separator, digits: fraction.len(), zone: zone.to_owned(), offset };
        let seconds = PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp() - offset;
        let fraction: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
        Some(Self { units: i128::from(seconds) * format.per_second() + fraction, format })
    }

    /// Whether the change was before `at`, whatever it was rounded from.
    pub(super) fn is_before(&self, at: Timestamp) -> bool {
        self.latest() < at
    }

    /// The last millisecond that it can stand for: 12:00:00 may have been 12:00:00.999.
    pub(super) fn latest(&self) -> Timestamp {
        let per_second = self.format.per_second();
        let next_in_millis = (self.units + 1) * 1000;
        let last =
            if per_second > 1000 { self.units * 1000 / per_second } else { next_in_millis / per_second - 1 };
        Timestamp::from_millis(u64::try_from(last).unwrap_or_default())
    }

    /// The time to store for a change at `at`: in the format of `previous` (milliseconds if there is none), greater than it and not before
    /// `at`.
    pub(super) fn next(previous: Option<&Self>, at: Timestamp) -> Self {
        let format = previous.map_or(Format::Milliseconds, |previous| previous.format.clone());
        let scaled = i128::from(at.as_millis()) * format.per_second();
        // Rounded up.
        let units = scaled / 1000 + i128::from(scaled % 1000 > 0);
        Self { units: units.max(previous.map_or(units, |previous| previous.units + 1)), format }
    }

    /// The attribute's value.
    pub(super) fn to_attribute(&self) -> AttributeValue {
        let Format::Text { separator, digits, zone, offset } = &self.format else {
            return number(u64::try_from(self.units).unwrap_or_default());
        };
        let per_second = self.format.per_second();
        let seconds = i64::try_from(self.units.div_euclid(per_second)).unwrap_or_default() + offset;
        let at = OffsetDateTime::UNIX_EPOCH + Duration::seconds(seconds);
        let (date, time) = (at.date(), at.time());
        let fraction = match digits {
            0 => String::new(),
            digits => format!(".{:0digits$}", self.units.rem_euclid(per_second), digits = *digits),
        };
        string(format!(
            "{:04}-{:02}-{:02}{separator}{:02}:{:02}:{:02}{fraction}{zone}",
            date.year(),
            u8::from(date.month()),
            date.day(),
            time.hour(),
            time.minute(),
            time.second()
        ))
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The seconds from UTC of `Z`, `+01:00`, `+0100`, `+01` or nothing.
fn offset_of(zone: &str) -> Option<i64> {
    let (sign, rest) = match zone.as_bytes() {
        [] | [b'Z'] => return Some(0),
        [b'+', ..] => (1, &zone[1..]),
        [b'-', ..] => (-1, &zone[1..]),
        _ => return None,
    };
    let (hours, minutes) = match rest.len() {
        2 => (rest, "00"),
        4 => rest.split_at(2),
        5 => rest.split_once(':')?,
        _ => return None,
    };
    let part = |text: &str, limit: i64| {
        text.parse::<i64>().ok().filter(|value| text.len() == 2 && is_digits(text) && *value < limit)
    };
    Some(sign * (part(hours, 24)? * 3600 + part(minutes, 60)? * 60))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(value: &AttributeValue) -> ChangedAt {
        ChangedAt::parse(Some(value)).expect("valid").expect("a time")
    }

    fn stored(text: &str) -> AttributeValue {
        if text.contains('-') { string(text) } else { AttributeValue::N(text.to_owned()) }
    }

    #[test]
    fn a_time_of_change_may_be_a_number_or_text() {
        for (text, latest) in [
            ("1700000000123", 1_700_000_000_123),
            ("1700000000", 1_700_000_000_999),
            ("1700000000.25", 1_700_000_000_999),
            ("99999999999", 99_999_999_999_999),
            ("100000000000", 100_000_000_000),
            ("99999999999999", 99_999_999_999_999),
            ("2023-11-14T22:13:20Z", 1_700_000_000_999),
            ("2023-11-14T22:13:20.123Z", 1_700_000_000_123),
            ("2023-11-14T22:13:20.1Z", 1_700_000_000_199),
            ("2023-11-14T22:13:20.123456789Z", 1_700_000_000_123),
            ("2023-11-14T22:13:20.123456+00:00", 1_700_000_000_123),
            ("2023-11-14T23:13:20+01:00", 1_700_000_000_999),
            ("2023-11-14T16:43:20-0530", 1_700_000_000_999),
            ("2023-11-14 22:13:20", 1_700_000_000_999),
        ] {
            assert_eq!(parse(&stored(text)).latest(), Timestamp::from_millis(latest), "{text}");
        }
        for value in [None, Some(AttributeValue::Null(true)), Some(number(0))] {
            assert_eq!(ChangedAt::parse(value.as_ref()).expect("valid"), None);
        }
        for number in ["", "1e3", "x", "100000000000000", "99999999999999999999999"] {
            assert!(ChangedAt::parse(Some(&AttributeValue::N(number.to_owned()))).is_err(), "{number:?}");
        }
        for text in [
            "",
            "yesterday",
            "1700000000",
            "2023-11-14",
            "2023-13-14T22:13:20Z",
            "2023-02-30T22:13:20Z",
            "2023-11-14T25:13:20Z",
            "2023-11-14T22:13Z",
            "2023-11-14T22:13:20.Z",
            "2023-11-14T22:13:20,5Z",
            "2023-11-14T22:13:20.1234567890Z",
            "2023-11-14T22:13:20 CET",
            "2023-11-14T22:13:20+1",
            "2023/11/14T22:13:20Z",
            "+023-11-14T22:13:20Z",
            "2023-11-14T22:13:2éZ",
        ] {
            assert!(ChangedAt::parse(Some(&string(text))).is_err(), "{text:?}");
        }
    }

    #[test]
    fn rule_4_a_rounded_time_may_be_any_of_its_milliseconds() {
        for (text, latest) in [
            ("1700000000123", 1_700_000_000_123),
            ("1700000000", 1_700_000_000_999),
            ("2023-11-14T22:13:20Z", 1_700_000_000_999),
        ] {
            let changed_at = parse(&stored(text));
            let at = Timestamp::from_millis;
            assert!(changed_at.is_before(at(latest + 1)) && !changed_at.is_before(at(latest)), "{text}");
        }
    }

    #[test]
    fn rule_4_the_new_time_is_greater_than_the_previous_one_and_in_its_format() {
        let at = Timestamp::from_millis(1_800_000_000_001);
        for (previous, written) in [
            ("0", "1800000000001"),
            ("1700000000123", "1800000000001"),
            ("1900000000123", "1900000000124"),
            ("1700000000", "1800000001"),
            ("1800000001", "1800000002"),
            ("1800000001.5", "1800000002"),
            ("2023-11-14T22:13:20Z", "2027-01-15T08:00:01Z"),
            ("2023-11-14T22:13:20.000Z", "2027-01-15T08:00:00.001Z"),
            ("2023-11-14T22:13:20.000000+01:00", "2027-01-15T09:00:00.001000+01:00"),
            ("2023-11-14 22:13:20", "2027-01-15 08:00:01"),
            ("2027-01-15T08:00:01Z", "2027-01-15T08:00:02Z"),
            ("2027-12-31T23:59:59.999Z", "2028-01-01T00:00:00.000Z"),
        ] {
            let previous = ChangedAt::parse(Some(&stored(previous))).expect("valid");
            assert_eq!(
                ChangedAt::next(previous.as_ref(), at).to_attribute(),
                stored(written),
                "{previous:?}"
            );
        }
        assert_eq!(ChangedAt::next(None, at).to_attribute(), stored("1800000000001"));
    }

    proptest! {
        #[test]
        fn rule_4_what_is_written_can_be_read_again_and_is_later(
            seconds in 0_i64..4_000_000_000,
            digits in 0_usize..=9,
            zone in "(Z|[+-](0[0-9]|1[0-3]):?[0-5][0-9])?",
            at in 0_u64..4_000_000_000_000,
        ) {
            let offset = offset_of(&zone).expect("a zone");
            let format = Format::Text { separator: 'T', digits, zone, offset };
            let previous = ChangedAt { units: i128::from(seconds) * format.per_second(), format };
            let next = ChangedAt::next(Some(&previous), Timestamp::from_millis(at));
            prop_assert!(next.units > previous.units && next.latest() >= Timestamp::from_millis(at));
            prop_assert_eq!(parse(&next.to_attribute()), next);
        }

        #[test]
        fn no_text_can_panic(text in "\\PC{0,40}|[0-9T:. Z+-]{0,40}") {
            let _ = ChangedAt::parse(Some(&string(text.clone())));
            let _ = ChangedAt::parse(Some(&AttributeValue::N(text)));
        }
    }
}

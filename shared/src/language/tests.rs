//! Every file of `languages/` has the same messages with the same variables, and says what it should.

use std::collections::{BTreeMap, BTreeSet};

use super::check::{self, Variables};
use super::{Language, Languages, Messages};
use crate::clock::Timestamp;

fn all() -> impl Iterator<Item = Language> {
    Languages::default().all()
}

fn language(code: &str) -> Language {
    Languages::default().from_code(code).expect("a language")
}

fn source(language: Language) -> &'static str {
    language.sources().next().expect("a file")
}

/// The messages of `language`, and the variables of each.
fn messages(language: Language) -> Variables<'static> {
    check::messages(source(language)).unwrap_or_else(|problem| panic!("{}: {problem}", language.code()))
}

#[test]
fn every_language_has_the_messages_of_english_with_the_same_variables() {
    let english = messages(Language::english());
    for language in all() {
        let compared = check::compare(&messages(language), &english, true);
        assert_eq!(compared, Ok(()), "{}", language.code());
    }
}

#[test]
fn every_message_resolves_its_variables_in_every_plural_form() {
    for language in all() {
        for number in (1..=31).chain([60, 90, 100, 101, 128]) {
            let all = Messages::new(language)
                .with("service", "S")
                .with("wait", "W")
                .with("address", "A")
                .with("device", "D")
                .with("country", "C")
                .with("count", number)
                .with("min", number)
                .with("max", number)
                .with_date("when", Timestamp::from_millis(1_800_000_000_000));
            let date = all.say("date");
            assert!(date.contains("2027") && date.contains("15") && date.contains("UTC"), "{date}");
            for id in messages(language).keys() {
                let text = all.say(id);
                assert!(
                    !text.is_empty() && !text.contains(['{', '}', '$']),
                    "{}: {id}: {text}",
                    language.code()
                );
            }
        }
    }
}

#[test]
fn plurals_follow_the_rules_of_the_language() {
    let say = |code: &str, count: u32| Messages::new(language(code)).with("count", count).say("reset-hours");
    assert_eq!(say("en", 1), "The link works once and is valid for 1 hour.");
    assert_eq!(say("en", 2), "The link works once and is valid for 2 hours.");
    assert_eq!(say("pl", 3), "Link jest ważny przez 3 godziny i można go użyć tylko raz.");
    assert_eq!(say("pl", 12), "Link jest ważny przez 12 godzin i można go użyć tylko raz.");
    assert_eq!(say("ar", 2), "الرابط صالح لمدة ساعتين ويمكن استخدامه مرة واحدة فقط.");
    assert_eq!(say("ar", 3), "الرابط صالح لمدة 3 ساعات ويمكن استخدامه مرة واحدة فقط.");
}

#[test]
fn one_oclock_is_singular_in_spanish() {
    let date = |hour: u64| {
        Messages::new(language("es"))
            .with_date("when", Timestamp::from_millis(hour * 3_600_000 + 300_000))
            .say("date")
    };
    assert_eq!(date(1), "1 de enero de 1970 a la 1:05 UTC");
    assert_eq!(date(13), "1 de enero de 1970 a las 13:05 UTC");
}

#[test]
fn punctuation_stays_with_its_word() {
    let french = source(language("fr"));
    for line in french.lines() {
        assert!(![" :", " ;", " ?", " !", " »", "« "].iter().any(|text| line.contains(text)), "{line}");
    }
    for code in ["ja", "zh-Hans", "zh-Hant"] {
        let text = source(language(code));
        for space in ["。 ", "， ", "、 ", "： ", "？ ", "！ "] {
            assert!(!text.contains(space), "{code}: a space after {space}");
        }
    }
}

#[test]
fn a_name_that_would_be_scrambled_from_right_to_left_is_isolated() {
    let what = |code: &str, name: &str| Messages::new(language(code)).with_service(name).say("changed-what");
    for name in ["7-Eleven", "Yahoo!", "C++", "Ann (UK)"] {
        assert_eq!(what("ar", name), format!("تم تغيير كلمة المرور لحسابك في \u{2068}{name}\u{2069}."));
        assert_eq!(what("en", name), format!("The password of your {name} account was changed."));
    }
    for name in ["Rekey", "Ann & Co", "متجر"] {
        assert_eq!(what("ar", name), format!("تم تغيير كلمة المرور لحسابك في {name}."));
    }
}

/// For each language what Chromium writes for twelve times of a year, in seconds. The browser tests compare the file with Chromium.
const DATES: &str = include_str!("dates.json");

#[test]
fn dates_are_written_as_a_browser_writes_them() {
    let dates: BTreeMap<String, BTreeMap<String, String>> = serde_json::from_str(DATES).expect("dates");
    let codes: BTreeSet<&str> = all().map(Language::code).collect();
    let found: BTreeSet<&str> = dates.keys().map(String::as_str).collect();
    assert_eq!(found, codes, "see tests/browser/dates.test.js");
    for language in all() {
        for (seconds, expected) in &dates[language.code()] {
            let at = Timestamp::from_millis(seconds.parse::<u64>().expect("a time") * 1000);
            let date = Messages::new(language).with_date("when", at).say("date");
            let without_zone = date.strip_suffix(" UTC").or_else(|| date.strip_suffix("（UTC）"));
            assert_eq!(without_zone, Some(expected.as_str()), "{}", language.code());
        }
    }
}

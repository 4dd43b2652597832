//! The languages of pages and mails, one file each in `languages/`. `build.rs` compiles the files in as text. A file is parsed when a page
//! or mail is rendered in its language, not at start.

#[cfg(test)]
#[path = "tests.rs"]
mod file_tests;
mod messages;

use std::sync::LazyLock;

use fluent_langneg::{NegotiationStrategy, negotiate_languages};
use unic_langid::{CharacterDirection, LanguageIdentifier};

pub use messages::Messages;

include!(concat!(env!("OUT_DIR"), "/languages.rs"));

/// The longest `Accept-Language` that is parsed, in bytes. Browsers send fewer than 200.
const MAX_HEADER: usize = 1024;

/// The identifiers of all languages, parsed when a process first needs one and not for each call.
static SUPPORTED: LazyLock<Vec<LanguageIdentifier>> =
    LazyLock::new(|| CODES.iter().map(|code| code.parse().unwrap_or_default()).collect());

/// A supported language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Language(usize);

impl Language {
    /// All supported languages.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..COUNT).map(Self)
    }

    /// The number of supported languages.
    pub const COUNT: usize = COUNT;

    /// Its index in [`Self::all`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0
    }

    /// English, in which every message exists.
    ///
    /// # Panics
    ///
    /// Never: `languages/en.ftl` exists.
    #[must_use]
    pub fn english() -> Self {
        Self::from_code("en").expect("English")
    }

    /// The BCP 47 code, such as `de` or `zh-Hans`.
    #[must_use]
    pub fn code(self) -> &'static str {
        CODES[self.0]
    }

    /// The language with exactly this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        CODES.iter().position(|known| *known == code).map(Self)
    }

    /// The language for a locale such as `de-AT`, `pt_BR` or `zh_CN.UTF-8`.
    #[must_use]
    pub fn from_locale(locale: &str) -> Option<Self> {
        let tag = locale.split(['.', '@']).next().unwrap_or_default();
        negotiate(&[tag.parse().ok()?])
    }

    /// The preferred supported language in `header` (RFC 9110 section 12.5.4). `None` if there is none, or the header is too long.
    #[must_use]
    pub fn from_accept_language(header: &str) -> Option<Self> {
        if header.len() > MAX_HEADER {
            return None;
        }
        // fluent-langneg's own parser ignores the weights, and the crate accept-language panics on the weight "nan".
        let mut requested: Vec<(f32, LanguageIdentifier)> =
            header.split(',').filter_map(parse_entry).collect();
        requested.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        let requested: Vec<LanguageIdentifier> =
            requested.into_iter().map(|(_, language)| language).collect();
        negotiate(&requested)
    }

    /// `ltr` or `rtl`, the value of the HTML attribute `dir`.
    #[must_use]
    pub fn direction(self) -> &'static str {
        match self.identifier().character_direction() {
            CharacterDirection::RTL => "rtl",
            CharacterDirection::LTR | CharacterDirection::TTB => "ltr",
        }
    }

    fn identifier(self) -> LanguageIdentifier {
        SUPPORTED[self.0].clone()
    }
}

/// The weight and language of an entry such as `de-AT;q=0.8`. `None` if it is malformed or its weight is 0.
fn parse_entry(entry: &str) -> Option<(f32, LanguageIdentifier)> {
    let (tag, weight) = entry.split_once(';').unwrap_or((entry, "q=1"));
    let weight: f32 = weight.trim().strip_prefix("q=")?.parse().ok()?;
    let language = tag.trim().parse().ok()?;
    (weight > 0.0 && weight <= 1.0).then_some((weight, language))
}

fn negotiate(requested: &[LanguageIdentifier]) -> Option<Language> {
    let best = negotiate_languages(requested, &SUPPORTED, None, NegotiationStrategy::Lookup);
    let best = *best.first()?;
    SUPPORTED.iter().position(|language| language == best).map(Language)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn accepted(header: &str) -> Option<&'static str> {
        Language::from_accept_language(header).map(Language::code)
    }

    #[test]
    fn the_preferred_supported_language_is_chosen() {
        for (header, expected) in [
            ("de-AT,de;q=0.9,en;q=0.8", Some("de")),
            ("en;q=0.3, fr;q=0.7", Some("fr")),
            ("nl, sv;q=0.9, it;q=0.1", Some("it")),
            ("pt-BR", Some("pt")),
            ("zh-CN", Some("zh-Hans")),
            ("zh", Some("zh-Hans")),
            ("zh-Hant", None),
            ("DE", Some("de")),
            ("ar-EG", Some("ar")),
            ("de;q=0, en;q=0.1", Some("en")),
            ("de;q=nan, de;q=-1, de;q=7, de;x=1, en;q=0.1", Some("en")),
            ("nl", None),
            ("*", None),
            ("", None),
            (",,;;q=1,-,de_", None),
        ] {
            assert_eq!(accepted(header), expected, "{header}");
        }
        assert_eq!(accepted(&format!("de{}", ",xx".repeat(400))), None, "too long");
    }

    #[test]
    fn common_forms_of_locales_are_parsed() {
        for (locale, expected) in [
            ("de", Some("de")),
            ("pt_BR", Some("pt")),
            ("uk-UA", Some("uk")),
            ("zh_CN.UTF-8", Some("zh-Hans")),
            ("ja_JP@calendar", Some("ja")),
            ("tlh", None),
            ("Deutsch", None),
            ("", None),
        ] {
            assert_eq!(Language::from_locale(locale).map(Language::code), expected, "{locale}");
        }
    }

    #[test]
    fn only_arabic_is_written_from_right_to_left() {
        let right_to_left: Vec<_> =
            Language::all().filter(|l| l.direction() == "rtl").map(Language::code).collect();
        assert_eq!(right_to_left, ["ar"]);
    }

    proptest! {
        #[test]
        fn no_header_and_no_locale_can_panic(text in "\\PC{0,200}|[a-zA-Z0-9,;=.*_ -]{0,200}") {
            let _ = (Language::from_accept_language(&text), Language::from_locale(&text));
        }
    }
}

//! The languages of pages and mails, one file each in `languages/`. `build.rs` compiles the files in as text. A file is parsed when a page
//! or mail is rendered in its language, not at start.

mod countries;
#[cfg(test)]
#[path = "tests.rs"]
mod file_tests;
mod messages;
mod tag;

use std::sync::LazyLock;

use fluent_langneg::{NegotiationStrategy, negotiate_languages};
use unic_langid::{CharacterDirection, LanguageIdentifier};

pub use messages::Messages;

include!(concat!(env!("OUT_DIR"), "/languages.rs"));

/// How many entries of `Accept-Language` are read. Browsers send fewer than twenty.
const MAX_ENTRIES: usize = 32;

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

    /// The language for a locale such as `de-AT`, `pt_BR`, `zh_CN.UTF-8` or `es__#u-ms-metric`.
    #[must_use]
    pub fn from_locale(locale: &str) -> Option<Self> {
        negotiate(&[tag::parse(locale)?])
    }

    /// The preferred supported language in `header` (RFC 9110 section 12.5.4). `None` if there is none among the first entries: as RFC
    /// 4647 section 3.4 has it, `*` means the default, to which a named language is preferred.
    #[must_use]
    pub fn from_accept_language(header: &str) -> Option<Self> {
        // fluent-langneg's own parser ignores the weights, and the crate accept-language panics on the weight "nan".
        let mut requested: Vec<(f32, LanguageIdentifier)> =
            header.split(',').take(MAX_ENTRIES).filter_map(parse_entry).collect();
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

    /// The name of a country or region in this language. `None` if `code` is no code of ISO 3166-1.
    #[must_use]
    pub fn country(self, code: &str) -> Option<&'static str> {
        countries::name(self.code(), code)
    }

    fn identifier(self) -> LanguageIdentifier {
        SUPPORTED[self.0].clone()
    }
}

/// The weight and language of an entry such as `de-AT;q=0.8`. `None` if it names no language or its weight is 0. An entry whose weight
/// cannot be read comes last.
fn parse_entry(entry: &str) -> Option<(f32, LanguageIdentifier)> {
    let mut parts = entry.split(';');
    let language = tag::parse(parts.next()?)?;
    let mut parameters = parts.filter_map(|part| part.split_once('='));
    let weight = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    let weight = weight.map_or(1.0, |(_, value)| value.trim().parse().unwrap_or(f32::NAN));
    let weight = if weight.is_nan() { f32::MIN_POSITIVE } else { weight.clamp(0.0, 1.0) };
    (weight > 0.0).then_some((weight, language))
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
            ("en;Q=0.3, fr;Q=0.7", Some("fr")),
            ("en ; q = 0.3 , fr ; q = .7", Some("fr")),
            ("en;level=1;q=0.3, fr;q=0.7;level=2", Some("fr")),
            ("nl, sv;q=0.9, it;q=0.1", Some("it")),
            ("de-DE-u-mu-celsius,en;q=0.9", Some("de")),
            ("pt, en", Some("pt")),
            ("pt-BR", Some("pt")),
            ("pt-PT", Some("pt-PT")),
            ("pt_ao", Some("pt-PT")),
            ("pt-US", Some("pt")),
            ("zh-CN", Some("zh-Hans")),
            ("zh", Some("zh-Hans")),
            ("zh-SG, zh-TW", Some("zh-Hans")),
            ("zh-TW", Some("zh-Hant")),
            ("zh-Hant-TW", Some("zh-Hant")),
            ("zh-HK,zh;q=0.9,en;q=0.8", Some("zh-Hant")),
            ("DE", Some("de")),
            ("ar-EG", Some("ar")),
            ("de;q=0, en;q=0.1", Some("en")),
            ("de, de;q=0.1, en;q=0.5", Some("de")),
            ("de;q=1.5, en", Some("de")),
            ("de;x=1, en;q=0.1", Some("de")),
            ("de;q=nan, fr;q=high, en;q=0.1", Some("en")),
            ("de;q=high", Some("de")),
            ("de;q=-1, en;q=0.1", Some("en")),
            ("*, de;q=0.5", Some("de")),
            ("nl, *;q=0.5", None),
            ("*;q=0, de", Some("de")),
            (",, de,,", Some("de")),
            ("hi-Latn, it", Some("it")),
            ("nl", None),
            ("*", None),
            ("", None),
            (",,;;q=1,-", None),
        ] {
            assert_eq!(accepted(header), expected, "{header}");
        }
    }

    #[test]
    fn only_the_first_entries_of_a_list_are_read() {
        let after = |count: usize| format!("{}de", "nl,".repeat(count));
        assert_eq!(accepted(&after(MAX_ENTRIES - 1)), Some("de"));
        assert_eq!(accepted(&after(MAX_ENTRIES)), None);
    }

    #[test]
    fn common_forms_of_locales_are_parsed() {
        for (locale, expected) in [
            ("de", Some("de")),
            ("pt_BR", Some("pt")),
            ("pt_PT.UTF-8", Some("pt-PT")),
            ("uk-UA", Some("uk")),
            ("zh_CN.UTF-8", Some("zh-Hans")),
            ("zh_TW.Big5", Some("zh-Hant")),
            ("es__#u-ms-metric", Some("es")),
            ("ja_JP@calendar", Some("ja")),
            ("de-DE,de;q=0.9", Some("de")),
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
        fn no_header_and_no_locale_can_panic(text in "\\PC{0,200}|[a-zA-Z0-9,;=.*_ #@-]{0,200}") {
            let _ = (Language::from_accept_language(&text), Language::from_locale(&text));
        }

        #[test]
        fn case_separators_and_extensions_change_nothing(
            tag in "(ar|de|en|iw|nl|pt|yue|zh)(-(Hant|Hans|Latn))?(-(AO|BR|CN|HK|PT|TW|419))?",
            extension in "(-u-[a-z]{2}-[a-z]{3,8}|-x-[a-z0-9]{1,8}|-t-[a-z]{2}|\\.UTF-8|@[a-z]{1,8})?",
        ) {
            let plain = Language::from_locale(&tag);
            let written = format!(" {}{extension}\t", tag.to_uppercase().replace('-', "_"));
            prop_assert_eq!(Language::from_locale(&written), plain, "{}", written);
            prop_assert_eq!(Language::from_accept_language(&format!(",{written};Q=0.5,nl")), plain, "{}", written);
        }
    }
}

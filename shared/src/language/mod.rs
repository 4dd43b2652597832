//! The languages of pages and mails, one file each in `languages/`. `build.rs` compiles the files in as text. A file is parsed when a page
//! or mail is rendered in its language, not at start. The operator may add messages and languages of their own ([`own`]).

mod check;
mod countries;
#[cfg(test)]
#[path = "tests.rs"]
mod file_tests;
mod messages;
pub mod own;
mod tag;

use std::fmt;
use std::sync::LazyLock;

use fluent_langneg::{NegotiationStrategy, negotiate_languages};
use unic_langid::{CharacterDirection, LanguageIdentifier};

pub use messages::Messages;

include!(concat!(env!("OUT_DIR"), "/languages.rs"));

/// How many entries of `Accept-Language` are read. Browsers send fewer than twenty.
const MAX_ENTRIES: usize = 32;

/// The languages that are compiled in, their identifiers parsed when a process first needs one and not for each call.
static BUILT_IN: LazyLock<Vec<Data>> = LazyLock::new(|| {
    let data = |(file, code): (usize, &'static str)| Data {
        code,
        identifier: code.parse().unwrap_or_default(),
        built_in: Some(file),
        own: Vec::new(),
    };
    CODES.into_iter().enumerate().map(data).collect()
});

/// What a language consists of.
#[derive(Clone, Default)]
struct Data {
    code: &'static str,
    identifier: LanguageIdentifier,
    /// Which of [`SOURCES`] it has. Not the text: *complete* shows no messages, and is 0.1 MB smaller without them.
    built_in: Option<usize>,
    /// The operator's files.
    own: Vec<&'static str>,
}

impl AsRef<LanguageIdentifier> for Data {
    fn as_ref(&self) -> &LanguageIdentifier {
        &self.identifier
    }
}

impl PartialEq for Data {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code
    }
}

impl Eq for Data {}

/// A supported language.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Language(&'static Data);

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Language {
    /// English as it is compiled in, in which every message exists.
    ///
    /// # Panics
    ///
    /// Never: `languages/en.ftl` exists.
    #[must_use]
    pub fn english() -> Self {
        Languages::default().from_code("en").expect("English")
    }

    /// The BCP 47 code, such as `de` or `zh-Hans`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.0.code
    }

    /// `ltr` or `rtl`, the value of the HTML attribute `dir`.
    #[must_use]
    pub fn direction(self) -> &'static str {
        match self.0.identifier.character_direction() {
            CharacterDirection::RTL => "rtl",
            CharacterDirection::LTR | CharacterDirection::TTB => "ltr",
        }
    }

    /// Files of messages. A message of a later one takes the place of an earlier one's.
    fn sources(self) -> impl Iterator<Item = &'static str> {
        self.0.built_in.map(|file| SOURCES[file]).into_iter().chain(self.0.own.iter().copied())
    }

    /// The name of a country or region in this language. `None` if `code` is no code of ISO 3166-1.
    #[must_use]
    pub fn country(self, code: &str) -> Option<&'static str> {
        countries::name(self.code(), code)
    }
}

/// All supported languages: those that are compiled in, and the operator's. Cheap to copy.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Languages(&'static [Data]);

/// Those that are compiled in.
impl Default for Languages {
    fn default() -> Self {
        Self(&BUILT_IN)
    }
}

impl fmt::Debug for Languages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all()).finish()
    }
}

impl Languages {
    /// All of them.
    pub fn all(self) -> impl Iterator<Item = Language> {
        self.0.iter().map(Language)
    }

    /// The language with exactly this code.
    #[must_use]
    pub fn from_code(self, code: &str) -> Option<Language> {
        self.all().find(|language| language.code() == code)
    }

    /// The language for a locale such as `de-AT`, `pt_BR`, `zh_CN.UTF-8` or `es__#u-ms-metric`.
    #[must_use]
    pub fn from_locale(self, locale: &str) -> Option<Language> {
        self.negotiate(&[tag::parse(locale)?])
    }

    /// The preferred supported language in `header` (RFC 9110 section 12.5.4). `None` if there is none among the first entries: as RFC
    /// 4647 section 3.4 has it, `*` means the default, to which a named language is preferred.
    #[must_use]
    pub fn from_accept_language(self, header: &str) -> Option<Language> {
        // fluent-langneg's own parser ignores the weights, and the crate accept-language panics on the weight "nan".
        let mut requested: Vec<(f32, LanguageIdentifier)> =
            header.split(',').take(MAX_ENTRIES).filter_map(parse_entry).collect();
        requested.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        let requested: Vec<LanguageIdentifier> =
            requested.into_iter().map(|(_, language)| language).collect();
        self.negotiate(&requested)
    }

    fn negotiate(self, requested: &[LanguageIdentifier]) -> Option<Language> {
        let best = negotiate_languages(requested, self.0, None, NegotiationStrategy::Lookup);
        best.first().copied().map(Language)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn accepted(header: &str) -> Option<&'static str> {
        Languages::default().from_accept_language(header).map(Language::code)
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
            assert_eq!(Languages::default().from_locale(locale).map(Language::code), expected, "{locale}");
        }
    }

    #[test]
    fn only_arabic_is_written_from_right_to_left() {
        let right_to_left: Vec<_> =
            Languages::default().all().filter(|l| l.direction() == "rtl").map(Language::code).collect();
        assert_eq!(right_to_left, ["ar"]);
    }

    proptest! {
        #[test]
        fn no_header_and_no_locale_can_panic(text in "\\PC{0,200}|[a-zA-Z0-9,;=.*_ #@-]{0,200}") {
            let _ = (Languages::default().from_accept_language(&text), Languages::default().from_locale(&text));
        }

        #[test]
        fn case_separators_and_extensions_change_nothing(
            tag in "(ar|de|en|iw|nl|pt|yue|zh)(-(Hant|Hans|Latn))?(-(AO|BR|CN|HK|PT|TW|419))?",
            extension in "(-u-[a-z]{2}-[a-z]{3,8}|-x-[a-z0-9]{1,8}|-t-[a-z]{2}|\\.UTF-8|@[a-z]{1,8})?",
        ) {
            let plain = Languages::default().from_locale(&tag);
            let written = format!(" {}{extension}\t", tag.to_uppercase().replace('-', "_"));
            prop_assert_eq!(Languages::default().from_locale(&written), plain, "{}", written);
            prop_assert_eq!(Languages::default().from_accept_language(&format!(",{written};Q=0.5,nl")), plain, "{}", written);
        }
    }
}

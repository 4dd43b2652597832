//! The names of countries and regions in each language, as browsers write them (CLDR), for mails.

/// The codes of ISO 3166-1 in the first row, then a row for each language, that begins with its code. The browser tests compare it with
/// Chromium.
const NAMES: &str = include_str!("countries.tsv");

/// The name of the country or region `code` in `language`, or in English if there are none in that language.
pub(super) fn name(language: &str, code: &str) -> Option<&'static str> {
    let mut rows = NAMES.lines();
    let column = rows.next()?.split('\t').position(|header| header == code && !code.is_empty())?;
    let row = |language: &str| {
        rows.clone().map(|row| row.split('\t')).find(|row| row.clone().next() == Some(language))
    };
    row(language).or_else(|| row("en"))?.nth(column)
}

#[cfg(test)]
mod tests {
    use super::super::Languages;
    use super::*;

    #[test]
    fn every_language_has_a_name_for_every_country() {
        let mut codes = NAMES.lines().next().expect("codes").split('\t').skip(1);
        assert_eq!(codes.clone().count(), 250, "ISO 3166-1, and Kosovo");
        assert!(codes.all(|code| Languages::default().all().all(|language| {
            name(language.code(), code).is_some_and(|name| !name.is_empty() && name != code)
        })));
        for language in Languages::default().all() {
            let row = NAMES.lines().find(|row| row.starts_with(&format!("{}\t", language.code())));
            assert_eq!(row.expect("a row").split('\t').count(), 251, "{}", language.code());
        }
        assert!(!NAMES.contains(['<', '>', '{', '\u{2068}', '\u{200f}']));
    }

    #[test]
    fn a_country_is_named_in_the_language_else_in_english() {
        for (language, code, expected) in [
            ("de", "DE", Some("Deutschland")),
            ("zh-Hant", "JP", Some("日本")),
            ("ar", "ZW", Some("زيمبابوي")),
            ("nl", "AD", Some("Andorra")),
            ("de", "ZZ", None),
            ("de", "de", None),
            ("de", "", None),
        ] {
            assert_eq!(name(language, code), expected, "{language} {code}");
        }
    }
}

//! Language tags as they are really written: by browsers, by Android and Java with their extensions, by POSIX and by hand. What can be
//! read of a tag counts; the rest is ignored.

use unic_langid::LanguageIdentifier;
use unic_langid::subtags::{Language, Region, Script};

/// Codes that are deprecated, or belong to a language that is here under its common code. Android and Java still write the first three.
const ALIASES: [(&str, &str); 5] = [("iw", "he"), ("in", "id"), ("ji", "yi"), ("cmn", "zh"), ("yue", "zh")];

/// Where Chinese is written in traditional characters unless the tag names a script (CLDR's likely subtags).
const TRADITIONAL: [&str; 15] =
    ["AU", "BN", "GB", "GF", "HK", "ID", "MO", "PA", "PF", "PH", "SR", "TH", "TW", "US", "VN"];

/// Where Portuguese is that of Portugal (CLDR's parent locales). Elsewhere it is that of Brazil.
const EUROPEAN: [&str; 12] = ["AO", "CH", "CV", "FR", "GQ", "GW", "LU", "MO", "MZ", "PT", "ST", "TL"];

/// The language, script and region in `tag`, such as `de-DE-u-mu-celsius`, `zh_TW.Big5`, `zh_TW_#Hant` or ` de `. Chinese always gets its
/// script, and Portuguese like Portugal's that region: supported languages differ by them.
pub(super) fn parse(tag: &str) -> Option<LanguageIdentifier> {
    // POSIX: a codeset follows the dot, a modifier the at sign.
    let tag = tag.split(['.', '@']).next().unwrap_or_default();
    // Extensions and private use begin with a subtag of one character (RFC 5646 section 2.2.6).
    let mut subtags = tag
        .split(|character: char| !character.is_ascii_alphanumeric())
        .filter(|subtag| !subtag.is_empty())
        .take_while(|subtag| subtag.len() > 1);
    let written: Language = subtags.next()?.parse().ok()?;
    let alias = ALIASES.iter().find(|(code, _)| written == *code);
    let language = alias.and_then(|(_, code)| code.parse().ok()).unwrap_or(written);
    let (mut script, mut region) = (None, None);
    let mut is_traditional = written == "yue";
    for subtag in subtags {
        script = script.or_else(|| subtag.parse::<Script>().ok());
        region = region.or_else(|| subtag.parse::<Region>().ok());
        // Cantonese as an extension of Chinese; Windows' old name for traditional characters.
        is_traditional |= ["yue", "cht"].iter().any(|name| subtag.eq_ignore_ascii_case(name));
    }
    let is_in = |regions: &[&str]| region.is_some_and(|region| regions.contains(&region.as_str()));
    if language == "zh" {
        let likely = if is_traditional || is_in(&TRADITIONAL) { "Hant" } else { "Hans" };
        script = script.or_else(|| likely.parse().ok());
    }
    // Hindi in Latin letters is read by people who may not read ours.
    if language == "hi" && script.is_some_and(|script| script == "Latn") {
        return None;
    }
    if language == "pt" && is_in(&EUROPEAN) {
        region = "PT".parse().ok();
    }
    Some(LanguageIdentifier::from_parts(language, script, region, &[]))
}

#[cfg(test)]
mod tests {
    use icu_locale::fallback::LocaleFallbackConfig;
    use icu_locale::{LanguageIdentifier as Cldr, LocaleExpander, LocaleFallbacker};

    use super::*;

    fn parsed(tag: &str) -> String {
        parse(tag).map(|language| language.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_can_be_read_of_a_tag_counts() {
        for (tag, expected) in [
            ("de-DE-u-mu-celsius", "de-DE"),
            ("es__#u-ms-metric", "es"),
            ("de-x-formal", "de"),
            (" de ", "de"),
            ("DE_at", "de-AT"),
            ("de_DE.UTF-8", "de-DE"),
            ("de_DE@euro", "de-DE"),
            ("de-CH-1996", "de-CH"),
            ("de--DE-", "de-DE"),
            ("de\u{2011}DE", "de-DE"),
            ("\"fr\"", "fr"),
            ("en_US_POSIX", "en-US"),
            ("es-419", "es-419"),
            ("zh_TW_#Hant_x-java", "zh-Hant-TW"),
            ("iw-IL", "he-IL"),
            ("in_ID", "id-ID"),
            ("hi-Latn-IN", ""),
            ("x-formal", ""),
            ("i-klingon", ""),
            ("*", ""),
            ("C", ""),
            ("", ""),
            ("-", ""),
        ] {
            assert_eq!(parsed(tag), expected, "{tag:?}");
        }
    }

    #[test]
    fn chinese_always_has_a_script() {
        for tag in [
            "zh-TW",
            "zh-Hant-TW",
            "zh_HK",
            "zh-MO",
            "zh-Hant",
            "ZH-HANT-SG",
            "yue",
            "zh-yue",
            "zh-CHT",
            "cmn-TW",
        ] {
            assert!(parsed(tag).starts_with("zh-Hant"), "{tag}");
        }
        for tag in [
            "zh",
            "zh-CN",
            "zh-SG",
            "zh-Hans",
            "zh-Hans-TW",
            "zh-CHS",
            "zh_CN.GB18030",
            "zh-cmn",
            "cmn",
            "yue-Hans",
        ] {
            assert!(parsed(tag).starts_with("zh-Hans"), "{tag}");
        }
    }

    /// CLDR by way of ICU4X, which would add 60 KB to each binary.
    #[test]
    fn regions_mean_what_they_mean_in_cldr() {
        let expander = LocaleExpander::new_common();
        let fallbacker = LocaleFallbacker::new();
        for region in (b'A'..=b'Z').flat_map(|first| (b'A'..=b'Z').map(move |second| [first, second])) {
            let region = String::from_utf8_lossy(&region).into_owned();
            let mut chinese: Cldr = format!("zh-{region}").parse().expect("a tag");
            expander.maximize(&mut chinese);
            let script = chinese.script.expect("a script").to_string();
            assert!(parsed(&format!("zh-{region}")).contains(&script), "{region}: {script}");

            let tag = format!("pt-{region}");
            let portuguese: Cldr = tag.parse().expect("a tag");
            let mut parents =
                fallbacker.for_config(LocaleFallbackConfig::default()).fallback_for((&portuguese).into());
            let is_european = (0..2).any(|_| {
                let is_portugal = parents.get().to_string() == "pt-PT";
                parents.step();
                is_portugal
            });
            assert_eq!(parsed(&tag) == "pt-PT", is_european, "{tag}");
        }
    }
}

//! E-mail addresses, in the form that Rekey compares and stores.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use email_address::{EmailAddress as Syntax, Options};
use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;

/// RFC 5321 section 4.5.3.1.3: a path holds at most 256 octets, two of them the angle brackets.
const MAX_LENGTH: usize = 254;

/// Characters allowed in an address besides letters and digits: RFC 5322's `atext`, the dot and the at sign.
const SYMBOLS: &[u8] = b"!#$%&'*+-/=?^_`{|}~.@";

/// The longest text that is looked at: UTF-8 takes at most four bytes for a character, Punycode at least one.
const MAX_TEXT: usize = 4 * MAX_LENGTH;

/// A valid address, compared in lower case, without surrounding white space and invisible characters.
///
/// ASCII only: letters of other alphabets look like Latin ones, and a look-alike of an address must not find that account. A domain in its
/// own letters becomes Punycode (`xn--…`), which differs from every look-alike. Quoted local parts and address literals are refused: they are practically unused, and can
/// carry special characters past parsers.
///
/// `Debug` is redacted, and there is no `Display` or `Serialize`: addresses must not be logged.
#[derive(Clone)]
pub struct EmailAddress {
    address: String,
    /// As typed, where that differs, with the domain in its own letters: some tables store addresses so.
    typed: Option<String>,
}

/// However it was typed, it is the same address.
impl PartialEq for EmailAddress {
    fn eq(&self, other: &Self) -> bool {
        self.address == other.address
    }
}

impl Eq for EmailAddress {}

/// Why a text is not an address that Rekey accepts.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailAddressError {
    /// Longer than RFC 5321 allows.
    #[error("must be at most 254 characters long")]
    TooLong,
    /// Contains a character outside printable ASCII.
    #[error("must contain printable ASCII characters only before the @")]
    NotAscii,
    /// Not the form of an address.
    #[error("must be an e-mail address such as name@example.com")]
    Malformed,
}

impl EmailAddress {
    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.address
    }

    /// The address as typed, if that has other letters. May hold letters outside ASCII in the domain.
    #[must_use]
    pub fn typed(&self) -> Option<&str> {
        self.typed.as_deref()
    }

    /// The address in lower case, and as typed where that differs.
    pub fn spellings(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.as_str()).chain(self.typed())
    }
}

impl FromStr for EmailAddress {
    type Err = EmailAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // People paste addresses with such characters around them.
        let text = text.trim_matches(is_blank);
        if text.len() > MAX_TEXT {
            return Err(EmailAddressError::TooLong);
        }
        let typed = text;
        let text = &*with_ascii_domain(text).ok_or(EmailAddressError::NotAscii)?;
        if text.len() > MAX_LENGTH {
            return Err(EmailAddressError::TooLong);
        }
        if !text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            return Err(EmailAddressError::NotAscii);
        }
        let options = Options::default().with_required_tld().without_display_text().without_domain_literal();
        Syntax::parse_with_options(text, options).map_err(|_| EmailAddressError::Malformed)?;
        // The crate accepts " <a@b.cd> ", found by fuzzing.
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || SYMBOLS.contains(&byte)) {
            return Err(EmailAddressError::Malformed);
        }
        let address = text.to_ascii_lowercase();
        let typed = (address != typed).then(|| typed.to_owned());
        Ok(Self { address, typed })
    }
}

fn is_blank(character: char) -> bool {
    character.is_whitespace() || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
}

/// `text` with each label of the domain that is not ASCII in Punycode, as SES wants it. `None` if one has no Punycode, or maps to ASCII
/// letters (fullwidth ones, a long s): that is a look-alike of another domain.
#[must_use]
pub fn with_ascii_domain(text: &str) -> Option<Cow<'_, str>> {
    let Some((local, domain)) = text.rsplit_once('@').filter(|(_, domain)| !domain.is_ascii()) else {
        return Some(text.into());
    };
    let label = |label: &str| {
        if label.is_ascii() {
            return Some(label.to_owned());
        }
        let ascii = idna::domain_to_ascii_strict(label).ok()?;
        (ascii.starts_with("xn--") && !ascii.contains('.')).then_some(ascii)
    };
    let labels: Option<Vec<String>> = domain.split('.').map(label).collect();
    Some(format!("{local}@{}", labels?.join(".")).into())
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_compared_in_lower_case() {
        let typed: EmailAddress = "Ann.Smith+x@Example.COM".parse().expect("an address");
        assert_eq!(typed.as_str(), "ann.smith+x@example.com");
    }

    #[test]
    fn white_space_around_an_address_is_dropped() {
        for text in
            [" ann@example.com", "ann@example.com ", "\tann@example.com\r\n", "\u{a0}ann@example.com\u{2003}"]
        {
            assert_eq!(text.parse::<EmailAddress>().expect(text).as_str(), "ann@example.com");
        }
    }

    #[test]
    fn invisible_characters_around_an_address_are_dropped() {
        for blank in
            ["\u{200b}", "\u{feff}", "\u{2060}", "\u{ad}", "\u{202a}", "\u{2069}", "\u{3164}", " \u{200d}\n"]
        {
            let text = format!("{blank}ann@example.com{blank}");
            assert_eq!(text.parse::<EmailAddress>().expect(&text).as_str(), "ann@example.com");
        }
        assert!("an\u{200b}n@example.com".parse::<EmailAddress>().is_err());
        assert!("ann@exam\u{200b}ple.com".parse::<EmailAddress>().is_err());
    }

    #[test]
    fn a_domain_in_its_own_letters_is_compared_in_punycode() {
        for (text, address) in [
            ("info@bücher.example", "info@xn--bcher-kva.example"),
            ("Info@BÜCHER.Example", "info@xn--bcher-kva.example"),
            ("info@bu\u{308}cher.example", "info@xn--bcher-kva.example"),
            ("info@xn--bcher-kva.example", "info@xn--bcher-kva.example"),
            ("a@例え.テスト", "a@xn--r8jz45g.xn--zckzah"),
            ("a@mail.straße.de", "a@mail.xn--strae-oqa.de"),
            ("a@пример.рф", "a@xn--e1afmkfd.xn--p1ai"),
        ] {
            assert_eq!(text.parse::<EmailAddress>().expect(text).as_str(), address);
        }
        for typed in ["Info@bücher.example", "info@bücher.example", "info@XN--bcher-kva.example"] {
            let address: EmailAddress = typed.parse().expect("an address");
            let spellings: Vec<&str> = address.spellings().collect();
            assert_eq!(spellings, ["info@xn--bcher-kva.example", typed]);
        }
    }

    #[test]
    fn a_domain_that_maps_to_another_one_in_ascii_is_refused() {
        for domain in [
            "ｅxample.com",
            "example.ｃom",
            "example。com",
            "ſervice.com",
            "\u{212a}elvin.com",
            "①.com",
            "ex\u{ad}ample.com",
        ] {
            let text = format!("ann@{domain}");
            assert_eq!(text.parse::<EmailAddress>(), Err(EmailAddressError::NotAscii), "{text:?}");
        }
    }

    #[test]
    fn invalid_addresses_are_refused() {
        for text in [
            "",
            " ",
            "@",
            "a@",
            "@b.c",
            "a@b",
            "a b@c.de",
            "a@b..de",
            "a@b.de,c@d.ef",
            "<a@b.de>",
            "A <a@b.de>",
            "a@[127.0.0.1]",
            "\"a b\"@c.de",
            "a@b.de\r\nBcc: c@d.ef",
            "a\0@b.de",
            " <a@b.cd> ",
            "a@-b.de",
            ".a@b.de",
            "a.@b.de",
            "a..b@c.de",
        ] {
            assert!(text.parse::<EmailAddress>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn look_alike_letters_are_refused() {
        // Cyrillic а, Turkish dotless ı, Kelvin sign K (lower-cases to k), full-width ＠, a combining accent.
        for text in
            ["аnn@example.com", "mıke@example.com", "mi\u{212a}e@example.com", "a＠b.de", "e\u{301}@b.de"]
        {
            assert_eq!(text.parse::<EmailAddress>(), Err(EmailAddressError::NotAscii), "{text:?}");
        }
    }

    #[test]
    fn an_address_has_at_most_254_characters() {
        let domain = ["d", "e", "f"].map(|letter| letter.repeat(62)).join(".");
        let longest = format!("{}@{domain}.com", "a".repeat(254 - domain.len() - 5));
        assert_eq!(longest.len(), 254);
        assert!(longest.parse::<EmailAddress>().is_ok());
        assert_eq!(format!("a{longest}").parse::<EmailAddress>(), Err(EmailAddressError::TooLong));
    }

    #[test]
    fn debug_output_hides_the_address() {
        let address: EmailAddress = "ann@example.com".parse().expect("an address");
        assert!(!format!("{address:?}").contains("ann"));
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_accepts_only_plain_addresses(text in "\\PC*|[ -~]{0,300}|[a-z.+\"@\\[\\]()\\\\ ]{0,40}") {
            if let Ok(address) = text.parse::<EmailAddress>() {
                let accepted = address.as_str();
                prop_assert!(accepted.is_ascii() && !accepted.contains(['\r', '\n', ' ', ',', '<', '>', '"']));
                prop_assert_eq!(accepted.matches('@').count(), 1);
                for spelling in address.spellings() {
                    prop_assert_eq!(&spelling.parse::<EmailAddress>().expect("still an address"), &address);
                }
            }
        }
    }
}

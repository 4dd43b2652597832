//! The sender as SES wants it: its display name in ASCII, other letters as RFC 2047 encoded words.

use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::email::EmailAddress;

/// RFC 2047 section 2: an encoded word has at most 75 characters. 12 of them are `=?UTF-8?B?` and `?=`; 45 bytes become 60 characters of
/// base64.
const MAX_WORD: usize = 45;

/// A mailbox (RFC 5322 section 3.4): an address, perhaps with a display name in any letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    header: String,
    address: String,
}

/// The settings of mails.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// The sender, an identity verified with SES.
    pub from: Mailbox,
    /// The `Reply-To` address, if not the sender.
    pub reply_to: Option<Mailbox>,
    /// The SES configuration set.
    pub configuration_set: Option<String>,
}

/// The text is not a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an e-mail address, or a name and an address: \"Name\" <name@example.com>")]
pub struct ParseMailboxError;

impl Mailbox {
    /// The mailbox as a header field and SES take it: ASCII, in one line.
    #[must_use]
    pub fn as_header(&self) -> &str {
        &self.header
    }

    /// The address alone.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl FromStr for Mailbox {
    type Err = ParseMailboxError;

    fn from_str(text: &str) -> Result<Self, ParseMailboxError> {
        let text = text.trim();
        let (name, address) = match text.strip_suffix('>') {
            Some(rest) => rest.rsplit_once('<').ok_or(ParseMailboxError)?,
            None => ("", text),
        };
        let parsed: EmailAddress = address.parse().map_err(|_| ParseMailboxError)?;
        // SES compares the case of local parts, so the address stays as it was verified.
        let address = if address.is_ascii() { address.trim() } else { parsed.as_str() }.to_owned();
        let header = match encode(name.trim())? {
            Some(name) => format!("{name} <{address}>"),
            None => address.clone(),
        };
        Ok(Self { header, address })
    }
}

/// The display name `written`, quoted or not, as a phrase of RFC 5322. `None` if it is empty.
fn encode(written: &str) -> Result<Option<String>, ParseMailboxError> {
    // Already encoded, as was necessary before Rekey did it. In quotation marks it would be shown as it is.
    if written.starts_with("=?")
        && written.ends_with("?=")
        && written.bytes().all(|byte| byte.is_ascii_graphic())
    {
        return Ok(Some(written.to_owned()));
    }
    let name = match written.strip_prefix('"') {
        Some(rest) => unquote(rest.strip_suffix('"').ok_or(ParseMailboxError)?)?,
        None => written.to_owned(),
    };
    if name.chars().any(char::is_control) {
        return Err(ParseMailboxError);
    }
    Ok(match name.as_str() {
        "" => None,
        name if name.is_ascii() => Some(format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))),
        name => Some(encoded_words(name)),
    })
}

/// The content of a quoted string, without the backslashes that quote characters.
fn unquote(quoted: &str) -> Result<String, ParseMailboxError> {
    let mut name = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        name.push(match character {
            '\\' => characters.next().ok_or(ParseMailboxError)?,
            '"' => return Err(ParseMailboxError),
            other => other,
        });
    }
    Ok(name)
}

/// `name` as encoded words (RFC 2047), which readers join without the spaces between them. No character is divided (section 5). The crate
/// `email-encoding` does the same, but breaks lines, which SES does itself, and brings a second base64.
fn encoded_words(name: &str) -> String {
    let mut words = vec![String::new()];
    for character in name.chars() {
        match words.last_mut() {
            Some(word) if word.len() + character.len_utf8() <= MAX_WORD => word.push(character),
            _ => words.push(character.to_string()),
        }
    }
    let encoded = words.iter().map(|word| format!("=?UTF-8?B?{}?=", BASE64_STANDARD.encode(word)));
    encoded.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(text: &str) -> String {
        text.parse().map(|mailbox: Mailbox| mailbox.as_header().to_owned()).unwrap_or_default()
    }

    #[test]
    fn names_are_quoted_or_encoded() {
        for (text, expected) in [
            ("no-reply@example.com", "no-reply@example.com"),
            ("<No-Reply@example.com>", "No-Reply@example.com"),
            ("Ann <a@b.de>", "\"Ann\" <a@b.de>"),
            ("\"Smith, Ann\" <a@b.de>", "\"Smith, Ann\" <a@b.de>"),
            ("Ann & Co (UK) <a@b.de>", "\"Ann & Co (UK)\" <a@b.de>"),
            (r#""Ann \"A\" \\ <x>" <a@b.de>"#, r#""Ann \"A\" \\ <x>" <a@b.de>"#),
            (r#"Ann "A" <a@b.de>"#, r#""Ann \"A\"" <a@b.de>"#),
            ("\"Bücherei\" <a@b.de>", "=?UTF-8?B?QsO8Y2hlcmVp?= <a@b.de>"),
            ("株式会社 <a@b.de>", "=?UTF-8?B?5qCq5byP5Lya56S+?= <a@b.de>"),
            ("=?UTF-8?B?QsO8Y2hlcmVp?= <a@b.de>", "=?UTF-8?B?QsO8Y2hlcmVp?= <a@b.de>"),
            ("\"\" <a@b.de>", "a@b.de"),
        ] {
            assert_eq!(header(text), expected, "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "nobody",
            "Ann a@b.de",
            "Ann <a@b.de",
            "Ann <>",
            "\"Ann <a@b.de>",
            "\"Ann\" x\" <a@b.de>",
            "\"Ann\\\" <a@b.de>",
            "A\r\nBcc: c@d.ef <a@b.de>",
            "a@b.de, c@d.ef",
            "a@b.de <c@d.ef>, <e@f.gh",
        ] {
            assert_eq!(text.parse::<Mailbox>(), Err(ParseMailboxError), "{text}");
        }
    }

    /// What a reader shows: RFC 2047 section 6.2, for encoded words alone.
    fn decoded(words: &str) -> String {
        let decode = |word: &str| {
            let text =
                word.strip_prefix("=?UTF-8?B?").and_then(|rest| rest.strip_suffix("?=")).expect("a word");
            assert!(word.len() <= 75, "{word}");
            String::from_utf8(BASE64_STANDARD.decode(text).expect("base64")).expect("whole characters")
        };
        words.split(' ').map(decode).collect()
    }

    proptest! {
        #[test]
        fn a_name_in_any_letters_arrives_as_it_was(name in "[^\\x00-\\x1f\\x7f-\\x9f\"\\\\]{1,80}") {
            let name = name.trim();
            prop_assume!(!name.is_empty());
            let mailbox: Mailbox = format!("\"{name}\" <a@b.de>").parse().expect("a mailbox");
            let (phrase, address) = mailbox.as_header().rsplit_once(' ').expect("a name");
            prop_assert_eq!(address, "<a@b.de>");
            prop_assert!(phrase.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
            if name.is_ascii() {
                prop_assert_eq!(phrase, format!("\"{name}\""));
            } else {
                prop_assert_eq!(decoded(phrase), name);
            }
        }

        #[test]
        fn no_text_can_panic_or_add_a_line(text in "\\PC{0,80}|[ -~]{0,60}|[\"\\\\<>a@.b ]{0,30}") {
            if let Ok(mailbox) = text.parse::<Mailbox>() {
                prop_assert!(mailbox.as_header().bytes().all(|byte| (0x20..0x7f).contains(&byte)));
                prop_assert!(mailbox.as_header().contains(mailbox.address()));
            }
        }
    }
}

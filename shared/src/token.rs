//! The two tokens. A [`RequestToken`] proves that its holder opened a reset, a [`ResetToken`] that they read the account's mail. Two types,
//! so that one cannot be passed for the other.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use crate::random::{Random, RandomError};

/// Length of a token: 20 characters of 62 are 119 bits. OWASP ASVS 5 asks for 64 bits in a one-time token, and 128 in a *session* token.
const LENGTH: usize = 20;
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Bytes from this on are rejected: with them, some characters would be likelier than others.
const REJECTED_FROM: u8 = 62 * 4;

/// The SHA-256 of a secret in base64url without padding, as stored in the tables. An unsalted, fast hash is enough: 119 random bits cannot
/// be guessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest(String);

impl Digest {
    /// The digest of `secret`.
    #[must_use]
    pub fn of(secret: &str) -> Self {
        Self(BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(secret)))
    }

    /// 43 characters of base64url.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// 20 characters `[A-Za-z0-9]`, of either kind of token. `Debug` is redacted.
#[derive(Clone)]
pub struct Token(SecretString);

impl Token {
    /// A fresh token.
    pub fn generate(random: &Random) -> Result<Self, RandomError> {
        let mut text = String::with_capacity(LENGTH);
        while text.len() < LENGTH {
            let [byte] = random.bytes()?;
            if byte < REJECTED_FROM {
                text.push(char::from(ALPHABET[usize::from(byte % 62)]));
            }
        }
        Ok(Self(text.into()))
    }

    /// The token in `text`. `None` if it is malformed; callers treat that as unknown.
    #[must_use]
    pub fn parse(text: String) -> Option<Self> {
        let text = SecretString::from(text);
        let is_valid = text.expose_secret().len() == LENGTH
            && text.expose_secret().bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_valid.then_some(Self(text))
    }

    /// The digest, as stored in the tables.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.expose_secret())
    }

    /// The clear text, to send it to its owner.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Identifies a reset request, for the caller who opened it. Does not prove access to the mailbox.
#[derive(Clone, Debug)]
pub struct RequestToken(pub Token);

/// Lets its holder set the password once. Only sent by mail.
#[derive(Clone, Debug)]
pub struct ResetToken(pub Token);

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_is_20_letters_and_digits_and_never_the_same_twice() {
        let random = Random::operating_system();
        let tokens: std::collections::HashSet<String> =
            (0..2000).map(|_| Token::generate(&random).expect("bytes").expose_secret().to_owned()).collect();
        assert_eq!(tokens.len(), 2000);
        assert!(tokens.iter().all(|token| Token::parse(token.clone()).is_some()));
    }

    #[test]
    fn every_character_is_drawn_equally_often() {
        // All 256 bytes in turn: after the rejected ones, each character must come up exactly four times.
        let next = AtomicU8::new(0);
        let random = Random::new(move |bytes| {
            bytes.fill_with(|| next.fetch_add(1, Ordering::Relaxed));
            Ok(())
        });
        let drawn: String =
            (0..62).map(|_| Token::generate(&random).expect("bytes").expose_secret().to_owned()).collect();
        for character in ALPHABET {
            assert_eq!(
                drawn.bytes().filter(|byte| byte == character).count(),
                20,
                "{}",
                char::from(*character)
            );
        }
    }

    #[test]
    fn a_generators_failure_is_an_error() {
        assert!(Token::generate(&Random::new(|_| Err(RandomError))).is_err());
    }

    #[test]
    fn the_digest_is_sha_256_in_base64url() {
        // FIPS 180-4's "abc" example, in base64url.
        assert_eq!(Digest::of("abc").as_str(), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
    }

    #[test]
    fn debug_output_hides_the_token() {
        let token = Token::parse("A".repeat(20)).expect("a token");
        assert_eq!(
            format!("{:?} {:?}", RequestToken(token.clone()), ResetToken(token)),
            "RequestToken(Token(…)) ResetToken(Token(…))"
        );
    }

    proptest! {
        #[test]
        fn only_20_letters_and_digits_parse(text in "\\PC{0,40}|[A-Za-z0-9]{18,22}") {
            let expected = text.len() == 20 && text.chars().all(|c| c.is_ascii_alphanumeric());
            prop_assert_eq!(Token::parse(text).is_some(), expected);
        }
    }
}

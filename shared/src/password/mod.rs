//! The password policy, after NIST SP 800-63B-4 section 3.1.1 and OWASP ASVS 5.0 section 6.2: minimum length and guessability, no
//! composition rules.

mod estimate;
pub mod hash;

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use zxcvbn::feedback::{Feedback, Warning};

use self::estimate::weakness;
use crate::email::EmailAddress;

/// The longest password accepted, in Unicode characters. NIST requires at least 64. A limit keeps hashing and estimation cheap.
pub const MAX_LENGTH: usize = 128;

/// The password policy.
#[derive(Clone, Debug)]
pub struct PasswordPolicy {
    /// Minimum length in Unicode characters.
    pub min_length: usize,
    /// The service's name: passwords based on it are easy to guess.
    pub service_name: String,
    /// Whether passwords are hashed with bcrypt, which takes 72 bytes and no NUL.
    pub is_bcrypt: bool,
}

/// The bytes of a password that bcrypt takes.
const BCRYPT_MAX_BYTES: usize = 72;

/// How long a password in ASCII may be, where passwords are hashed with bcrypt or not.
#[must_use]
pub const fn max_length(is_bcrypt: bool) -> usize {
    if is_bcrypt { BCRYPT_MAX_BYTES } else { MAX_LENGTH }
}

/// A password that the policy accepts, exactly as sent. `Debug` is redacted. Dropping it wipes this copy, but not the runtime's buffer
/// with the event.
pub struct NewPassword(SecretString);

/// Why the policy refuses a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// Fewer characters than the minimum.
    #[error("The password must be at least {min_length} characters long.")]
    TooShort {
        /// The minimum.
        min_length: usize,
    },
    /// More than [`MAX_LENGTH`] characters.
    #[error("The password must be at most 128 characters long.")]
    TooLong,
    /// More than 72 bytes of UTF-8, or more than [`MAX_LENGTH`] characters. Only with bcrypt, which would ignore the others.
    #[error(
        "The password is too long: it must be at most 72 bytes in UTF-8, in which a letter outside of English takes two to four."
    )]
    TooManyBytes,
    /// Only with bcrypt, which would ignore what follows.
    #[error("The password must not contain the character NUL.")]
    ContainsNul,
    /// A server of known breached passwords lists it.
    #[error("The password is known from a data breach, so attackers try it. Choose another one.")]
    Breached,
    /// zxcvbn's score is too low.
    #[error("The password is too easy to guess. {advice}")]
    Guessable {
        /// zxcvbn's advice, or a default.
        advice: String,
        /// What makes it easy to guess.
        pattern: Pattern,
    },
}

impl Weakness {
    /// The weakness's stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooShort { .. } => "password_too_short",
            Self::TooLong => "password_too_long",
            Self::TooManyBytes => "password_too_many_bytes",
            Self::ContainsNul => "password_contains_nul",
            Self::Breached => "password_breached",
            Self::Guessable { .. } => "password_guessable",
        }
    }

    /// The stable code of a guessable password's [`Pattern`].
    #[must_use]
    pub const fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Guessable { pattern, .. } => Some(pattern.code()),
            _ => None,
        }
    }
}

/// What makes a password easy to guess: zxcvbn's warnings, grouped by the advice that helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// A widely used password, or one like it.
    Common,
    /// Dates or years.
    Dates,
    /// Adjacent keys.
    Keyboard,
    /// Names.
    Names,
    /// Repeated characters or words.
    Repeats,
    /// Sequences such as abc.
    Sequence,
    /// Too few words, or no specific warning.
    Words,
}

impl Pattern {
    /// All patterns.
    pub const ALL: [Self; 7] =
        [Self::Common, Self::Dates, Self::Keyboard, Self::Names, Self::Repeats, Self::Sequence, Self::Words];

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Common => "common",
            Self::Dates => "dates",
            Self::Keyboard => "keyboard",
            Self::Names => "names",
            Self::Repeats => "repeats",
            Self::Sequence => "sequence",
            Self::Words => "words",
        }
    }

    const fn from_warning(warning: Warning) -> Self {
        match warning {
            Warning::StraightRowsOfKeysAreEasyToGuess | Warning::ShortKeyboardPatternsAreEasyToGuess => {
                Self::Keyboard
            }
            Warning::RepeatsLikeAaaAreEasyToGuess
            | Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess => Self::Repeats,
            Warning::ThisIsATop10Password
            | Warning::ThisIsATop100Password
            | Warning::ThisIsACommonPassword
            | Warning::ThisIsSimilarToACommonlyUsedPassword => Self::Common,
            Warning::SequencesLikeAbcAreEasyToGuess => Self::Sequence,
            Warning::RecentYearsAreEasyToGuess | Warning::DatesAreOftenEasyToGuess => Self::Dates,
            Warning::NamesAndSurnamesByThemselvesAreEasyToGuess
            | Warning::CommonNamesAndSurnamesAreEasyToGuess => Self::Names,
            Warning::AWordByItselfIsEasyToGuess => Self::Words,
        }
    }
}

impl PasswordPolicy {
    /// Checks `password`. `address` is the account's, if known.
    ///
    /// # Errors
    ///
    /// Every [`Weakness`], at least one.
    pub fn check(
        &self,
        password: SecretString,
        address: Option<&EmailAddress>,
    ) -> Result<NewPassword, Vec<Weakness>> {
        let length = password.expose_secret().chars().count();
        if length > MAX_LENGTH {
            // No estimate: its cost grows faster than the length.
            return Err(vec![if self.is_bcrypt { Weakness::TooManyBytes } else { Weakness::TooLong }]);
        }
        let mut weaknesses = Vec::new();
        if length < self.min_length {
            weaknesses.push(Weakness::TooShort { min_length: self.min_length });
        }
        if self.is_bcrypt && password.expose_secret().len() > BCRYPT_MAX_BYTES {
            weaknesses.push(Weakness::TooManyBytes);
        }
        if self.is_bcrypt && password.expose_secret().contains('\0') {
            weaknesses.push(Weakness::ContainsNul);
        }
        if let Some(estimate) = weakness(password.expose_secret(), &self.service_name, address) {
            let warning = estimate.feedback().and_then(Feedback::warning);
            let advice = warning
                .map(|warning| warning.to_string())
                .or_else(|| estimate.feedback()?.suggestions().first().map(ToString::to_string))
                .unwrap_or_else(|| "Use a few unrelated words.".to_owned());
            let pattern = warning.map_or(Pattern::Words, Pattern::from_warning);
            weaknesses.push(Weakness::Guessable { advice, pattern });
        }
        if weaknesses.is_empty() { Ok(NewPassword(password)) } else { Err(weaknesses) }
    }
}

impl NewPassword {
    /// The clear text, for the hash function.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn policy(min_length: usize) -> PasswordPolicy {
        PasswordPolicy { min_length, service_name: "Rekey".to_owned(), is_bcrypt: false }
    }

    fn check(min_length: usize, password: &str, address: Option<&str>) -> Result<NewPassword, Vec<Weakness>> {
        let address = address.map(|text| text.parse().expect("an address"));
        policy(min_length).check(password.into(), address.as_ref())
    }

    #[test]
    fn the_documented_passwords_are_accepted() {
        for password in ["crux_is_awesome", "correct horse battery staple"] {
            assert!(check(15, password, Some("mrbailey@projectthanos.com")).is_ok(), "{password}");
        }
    }

    #[test]
    fn a_password_is_kept_exactly_as_sent() {
        let odd = " \u{0}e\u{301} \u{212b} trailing blanks count   ";
        assert_eq!(check(15, odd, None).expect("accepted").expose_secret(), odd);
    }

    #[test]
    fn length_counts_characters_not_bytes() {
        assert!(check(15, "žluťoučký kůň úpí", None).is_ok());
        let short = check(15, "ž🐎úpěl ďábel", None).expect_err("13 characters");
        assert!(short.contains(&Weakness::TooShort { min_length: 15 }));
        let long = "žluťoučký kůň úpěl ďábelské ódy ".repeat(5);
        assert!(check(15, &long.chars().take(128).collect::<String>(), None).is_ok());
        assert_eq!(
            check(15, &long.chars().take(129).collect::<String>(), None).expect_err("129"),
            [Weakness::TooLong]
        );
    }

    #[test]
    fn guessable_passwords_are_refused_whatever_their_length() {
        for password in
            ["passwordpassword", "aaaaaaaaaaaaaaaaaaaa", "abcdefghijklmnopqrstuvwxyz", "1234567890123456"]
        {
            assert!(
                matches!(check(15, password, None).expect_err(password)[..], [Weakness::Guessable { .. }]),
                "{password}"
            );
        }
    }

    #[test]
    fn one_strong_end_of_a_long_password_is_enough() {
        let (weak, strong) = ("password".repeat(4), "tG7#qv0Lr!zXw9@KpM2$eYb5^Hd8&Jc1*Nf4(Us6");
        assert!(check(15, &format!("{weak}{strong}"), None).is_ok());
        assert!(check(15, &format!("{strong}{weak}"), None).is_ok());
        assert!(check(15, &weak.repeat(2), None).is_err());
        assert!(check(15, &"a".repeat(100), None).is_err());
    }

    #[test]
    fn a_password_made_of_the_address_or_the_service_is_refused() {
        let address = "alexandrina.featherstone@wonderfulwidgets.example";
        for password in [address, "alexandrina.featherstone", "wonderfulwidgets", "featherstone1"] {
            assert!(check(8, password, Some(address)).is_err(), "{password}");
        }
        let named = PasswordPolicy { service_name: "Quixotryclub".to_owned(), ..policy(8) };
        assert!(named.check("Quixotryclub1".into(), None).is_err());
    }

    #[test]
    fn bcrypt_takes_72_bytes_and_no_nul() {
        let bcrypt = PasswordPolicy { is_bcrypt: true, ..policy(15) };
        let quiet = "a quiet lamp, a post, a sofa and an unread newspaper on the window sill!";
        assert_eq!(quiet.len(), 72);
        assert!(bcrypt.check(quiet.into(), None).is_ok());
        let check = |password: &str| bcrypt.check(password.into(), None).err();
        assert_eq!(check(&format!("{quiet}!")), Some(vec![Weakness::TooManyBytes]));
        assert_eq!(check(&quiet.replace("post", "pöst")), Some(vec![Weakness::TooManyBytes]), "73 bytes");
        assert_eq!(check(&quiet.repeat(2)), Some(vec![Weakness::TooManyBytes]), "not 128 characters");
        assert_eq!(check("a quiet lamp\0 a post"), Some(vec![Weakness::ContainsNul]));
        let argon2id = policy(15);
        for password in [format!("{quiet}!"), "a quiet lamp\0 a post".to_owned()] {
            assert!(argon2id.check(password.into(), None).is_ok());
        }
    }

    proptest! {
        #[test]
        fn checking_never_panics_and_the_bounds_hold(password in "\\PC{0,200}") {
            let length = password.chars().count();
            let checked = check(15, &password, Some("ann@example.com"));
            prop_assert!(checked.is_err() || (15..=128).contains(&length));
        }
    }
}

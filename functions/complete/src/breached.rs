//! Passwords known from breaches, which NIST SP 800-63B-4 section 3.1.1.2 wants refused: asks a server with the interface of Pwned
//! Passwords (<https://haveibeenpwned.com/API/v3#PwnedPasswords>), which sees five hexadecimal digits of the password's SHA-1.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Bytes;
use secrecy::{ExposeSecret as _, SecretString};
use sha1::{Digest as _, Sha1};
use shared::aws::Https;
use shared::password::NewPassword;
use tokio::time::{Instant, timeout};

/// For name, connection and answer together: a person waits.
const TIMEOUT: Duration = Duration::from_secs(1);

/// How long checks without a token do not ask after a time-out. Each would take an execution of *complete* for a second, and anybody can
/// send them.
const PAUSE: Duration = Duration::from_secs(5);

/// Pwned Passwords' longest answers, with padding, have some 60 KB.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// A server of known breached passwords.
#[derive(Debug)]
pub(crate) struct BreachedPasswords {
    range: String,
    https: Https,
    paused_until: Mutex<Option<Instant>>,
}

/// What the server says of a password.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Listing {
    /// It is known from a breach.
    Listed,
    /// It is not.
    NotListed,
    /// Nothing that can be used. Holds the reason, for the log.
    Unknown(String),
}

impl BreachedPasswords {
    /// Asks the server at `range`, a URL that ends in a slash, over `https`.
    pub(crate) const fn new(range: String, https: Https) -> Self {
        Self { range, https, paused_until: Mutex::new(None) }
    }

    /// Asks for `password`. `is_live` is whether the caller has a live token.
    pub(crate) async fn look_up(&self, password: &NewPassword, is_live: bool) -> Listing {
        if !is_live && self.is_paused() {
            return Listing::Unknown("was not asked, since it did not answer a moment ago".to_owned());
        }
        let digest = hex_sha1(password.expose_secret());
        let (prefix, suffix) = digest.expose_secret().split_at(5);
        let url = format!("{}{prefix}", self.range);
        match timeout(TIMEOUT, self.https.get(&url, &[("add-padding", "true")], MAX_ANSWER_BYTES)).await {
            Ok(Ok(answer)) => find(&answer, suffix),
            Ok(Err(problem)) => Listing::Unknown(problem),
            Err(_) => {
                *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some(Instant::now() + PAUSE);
                Listing::Unknown("did not answer within a second".to_owned())
            }
        }
    }

    fn is_paused(&self) -> bool {
        let paused_until = *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        paused_until.is_some_and(|until| Instant::now() < until)
    }
}

fn hex_sha1(password: &str) -> SecretString {
    let digest = Bytes::from_iter(Sha1::digest(password));
    format!("{digest:X}").into()
}

/// Looks for `suffix` in lines of the form `SUFFIX:COUNT`. Padding has the count 0.
fn find(answer: &[u8], suffix: &str) -> Listing {
    let lines = str::from_utf8(answer).unwrap_or("not UTF-8").lines().map(str::trim_end);
    let mut listing = Listing::NotListed;
    for line in lines.filter(|line| !line.is_empty()) {
        let entry = line.split_once(':').filter(|(digits, _)| {
            digits.len() == suffix.len() && digits.bytes().all(|b| b.is_ascii_hexdigit())
        });
        let Some((digits, Ok(count))) = entry.map(|(digits, count)| (digits, count.parse::<u64>())) else {
            return Listing::Unknown("answered something else than lines of SUFFIX:COUNT".to_owned());
        };
        if count > 0 && digits.eq_ignore_ascii_case(suffix) {
            listing = Listing::Listed;
        }
    }
    listing
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SUFFIX: &str = "1E4C9B93F3F0682250B6CF8331B7EE68FD8";

    #[test]
    fn the_digest_is_sha_1_in_upper_case() {
        // The example of Pwned Passwords' documentation.
        assert_eq!(hex_sha1("password").expose_secret(), format!("5BAA6{SUFFIX}"));
    }

    #[test]
    fn a_count_above_zero_lists_a_password_and_padding_does_not() {
        let other = "0018A45C4D1DEF81644B54AB7F969B88D65";
        for (answer, listing) in [
            (format!("{other}:3\r\n{SUFFIX}:1"), Listing::Listed),
            (format!("{}:52579\n{other}:0\n", SUFFIX.to_lowercase()), Listing::Listed),
            (format!("{other}:3\r\n{SUFFIX}:0\r\n"), Listing::NotListed),
            (format!("{other}:3"), Listing::NotListed),
            (String::new(), Listing::NotListed),
        ] {
            assert_eq!(find(answer.as_bytes(), SUFFIX), listing, "{answer}");
        }
    }

    #[test]
    fn an_answer_of_another_kind_says_nothing() {
        for answer in [
            "<html>busy</html>".to_owned(),
            format!("{SUFFIX}:1\n<html>"),
            format!("{SUFFIX}:many"),
            format!("{SUFFIX}:-1"),
            format!("{SUFFIX}A:1"),
            format!("{}:1", &SUFFIX[1..]),
            SUFFIX.to_owned(),
        ] {
            assert!(matches!(find(answer.as_bytes(), SUFFIX), Listing::Unknown(_)), "{answer}");
        }
        assert!(matches!(find(b"\xff\xfe", SUFFIX), Listing::Unknown(_)));
    }

    proptest! {
        #[test]
        fn no_answer_can_panic(answer in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = find(&answer, SUFFIX);
        }
    }
}

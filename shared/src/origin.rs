//! Where the API stands behind CloudFront: proof that a call came through it, and not past it and its firewall.
//!
//! CloudFront adds a header with a secret to each request that it passes on. It proves the way that a call took and nothing about who
//! calls, so it gives no trust. Only SHA-256 digests are configured.

use std::str::FromStr;

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use crate::api_key::parse_digest;

/// The header that CloudFront is to add.
pub const HEADER: &str = "x-origin-secret";

/// The digests of the secrets that are good: none where nothing is in front of the API, two while one replaces the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OriginSecrets(Vec<[u8; 32]>);

/// Why `ORIGIN_SECRETS` cannot be read. Never holds the offending text: it might be a secret in clear.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one or two SHA-256 sums of 64 hexadecimal digits, separated by a comma")]
pub struct OriginSecretsError;

impl OriginSecrets {
    /// Whether anything stands in front of the API.
    #[must_use]
    pub const fn are_required(&self) -> bool {
        !self.0.is_empty()
    }

    /// Whether a call that presents `secret` may come in. Takes as long for every secret.
    #[must_use]
    pub fn admit(&self, secret: Option<&str>) -> bool {
        let digest: [u8; 32] = Sha256::digest(secret.unwrap_or_default()).into();
        let known = self.0.iter().fold(Choice::from(0), |known, good| known | good.ct_eq(&digest));
        !self.are_required() || bool::from(known)
    }
}

impl FromStr for OriginSecrets {
    type Err = OriginSecretsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let digests: Vec<_> = entries.map(parse_digest).collect::<Option<_>>().ok_or(OriginSecretsError)?;
        if digests.len() > 2 { Err(OriginSecretsError) } else { Ok(Self(digests)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SHA-256 of `s3cret`.
    const DIGEST: &str = "1ec1c26b50d5d3c58d9583181af8076655fe00756bf7285940ba3670f99fcba0";

    #[test]
    fn either_of_two_secrets_is_good_and_nothing_else() {
        let other = "0".repeat(64);
        for text in [DIGEST.to_owned(), format!("{other},{DIGEST}"), format!("{DIGEST}, {other}")] {
            let secrets: OriginSecrets = text.parse().expect("secrets");
            assert!(secrets.admit(Some("s3cret")));
            for wrong in [None, Some(""), Some("s3cre"), Some("S3CRET"), Some(DIGEST)] {
                assert!(!secrets.admit(wrong), "{wrong:?}");
            }
        }
        assert!(OriginSecrets::default().admit(None), "nothing in front, nothing to prove");
    }

    #[test]
    fn what_is_no_digest_is_refused_and_not_quoted() {
        let three = [DIGEST; 3].join(",");
        for text in ["s3cret", &DIGEST[1..], &three] {
            assert_eq!(text.parse::<OriginSecrets>(), Err(OriginSecretsError));
        }
        assert_eq!("".parse(), Ok(OriginSecrets::default()));
    }
}

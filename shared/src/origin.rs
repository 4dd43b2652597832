//! Origin secrets: if the API is behind CloudFront, they prove that a call came through it and did not bypass its firewall.
//!
//! CloudFront adds a header with the secret to each request to the origin. The header proves the path of a call, not the caller's
//! identity, so it does not make the caller trusted. The configuration holds only SHA-256 digests.

use std::str::FromStr;

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use crate::api_key::parse_digest;

/// The header that CloudFront adds.
pub const HEADER: &str = "x-origin-secret";

/// The digests of the valid secrets: none without CloudFront, two during a rotation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OriginSecrets(Vec<[u8; 32]>);

/// `ORIGIN_SECRETS` is malformed. Does not hold the text, which might contain a secret in clear.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be the SHA-256 of one or two secrets that are not empty, each as 64 hexadecimal digits, separated by a comma"
)]
pub struct OriginSecretsError;

impl OriginSecrets {
    /// Whether calls must have a secret.
    #[must_use]
    pub const fn are_required(&self) -> bool {
        !self.0.is_empty()
    }

    /// Whether a call with `secret` may proceed. Compares in constant time.
    #[must_use]
    pub fn verify(&self, secret: Option<&str>) -> bool {
        let digest: [u8; 32] = Sha256::digest(secret.unwrap_or_default()).into();
        let is_known = self.0.iter().fold(Choice::from(0), |is_known, known| is_known | known.ct_eq(&digest));
        !self.are_required() || bool::from(is_known)
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
    fn either_of_two_secrets_is_valid_and_nothing_else() {
        let other = "0".repeat(64);
        for text in [DIGEST.to_owned(), format!("{other},{DIGEST}"), format!("{DIGEST}, {other}")] {
            let secrets: OriginSecrets = text.parse().expect("secrets");
            assert!(secrets.verify(Some("s3cret")));
            for wrong in [None, Some(""), Some("s3cre"), Some("S3CRET"), Some(DIGEST)] {
                assert!(!secrets.verify(wrong), "{wrong:?}");
            }
        }
        assert!(OriginSecrets::default().verify(None), "no secret is configured");
    }

    #[test]
    fn a_malformed_setting_is_refused() {
        let three = [DIGEST; 3].join(",");
        // The last is the SHA-256 of an empty secret, which a call without the header would match.
        let empty = "E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        for text in ["s3cret", &DIGEST[1..], &three, empty, &format!("{DIGEST},{empty}")] {
            assert_eq!(text.parse::<OriginSecrets>(), Err(OriginSecretsError));
        }
        assert_eq!("".parse(), Ok(OriginSecrets::default()));
    }
}

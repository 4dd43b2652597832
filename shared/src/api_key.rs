//! API keys, which authenticate the operator's back ends. The configuration holds only their SHA-256 digests.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// What a key may call: one scope per function, and one for invitations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Open reset requests.
    Reset,
    /// Order mails and check tokens.
    Validate,
    /// Set passwords.
    Complete,
    /// Invite accounts to set their first password.
    Invite,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A call without a key.
    Anonymous,
    /// A call with a valid key. Holds the key's configured name.
    Trusted(String),
}

/// Why a call is not authorised.
#[derive(Debug, PartialEq, Eq)]
pub enum KeyError {
    /// A key is required and the call has none.
    Missing,
    /// The key is not configured.
    Unknown,
    /// The key is valid but lacks this function's scope.
    ScopeMissing,
}

#[derive(Clone)]
struct ApiKey {
    name: String,
    scopes: Vec<Scope>,
    digest: [u8; 32],
}

/// The configured keys. Without any, `Authorization` is ignored.
#[derive(Clone, Default)]
pub struct ApiKeys {
    keys: Vec<ApiKey>,
    required: bool,
}

/// `API_KEYS` is malformed. Does not hold the text, which might contain a key in clear.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "entry {entry} must have the form name:scope+scope:sha256hex, with the scopes reset, validate, complete and invite, \
     a name that no other entry has and the 64 hexadecimal digits of the SHA-256 of a key that is not empty"
)]
pub struct ApiKeysError {
    entry: usize,
}

impl ApiKeys {
    /// Sets whether anonymous callers are refused.
    #[must_use]
    pub fn required(self, required: bool) -> Self {
        Self { required, ..self }
    }

    /// Whether anonymous callers are refused.
    #[must_use]
    pub const fn are_required(&self) -> bool {
        self.required
    }

    /// Whether no keys are configured.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The caller with this `Authorization` header (`Token K`, `Bearer K`, bare `K`, empty or absent), who wants to call a route of
    /// `scope`.
    pub fn identify(&self, authorization: Option<&str>, scope: Scope) -> Result<Caller, KeyError> {
        if self.keys.is_empty() {
            return Ok(Caller::Anonymous);
        }
        let key = authorization.map(strip_scheme).unwrap_or_default();
        if key.is_empty() {
            return if self.required { Err(KeyError::Missing) } else { Ok(Caller::Anonymous) };
        }
        let digest: [u8; 32] = Sha256::digest(key).into();
        let key = self.keys.iter().find(|key| key.digest.ct_eq(&digest).into()).ok_or(KeyError::Unknown)?;
        if key.scopes.contains(&scope) {
            Ok(Caller::Trusted(key.name.clone()))
        } else {
            Err(KeyError::ScopeMissing)
        }
    }
}

fn strip_scheme(authorization: &str) -> &str {
    let authorization = authorization.trim();
    match authorization.split_once(' ') {
        Some((scheme, key)) if ["token", "bearer"].contains(&scheme.to_ascii_lowercase().as_str()) => {
            key.trim()
        }
        // A scheme without a key.
        None if ["token", "bearer"].contains(&authorization.to_ascii_lowercase().as_str()) => "",
        _ => authorization,
    }
}

impl FromStr for ApiKeys {
    type Err = ApiKeysError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut keys: Vec<ApiKey> = Vec::new();
        for (index, entry) in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).enumerate() {
            let key = parse_key(entry)
                .filter(|key| keys.iter().all(|other| other.name != key.name))
                .ok_or(ApiKeysError { entry: index + 1 })?;
            keys.push(key);
        }
        Ok(Self { keys, required: false })
    }
}

fn parse_key(entry: &str) -> Option<ApiKey> {
    let mut parts = entry.split(':');
    let (name, scopes, digest) = (parts.next()?, parts.next()?, parts.next()?);
    let is_valid_name =
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if parts.next().is_some() || !is_valid_name {
        return None;
    }
    let scopes = scopes.split('+').map(parse_scope).collect::<Option<Vec<Scope>>>()?;
    Some(ApiKey { name: name.to_owned(), scopes, digest: parse_digest(digest)? })
}

fn parse_scope(text: &str) -> Option<Scope> {
    match text {
        "reset" => Some(Scope::Reset),
        "validate" => Some(Scope::Validate),
        "complete" => Some(Scope::Complete),
        "invite" => Some(Scope::Invite),
        _ => None,
    }
}

/// Reads a SHA-256 digest in hexadecimal digits. Refuses that of the empty text, which `sha256sum` prints if the shell's variable with
/// the secret is not set: a call without a secret would match it.
pub(crate) fn parse_digest(hex: &str) -> Option<[u8; 32]> {
    if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut digest = [0; 32];
    for (byte, pair) in digest.iter_mut().zip(hex.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest).filter(|digest| digest[..] != Sha256::digest("")[..])
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKeys({})", self.keys.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// SHA-256 of `s3cret`.
    const DIGEST: &str = "1ec1c26b50d5d3c58d9583181af8076655fe00756bf7285940ba3670f99fcba0";

    fn keys(required: bool) -> ApiKeys {
        format!("backend:reset+validate:{DIGEST}").parse::<ApiKeys>().expect("keys").required(required)
    }

    #[test]
    fn a_valid_key_is_accepted_in_every_documented_form() {
        for header in ["Token s3cret", "Bearer s3cret", "bearer s3cret", "s3cret", "  s3cret "] {
            assert_eq!(
                keys(true).identify(Some(header), Scope::Reset),
                Ok(Caller::Trusted("backend".to_owned())),
                "{header}"
            );
        }
    }

    #[test]
    fn without_a_key_a_caller_is_anonymous_unless_keys_are_required() {
        for header in [None, Some(""), Some("  "), Some("Token"), Some("Bearer ")] {
            assert_eq!(keys(false).identify(header, Scope::Reset), Ok(Caller::Anonymous), "{header:?}");
            assert_eq!(keys(true).identify(header, Scope::Reset), Err(KeyError::Missing), "{header:?}");
        }
    }

    #[test]
    fn a_wrong_key_and_a_missing_scope_are_different_errors() {
        assert_eq!(keys(false).identify(Some("wrong"), Scope::Reset), Err(KeyError::Unknown));
        assert_eq!(keys(false).identify(Some("Basic s3cret"), Scope::Reset), Err(KeyError::Unknown));
        assert_eq!(keys(false).identify(Some("s3cret"), Scope::Complete), Err(KeyError::ScopeMissing));
    }

    #[test]
    fn with_no_keys_configured_the_header_is_ignored() {
        assert_eq!(ApiKeys::default().identify(Some("whatever"), Scope::Complete), Ok(Caller::Anonymous));
    }

    #[test]
    fn an_error_has_the_index_of_the_bad_entry_and_not_its_text() {
        // Each differs from a good entry in one place.
        let (short, odd) = (&DIGEST[1..], DIGEST.replacen('1', "g", 1));
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let of_other = format!("b:reset:{DIGEST}");
        assert!(of_other.parse::<ApiKeys>().is_ok());
        for bad in [
            "b".to_owned(),
            "b:reset".to_owned(),
            format!("b:{DIGEST}"),
            format!("{of_other}:more"),
            format!("b:reset:{short}"),
            format!("b:reset:{DIGEST}0"),
            format!("b:reset:{odd}"),
            format!("b:reset:{empty}"),
            format!("b:admin:{DIGEST}"),
            format!("b:RESET:{DIGEST}"),
            format!("b::{DIGEST}"),
            format!("b:reset+:{DIGEST}"),
            format!("b:reset+admin:{DIGEST}"),
            format!(":reset:{DIGEST}"),
            format!("b b:reset:{DIGEST}"),
            format!("é:reset:{DIGEST}"),
            format!("ok:complete:{DIGEST}"),
        ] {
            let error = format!("ok:reset:{DIGEST},{bad}").parse::<ApiKeys>().expect_err(&bad);
            assert_eq!(error, ApiKeysError { entry: 2 }, "{bad}");
        }
        assert!("".parse::<ApiKeys>().expect("no keys").is_empty());
    }

    proptest! {
        #[test]
        fn neither_the_header_nor_the_setting_can_panic(header in "\\PC{0,80}", setting in "[a-z0-9:+,é]{0,80}") {
            prop_assert!(!matches!(keys(true).identify(Some(&header), Scope::Reset), Ok(Caller::Anonymous)));
            let _ = setting.parse::<ApiKeys>();
        }
    }
}

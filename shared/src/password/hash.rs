//! Hashes passwords: with argon2id, as PHC strings that any argon2 library verifies, or with bcrypt, for logins that cannot verify argon2id
//! yet.

use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};

use crate::password::NewPassword;
use crate::random::{Random, RandomError};

/// Lengths of salt and tag in bytes, as in the options that RFC 9106 section 4 recommends.
const SALT_LENGTH: usize = 16;
const TAG_LENGTH: usize = 32;

/// OWASP's minimum for argon2id (Password Storage Cheat Sheet): 19 MiB, two iterations, one lane.
const OWASP_MIN_MEMORY_KIB: u32 = 19 * 1024;
const OWASP_MIN_ITERATIONS: u32 = 2;

/// The cost parameters of a hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argon2Cost(Params);

/// The cost parameters are out of range.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Argon2CostError {
    /// The memory is below OWASP's minimum.
    #[error("must be at least 19456 KiB (19 MiB, OWASP's minimum for argon2id)")]
    TooLittleMemory,
    /// The iterations are below OWASP's minimum.
    #[error("must be at least 2 (OWASP's minimum for argon2id)")]
    TooFewIterations,
    /// Argon2 does not support the combination.
    #[error("do not fit together: argon2 takes 1 to 16777215 lanes and 8 KiB of memory for each of them")]
    OutOfRange,
}

impl Argon2Cost {
    /// A cost of `memory_kib` KiB, `iterations` passes and `lanes` lanes.
    ///
    /// # Errors
    ///
    /// [`Argon2CostError`] if it is below OWASP's minimum or not supported by argon2.
    pub fn new(memory_kib: u32, iterations: u32, lanes: u32) -> Result<Self, Argon2CostError> {
        if memory_kib < OWASP_MIN_MEMORY_KIB {
            return Err(Argon2CostError::TooLittleMemory);
        }
        if iterations < OWASP_MIN_ITERATIONS {
            return Err(Argon2CostError::TooFewIterations);
        }
        Params::new(memory_kib, iterations, lanes, Some(TAG_LENGTH))
            .map(Self)
            .map_err(|_| Argon2CostError::OutOfRange)
    }
}

/// How passwords are hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hashing {
    /// With argon2id.
    Argon2id(Argon2Cost),
    /// With bcrypt.
    Bcrypt {
        /// The logarithm of the number of rounds.
        cost: u32,
    },
}

impl Hashing {
    /// Whether only the first 72 bytes of a password, and only those before a NUL, would count.
    #[must_use]
    pub const fn is_bcrypt(&self) -> bool {
        matches!(self, Self::Bcrypt { .. })
    }
}

/// An argon2id hash as a PHC string, `$argon2id$v=19$m=…,t=…,p=…$<salt>$<tag>`, or one of bcrypt, `$2b$<cost>$<salt and tag>`.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// The text, for the accounts table.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Why hashing failed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// There are no random bytes for the salt.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// Argon2 failed. The cost is checked at start, so the likeliest cause is that the function's `MemorySize` is too small for
    /// `ARGON2_MEMORY_KIB`.
    #[error("argon2 failed: {0}")]
    Argon2(argon2::password_hash::Error),
    /// Bcrypt failed. The policy has checked what it does not take.
    #[error("bcrypt failed: {0}")]
    Bcrypt(#[from] bcrypt::BcryptError),
}

/// Hashes `password` with a random salt. Takes 0.1 s or more: do not call it on an async thread.
pub fn hash(password: &NewPassword, hashing: &Hashing, random: &Random) -> Result<PasswordHash, HashError> {
    let salt: [u8; SALT_LENGTH] = random.bytes()?;
    match hashing {
        Hashing::Argon2id(cost) => argon2id(password, cost, &salt),
        Hashing::Bcrypt { cost } => {
            // Its other function refuses 72 bytes, all of which count: it wants room for a NUL. The policy allows no more.
            let hashed = bcrypt::hash_with_salt(password.expose_secret(), *cost, salt)?;
            Ok(PasswordHash(hashed.format_for_version(bcrypt::Version::TwoB)))
        }
    }
}

fn argon2id(
    password: &NewPassword,
    cost: &Argon2Cost,
    salt: &[u8; SALT_LENGTH],
) -> Result<PasswordHash, HashError> {
    let phc: Phc = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost.0.clone())
        .hash_password_with_salt(password.expose_secret().as_bytes(), salt)
        .map_err(HashError::Argon2)?;
    Ok(PasswordHash(phc.to_string()))
}

#[cfg(test)]
mod tests {
    use argon2::{AssociatedData, ParamsBuilder, PasswordVerifier as _};

    use super::*;
    use crate::password::PasswordPolicy;

    const PASSWORD: &str = "correct horse battery staple";

    fn hashed() -> PasswordHash {
        let cost = Argon2Cost::new(19 * 1024, 2, 1).expect("OWASP's minimum");
        hash_with(&Hashing::Argon2id(cost), PASSWORD)
    }

    fn hash_with(hashing: &Hashing, password: &str) -> PasswordHash {
        let policy = PasswordPolicy {
            min_length: 15,
            service_name: "Rekey".to_owned(),
            is_bcrypt: hashing.is_bcrypt(),
        };
        let password = policy.check(password.into(), None).expect("accepted");
        hash(&password, hashing, &Random::operating_system()).expect("a hash")
    }

    /// From OpenBSD's and Openwall's tests of `crypt_blowfish` (`wrapper.c`), of strings with a `$2b$` or `$2y$` prefix.
    #[test]
    fn openwalls_bcrypt_test_vectors() {
        for (password, expected) in [
            ("U*U", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
            ("U*U*", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"),
            ("U*U*U", "$2b$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
            ("", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"),
            (
                "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored",
                "$2b$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui",
            ),
        ] {
            let expected: bcrypt::HashParts = expected.parse().expect("a hash");
            let salt = bcrypt_salt(&expected.get_salt());
            let hashed = bcrypt::hash_with_salt(password, expected.get_cost(), salt).expect("a hash");
            assert_eq!(
                hashed.format_for_version(bcrypt::Version::TwoB),
                expected.format_for_version(bcrypt::Version::TwoB)
            );
        }
    }

    /// Bcrypt's own base64.
    fn bcrypt_salt(text: &str) -> [u8; 16] {
        use base64::Engine as _;
        use base64::alphabet::BCRYPT;
        use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
        let config = GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::RequireNone)
            .with_decode_allow_trailing_bits(true);
        let bytes = GeneralPurpose::new(&BCRYPT, config).decode(text).expect("base64");
        bytes.try_into().expect("16 bytes")
    }

    #[test]
    fn a_bcrypt_hash_verifies_and_has_its_cost_and_a_random_salt() {
        let hashing = Hashing::Bcrypt { cost: 10 };
        let (one, other) = (hash_with(&hashing, PASSWORD), hash_with(&hashing, PASSWORD));
        assert!(one.expose_secret().starts_with("$2b$10$") && one.expose_secret().len() == 60);
        assert_ne!(one, other);
        assert!(bcrypt::verify(PASSWORD, one.expose_secret()).expect("a hash"));
        assert!(!bcrypt::verify("another password", one.expose_secret()).expect("a hash"));
        // 72 bytes count to the last.
        let longest = "žluťoučký kůň úpěl ďábelské ódy a pak si šel".repeat(2);
        let longest: String = longest
            .chars()
            .take_while({
                let mut bytes = 0;
                move |c| {
                    bytes += c.len_utf8();
                    bytes <= 72
                }
            })
            .collect();
        let hash = hash_with(&hashing, &longest);
        assert!(bcrypt::verify(&longest, hash.expose_secret()).expect("a hash"));
        let mut shorter = longest.clone();
        shorter.pop();
        assert!(!bcrypt::verify(&shorter, hash.expose_secret()).expect("a hash"));
    }

    #[test]
    fn rfc_9106_section_5_3_argon2id_test_vector() {
        let params = ParamsBuilder::new()
            .m_cost(32)
            .t_cost(3)
            .p_cost(4)
            .data(AssociatedData::new(&[4; 12]).expect("short"))
            .output_len(32)
            .build()
            .expect("parameters");
        let mut tag = [0; 32];
        Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params)
            .expect("a secret")
            .hash_password_into(&[1; 32], &[2; 16], &mut tag)
            .expect("a tag");
        let expected = "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659";
        assert_eq!(tag.map(|byte| format!("{byte:02x}")).concat(), expected);
    }

    #[test]
    fn another_implementation_verifies_our_hash() {
        let ours = hashed();
        assert!(
            rust_argon2::verify_encoded(ours.expose_secret(), PASSWORD.as_bytes()).expect("a PHC string")
        );
        assert!(
            !rust_argon2::verify_encoded(ours.expose_secret(), b"another password").expect("a PHC string")
        );
    }

    #[test]
    fn we_verify_another_implementations_hash() {
        let config = rust_argon2::Config {
            variant: rust_argon2::Variant::Argon2id,
            ..rust_argon2::Config::rfc9106_low_mem()
        };
        let theirs =
            rust_argon2::hash_encoded(PASSWORD.as_bytes(), b"0123456789abcdef", &config).expect("a hash");
        let phc = Phc::new(&theirs).expect("a PHC string");
        assert!(Argon2::default().verify_password(PASSWORD.as_bytes(), &phc).is_ok());
        assert!(Argon2::default().verify_password(b"another password", &phc).is_err());
    }

    #[test]
    fn the_phc_string_has_the_cost_and_a_random_salt() {
        let hash = hashed();
        assert!(hash.expose_secret().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_ne!(hash, hashed());
        assert_eq!(format!("{hash:?}"), "PasswordHash(…)");
    }

    #[test]
    fn costs_below_owasps_minimum_are_refused() {
        assert!(Argon2Cost::new(65536, 3, 4).is_ok());
        assert_eq!(Argon2Cost::new(19455, 3, 4), Err(Argon2CostError::TooLittleMemory));
        assert_eq!(Argon2Cost::new(65536, 1, 4), Err(Argon2CostError::TooFewIterations));
        assert_eq!(Argon2Cost::new(65536, 3, 0), Err(Argon2CostError::OutOfRange));
    }
}

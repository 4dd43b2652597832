//! Randomness as an argument. In production every byte comes from the operating system: a generator seeded in the process would repeat
//! tokens if Lambda restored a snapshot of the process twice.

use std::fmt;
use std::sync::Arc;

use rand::TryRng as _;
use rand::rngs::SysRng;

/// The source of random bytes failed.
#[derive(Debug, thiserror::Error)]
#[error("the operating system's random generator failed")]
pub struct RandomError;

type Fill = dyn Fn(&mut [u8]) -> Result<(), RandomError> + Send + Sync;

/// A source of random bytes. Cheap to clone.
#[derive(Clone)]
pub struct Random(Arc<Fill>);

impl Random {
    /// Bytes from `fill`, which must be cryptographically secure in production.
    pub fn new(fill: impl Fn(&mut [u8]) -> Result<(), RandomError> + Send + Sync + 'static) -> Self {
        Self(Arc::new(fill))
    }

    /// The operating system's generator (`getrandom(2)` on Linux), without a buffer.
    #[must_use]
    pub fn operating_system() -> Self {
        Self::new(|bytes| SysRng.try_fill_bytes(bytes).map_err(|_| RandomError))
    }

    /// `N` fresh bytes.
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], RandomError> {
        let mut bytes = [0; N];
        (self.0)(&mut bytes)?;
        Ok(bytes)
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

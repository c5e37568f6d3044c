//! A request that was not sent, since its turn would have come too late.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// A request was not sent, since its turn would have come after the deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldBack {
    wait: Duration,
}

impl HeldBack {
    #[cfg(feature = "retry")]
    pub(crate) const fn new(wait: Duration) -> Self {
        Self { wait }
    }

    /// Returns how long it would have had to wait.
    #[must_use]
    pub const fn wait(&self) -> Duration {
        self.wait
    }
}

impl fmt::Display for HeldBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "held back: its turn would come in {:?}, after the deadline", self.wait)
    }
}

impl Error for HeldBack {}

//! What a call failed with, and all that it tried.

use std::error::Error;
use std::fmt;

use crate::{Attempt, BoxError, Outcome};

/// A call got no whole answer: the last error, and what each attempt met.
#[derive(Debug)]
pub struct RetryError {
    attempts: Vec<Attempt>,
    source: BoxError,
}

impl RetryError {
    pub(super) fn new(attempts: Vec<Attempt>, source: BoxError) -> Self {
        Self { attempts, source }
    }

    /// Returns what each attempt met, the first one first. Where the deadline passed before any was sent, there is none.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// Takes the attempts and the last error apart.
    #[must_use]
    pub fn into_parts(self) -> (Vec<Attempt>, BoxError) {
        (self.attempts, self.source)
    }

    /// Returns what is known of the request after all of its attempts: see [`Outcome::after`].
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        Outcome::after(&self.attempts)
    }
}

impl fmt::Display for RetryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.attempts.len() {
            1 => f.write_str("the attempt failed"),
            count => write!(f, "the call failed after {count} attempts"),
        }
    }
}

impl Error for RetryError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

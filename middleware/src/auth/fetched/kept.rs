//! What is kept of fetches: the value, and how the last one ended.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use tokio::time::Instant;

use super::{Fetched, PATIENCE};
use crate::BoxError;

/// How long a value stands that was given again after a 401: what calls met that had been sent with it before says nothing new.
const STANDS: Duration = Duration::from_secs(5);

/// What is kept of fetches: the value, and how the last one ended.
#[derive(Default)]
pub(super) struct Kept {
    current: Option<Fetched>,
    /// Whether the server has refused it.
    is_refused: bool,
    /// When it was given although it had been refused.
    given_again: Option<Instant>,
    ended: u64,
    failure: Option<FetchError>,
}

/// What can be had without a fetch.
pub(super) enum Had {
    /// A value.
    Value(HeaderValue),
    /// A value that ends soon. Who is told so is to fetch it anew, and nobody else is for a while.
    Ending(HeaderValue),
    Nothing,
}

impl Kept {
    pub(super) fn fresh(&self) -> Option<HeaderValue> {
        self.current_if(Fetched::is_fresh)
    }

    pub(super) fn valid(&self) -> Option<HeaderValue> {
        self.current_if(Fetched::is_valid)
    }

    fn current_if(&self, is_wanted: fn(&Fetched) -> bool) -> Option<HeaderValue> {
        let current = self.current.as_ref().filter(|fetched| !self.is_refused && is_wanted(fetched));
        current.map(|fetched| fetched.value.clone())
    }

    /// Looks what can be had without a fetch.
    pub(super) fn look(&mut self) -> Had {
        let fresh = self.fresh();
        match (fresh, self.valid(), &mut self.current) {
            (Some(value), ..) => Had::Value(value),
            (None, Some(value), Some(current)) => {
                current.put_off(PATIENCE);
                Had::Ending(value)
            }
            _ => Had::Nothing,
        }
    }

    /// Returns how many fetches have ended.
    pub(super) fn ended(&self) -> u64 {
        self.ended
    }

    /// Returns what fetches have given since so many had ended; `None` where none has ended, or what it gave was refused.
    pub(super) fn given_since(&self, ended: u64) -> Option<Result<HeaderValue, BoxError>> {
        if self.ended == ended {
            return self.valid().map(Ok);
        }
        match &self.failure {
            Some(failure) => Some(self.valid().ok_or_else(|| failure.clone().into())),
            None => self.current_if(|_| true).map(Ok),
        }
    }

    /// Takes what a fetch gave. Where it failed, a value that is still valid is used on.
    pub(super) fn end(&mut self, result: Result<Fetched, BoxError>) -> Result<HeaderValue, BoxError> {
        self.ended = self.ended.wrapping_add(1);
        self.failure = None;
        match result {
            Ok(fetched) => {
                let value = fetched.value.clone();
                let is_again = self.is_refused && self.current.as_ref().is_some_and(|current| current.value == value);
                self.given_again = is_again.then(Instant::now);
                self.is_refused = false;
                self.current = Some(fetched);
                Ok(value)
            }
            Err(error) => {
                let error = FetchError(Arc::new(error));
                self.failure = Some(error.clone());
                self.valid().ok_or_else(|| error.into())
            }
        }
    }

    /// Gives up a value, and says whether another may be had.
    pub(super) fn refuse(&mut self, value: &HeaderValue) -> bool {
        let is_current = self.current.as_ref().is_some_and(|current| current.value == *value);
        if is_current && self.given_again.is_some_and(|at| at.elapsed() < STANDS) {
            return false;
        }
        self.is_refused |= is_current;
        true
    }
}

/// A fetch failed: for all who waited for it.
#[derive(Debug, Clone)]
struct FetchError(Arc<BoxError>);

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the fetch failed")
    }
}

impl Error for FetchError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&**self.0)
    }
}

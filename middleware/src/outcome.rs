//! What is known of a request after an attempt to send it.

use std::error::Error;
use std::fmt;

use crate::BoxError;

/// What is known of a request after an attempt to send it: may the server have applied it?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// The server can't have seen it.
    NotSent,
    /// A status arrived. What was applied is the status's to say: after a 4xx nothing was, after a 5xx it may have been.
    Answered,
    /// No status arrived, and it may have been applied.
    Unknown,
}

impl Outcome {
    /// Reads the outcome from an error and its sources: of all attempts together where [`retry`](crate::retry) made them,
    /// [`Outcome::Answered`] where only the body was lost, an [`AttemptError`]'s where there is one; otherwise
    /// [`Outcome::Unknown`], since nothing proves that the server hasn't seen the request.
    #[must_use]
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        #[cfg(feature = "retry")]
        if let Some(error) = find_source::<crate::retry::RetryError>(error) {
            return error.outcome();
        }
        #[cfg(feature = "collect")]
        if find_source::<crate::collect::ResponseBodyError>(error).is_some() {
            return Self::Answered;
        }
        find_source(error).map_or(Self::Unknown, AttemptError::outcome)
    }
}

/// An error that says what became of the attempt.
///
/// A transport or a layer wraps its errors in one where it knows more than 'something went wrong': a connection that was
/// never made, a circuit breaker that is open. [`retry`](crate::retry) reads it anywhere in the chain of sources.
///
/// ```
/// use magicbell_middleware::{AttemptError, Outcome};
///
/// let open = AttemptError::not_sent("circuit open").permanent();
/// assert_eq!(open.outcome(), Outcome::NotSent);
/// assert!(!open.is_transient());
/// assert_eq!(open.to_string(), "the request was not sent");
/// ```
#[derive(Debug)]
pub struct AttemptError {
    outcome: Outcome,
    transient: bool,
    source: BoxError,
}

impl AttemptError {
    /// Wraps an error after which the server can't have seen the request.
    pub fn not_sent(source: impl Into<BoxError>) -> Self {
        Self { outcome: Outcome::NotSent, transient: true, source: source.into() }
    }

    /// Wraps an error after which the request may have been applied.
    pub fn unknown(source: impl Into<BoxError>) -> Self {
        Self { outcome: Outcome::Unknown, transient: true, source: source.into() }
    }

    /// Marks it as one that another attempt would meet again.
    #[must_use]
    pub fn permanent(mut self) -> Self {
        self.transient = false;
        self
    }

    /// Returns what is known of the request.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Says whether another attempt may fare better.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        self.transient
    }
}

impl fmt::Display for AttemptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.outcome {
            Outcome::NotSent => "the request was not sent",
            Outcome::Answered => "the answer is of no use",
            Outcome::Unknown => "the request may have been applied, and no answer came",
        })
    }
}

impl Error for AttemptError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

/// Finds the first error of a type in an error's chain of sources, the error itself included.
///
/// It looks into an [`std::io::Error`] too, whose `source` passes over the error that it wraps.
///
/// ```
/// use magicbell_middleware::{AttemptError, find_source};
///
/// let error: magicbell_middleware::BoxError = AttemptError::not_sent("refused").into();
/// assert!(find_source::<AttemptError>(&*error).is_some());
/// assert!(find_source::<std::io::Error>(&*error).is_none());
/// ```
#[must_use]
pub fn find_source<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = wrapped.map(|wrapped| wrapped as _).or_else(|| error.source());
    }
    None
}

/// Names an error in few words, as `error.type` wants it: a value of a small set, never the error's text.
#[cfg(any(feature = "trace", feature = "metrics"))]
pub(crate) fn error_type(error: &(dyn Error + 'static)) -> &'static str {
    #[cfg(feature = "timeout")]
    if find_source::<crate::timeout::TimeoutError>(error).is_some() {
        return "timeout";
    }
    #[cfg(feature = "pace")]
    if find_source::<crate::pace::HeldBack>(error).is_some() {
        return "held_back";
    }
    match after_last_attempt(error) {
        Outcome::NotSent => "not_sent",
        Outcome::Answered => "answer_unreadable",
        Outcome::Unknown => "no_answer",
    }
}

/// Returns what is known of the last attempt alone.
#[cfg(any(feature = "trace", feature = "metrics"))]
fn after_last_attempt(error: &(dyn Error + 'static)) -> Outcome {
    #[cfg(feature = "retry")]
    if let Some(last) = find_source::<crate::retry::RetryError>(error).and_then(|error| error.attempts().last()) {
        return last.outcome;
    }
    Outcome::of(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(AttemptError);
    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("outer")
        }
    }
    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn the_outcome_is_found_below_other_errors() {
        assert_eq!(Outcome::of(&Outer(AttemptError::not_sent("refused"))), Outcome::NotSent);
    }

    #[test]
    fn what_an_io_error_wraps_is_found() {
        let error = std::io::Error::other(AttemptError::not_sent("refused"));
        assert_eq!(Outcome::of(&error), Outcome::NotSent);
    }

    #[test]
    fn an_error_that_says_nothing_is_unknown() {
        assert_eq!(Outcome::of(&fmt::Error), Outcome::Unknown);
    }
}

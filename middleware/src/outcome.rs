//! What is known of a request after an attempt to send it.

use std::error::Error;
use std::fmt;

use crate::{Attempt, BoxError};

/// What is known of a request after an attempt to send it: may the server have applied it?
///
/// ```
/// use std::time::Duration;
/// use http::StatusCode;
/// use magicbell_middleware::{Attempt, Outcome};
///
/// // A 404 after a 504: was there no such thing, or has the first attempt deleted it?
/// let attempts = [StatusCode::GATEWAY_TIMEOUT, StatusCode::NOT_FOUND];
/// let attempts = attempts.map(|status| Attempt::answered(status, Duration::ZERO));
/// assert_eq!(Outcome::after(&attempts), Outcome::Unknown);
/// assert_eq!(Outcome::after(&attempts[1..]), Outcome::Answered);
/// ```
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
    /// Reads the outcome from an error and its sources, from the outside in, by the first that tells it: of all attempts
    /// together where [`retry`](crate::retry) made them, [`Outcome::Answered`] where only the body was lost, an
    /// [`AttemptError`]'s. Where none does it is [`Outcome::Unknown`], since nothing proves that the server hasn't seen the
    /// request.
    #[must_use]
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        own_sources(error).find_map(told_by).unwrap_or(Self::Unknown)
    }

    /// Says what is known of a request after several attempts.
    ///
    /// It is unknown as soon as one of them is, and where one before the last
    /// [may have been applied](Attempt::may_have_been_applied) although the last was not: the last one's status then doesn't
    /// speak for the request. Without attempts it was not sent.
    #[must_use]
    pub fn after(attempts: &[Attempt]) -> Self {
        let worst = attempts.iter().map(|attempt| attempt.outcome).max().unwrap_or(Self::NotSent);
        let last = attempts.last().is_some_and(Attempt::may_have_been_applied);
        let any = attempts.iter().any(Attempt::may_have_been_applied);
        if any && !last { Self::Unknown } else { worst }
    }
}

/// Reads the outcome from one error of a chain, where it tells one.
fn told_by(error: &(dyn Error + 'static)) -> Option<Outcome> {
    #[cfg(feature = "retry")]
    if let Some(error) = error.downcast_ref::<crate::retry::RetryError>() {
        return Some(error.outcome());
    }
    #[cfg(feature = "collect")]
    if error.is::<crate::collect::ResponseBodyError>() {
        return Some(Outcome::Answered);
    }
    #[cfg(feature = "timeout")]
    if let Some(error) = error.downcast_ref::<crate::timeout::TimeoutError>() {
        use crate::timeout::Limit;
        return matches!(error.limit(), Limit::Credentials | Limit::Connect).then_some(Outcome::NotSent);
    }
    error.downcast_ref().map(AttemptError::outcome)
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

    /// Takes out the error that it wraps.
    #[must_use]
    pub fn into_source(self) -> BoxError {
        self.source
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
    sources(error).find_map(|error| error.downcast_ref())
}

/// Walks an error's chain of sources from the outside in, as far as it speaks of this request: up to what an [`AttemptError`]
/// wraps.
///
/// What lies deeper may speak of another request. Credentials that couldn't be fetched, say, are an [`AttemptError`] around the
/// caller's own error, and beneath that may be the whole story of the call that was to fetch them.
///
/// ```
/// use magicbell_middleware::{AttemptError, own_sources};
///
/// let other = AttemptError::unknown("the vault didn't answer");
/// let error = AttemptError::not_sent(std::io::Error::other(other));
/// let seen = own_sources(&error).map(ToString::to_string).collect::<Vec<_>>();
/// assert_eq!(seen.len(), 2);
/// assert_eq!(seen[0], "the request was not sent");
/// ```
pub fn own_sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let told = sources(error).position(|error| error.is::<AttemptError>());
    // The error itself, and what it wraps.
    sources(error).take(told.map_or(usize::MAX, |told| told + 2))
}

fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        wrapped.map(|wrapped| wrapped as _).or_else(|| error.source())
    })
}

/// Finds the answer whose body was lost, if an error speaks of one; not where an [`AttemptError`] around it says otherwise.
#[cfg(all(feature = "collect", any(feature = "auth", feature = "retry", feature = "trace")))]
pub(crate) fn lost_answer<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a crate::collect::ResponseBodyError> {
    sources(error).take_while(|error| !error.is::<AttemptError>()).find_map(|error| error.downcast_ref())
}

/// Names an error in few words, as `error.type` wants it: a value of a small set, never the error's text.
#[cfg(any(feature = "trace", feature = "metrics"))]
pub(crate) fn error_type(error: &(dyn Error + 'static)) -> &'static str {
    #[cfg(feature = "timeout")]
    if own_sources(error).any(|error| error.is::<crate::timeout::TimeoutError>()) {
        return "timeout";
    }
    #[cfg(feature = "pace")]
    if own_sources(error).any(|error| error.is::<crate::pace::HeldBack>()) {
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
    use std::time::Duration;

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
    fn the_outermost_that_tells_it_is_believed() {
        let beneath = AttemptError::not_sent(Outer(AttemptError::unknown("another request's")));
        assert_eq!(Outcome::of(&beneath), Outcome::NotSent);
        let beneath = AttemptError::unknown(Outer(AttemptError::not_sent("another request's")));
        assert_eq!(Outcome::of(&beneath), Outcome::Unknown);
    }

    #[test]
    fn after_several_attempts_the_last_speaks_only_where_none_before_may_have_been_applied() {
        use Outcome::{Answered, NotSent, Unknown};
        let status = |status: u16| Attempt::answered(status.try_into().unwrap(), Duration::ZERO);
        let failed = |outcome| Attempt::failed(outcome, "", Duration::ZERO);
        for (attempts, outcome) in [
            (vec![], NotSent),
            (vec![failed(NotSent), failed(NotSent)], NotSent),
            (vec![failed(NotSent), status(404)], Answered),
            (vec![failed(Unknown), status(404)], Unknown),
            (vec![status(429), status(422)], Answered),
            (vec![status(429), failed(NotSent)], Answered),
            (vec![status(503), status(503)], Answered),
            (vec![status(503), status(422)], Unknown),
            (vec![status(408), failed(NotSent)], Unknown),
            (vec![status(500), status(429)], Unknown),
            (vec![status(200), status(404)], Unknown),
            (vec![status(503), failed(Unknown)], Unknown),
        ] {
            assert_eq!(Outcome::after(&attempts), outcome, "{attempts:?}");
        }
    }

    #[cfg(feature = "timeout")]
    #[test]
    fn a_limit_before_anything_is_sent_says_so() {
        use crate::timeout::{Limit, TimeoutError};
        for (limit, outcome) in [
            (Limit::Credentials, Outcome::NotSent),
            (Limit::Connect, Outcome::NotSent),
            (Limit::Attempt, Outcome::Unknown),
            (Limit::Operation, Outcome::Unknown),
        ] {
            assert_eq!(Outcome::of(&TimeoutError::new(limit, Duration::ZERO)), outcome);
        }
    }

    #[test]
    fn an_error_that_says_nothing_is_unknown() {
        assert_eq!(Outcome::of(&fmt::Error), Outcome::Unknown);
    }
}

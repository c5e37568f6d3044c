//! How a call ends.

use std::time::Duration;

use http::Response;

use super::{Attempted, Call};
use crate::retry::RetryError;
use crate::{Attempt, Attempts, Body, BoxError, Outcome};

impl<B> Call<B> {
    /// Ends a call whose time is up between attempts.
    pub(in crate::retry) fn out_of_time(&mut self) -> Attempted {
        let timeout = self.timeout_error();
        self.fail(timeout.into())
    }

    /// Ends a call whose time is up while an attempt is in flight.
    pub(in crate::retry) fn abandoned(&mut self) -> Attempted {
        self.is_in_flight = false;
        let timeout = self.timeout_error();
        self.record(Attempt::failed(Outcome::Unknown, timeout.to_string(), self.attempt_elapsed()));
        self.fail(timeout.into())
    }

    /// Ends a call for which the inner service won't become ready.
    pub(in crate::retry) fn not_ready(&mut self, error: BoxError) -> Attempted {
        self.record(Attempt::failed(Outcome::NotSent, error.to_string(), Duration::ZERO));
        self.fail(error)
    }

    /// Ends the call with what its last attempt met.
    pub(super) fn conclude(&mut self, result: Attempted) -> Attempted {
        let is_answered = result.as_ref().is_ok_and(|response| response.status().is_success());
        match self.kept.take().filter(|_| !is_answered).map_or(result, |kept| *kept) {
            Ok(response) => Ok(self.answered(response)),
            Err(error) => self.fail(error),
        }
    }

    /// Ends the call with an error, or with what was kept: that is more than any error that came later can tell.
    pub(in crate::retry) fn fail(&mut self, error: BoxError) -> Attempted {
        self.give_back();
        let error = match self.kept.take().map(|kept| *kept) {
            Some(Ok(kept)) => return Ok(self.answered(kept)),
            Some(Err(kept)) => kept,
            None => error,
        };
        Err(RetryError::new(std::mem::take(&mut self.attempts), error).into())
    }

    fn answered(&mut self, mut response: Response<Body>) -> Response<Body> {
        if self.attempts.len() > 1 {
            response.extensions_mut().insert(Attempts(std::mem::take(&mut self.attempts)));
        }
        response
    }
}

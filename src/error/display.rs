//! What an error says in one line.

use std::fmt;

use magicbell_middleware::{Attempt, Outcome, Safety};

use super::{Error, ErrorKind};

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.inner();
        if let Some(operation) = inner.operation {
            write!(f, "{operation}: ")?;
        }
        match inner.status {
            Some(status) => write!(f, "status {}: {}", status.as_u16(), inner.message)?,
            None => f.write_str(&inner.message)?,
        }
        if inner.attempts.len() > 1 {
            write!(f, " ({} attempts)", inner.attempts.len())?;
        }
        match advice(self) {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

/// The operations after which a token may be left that nobody holds.
const CREATE_A_TOKEN: [&str; 2] = ["create_project_jwt", "create_user_jwt"];

/// Says what to do about something that may have been created and that nobody holds.
fn advice(error: &Error) -> Option<&'static str> {
    if error.inner().safety != Safety::NonIdempotent {
        return None;
    }
    let is_success = error.status().is_some_and(|status| status.is_success());
    let may_have_been = error.attempts().iter().any(Attempt::may_have_been_applied);
    let is_token = error.operation().is_some_and(|operation| CREATE_A_TOKEN.contains(&operation));
    if error.kind() == ErrorKind::Decode && is_success {
        let is_lost = error.body().is_none_or(|body| body.is_empty());
        return Some(match is_token {
            true if is_lost => "it was created, and its token is lost: list by name and time and discard it",
            true => "it was created: read it from the error's body, or list by name and time and discard it",
            false if is_lost => "it was done, and its answer is lost",
            false => "it was done: read the answer from the error's body",
        });
    }
    (error.outcome() == Outcome::Unknown || may_have_been).then_some(match is_token {
        true => "it may have been created: list by name and time, and discard what nobody holds",
        false => "it may have been done: look before doing it again",
    })
}

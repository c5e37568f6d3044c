//! The table: what became of a token, from what is known and no more.

use http::StatusCode;
use magicbell_middleware::{Attempt, Outcome};

use super::RevocationOutcome;
use crate::error::{Error, ErrorKind};

/// What attempts up to now may have done, of this call or of an earlier batch: what is more doubtful is greater.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Doubt {
    /// The token is as it was.
    #[default]
    None,
    /// It may have been revoked: the answer doesn't say.
    Maybe,
    /// It may have been revoked, and the answer was lost on its way.
    Lost,
}

/// Says what became of the token when its discard failed; `before` is what an earlier batch may have done.
pub(super) fn classify(error: &Error, before: Doubt) -> RevocationOutcome {
    let Some(status) = error.status() else {
        return match error.kind() {
            ErrorKind::InvalidRequest => RevocationOutcome::InvalidId,
            _ => RevocationOutcome::Unknown,
        };
    };
    let earlier = error.attempts().split_last().map_or(&[][..], |(_, earlier)| earlier);
    let doubt = before.max(Doubt::after(earlier));
    match status {
        // What broke off may have said anything; what is whole and isn't the API's says nothing.
        _ if status.is_success() && error.is_body_lost() && error.is_retryable() => RevocationOutcome::Unknown,
        _ if status.is_success() => RevocationOutcome::Unverified,
        _ if status.is_server_error() => RevocationOutcome::Unknown,
        StatusCode::NOT_FOUND | StatusCode::GONE if !error.has_api_envelope() => RevocationOutcome::Unverified,
        StatusCode::GONE => RevocationOutcome::AlreadyRevoked,
        StatusCode::NOT_FOUND if doubt == Doubt::Lost => RevocationOutcome::AlreadyRevoked,
        StatusCode::NOT_FOUND => RevocationOutcome::NotFound,
        _ if !status.is_client_error() => RevocationOutcome::Unverified,
        _ if doubt > Doubt::None => RevocationOutcome::Unknown,
        _ => RevocationOutcome::Refused,
    }
}

impl Doubt {
    pub(super) fn after(attempts: &[Attempt]) -> Self {
        attempts.iter().map(Self::of).max().unwrap_or_default()
    }

    fn of(attempt: &Attempt) -> Self {
        match attempt {
            _ if was_lost(attempt) => Self::Lost,
            _ if attempt.may_have_been_applied() => Self::Maybe,
            _ => Self::None,
        }
    }
}

/// Says whether an attempt's answer was lost on its way: no status arrived, or a success whose body broke off. A 5xx or a page of
/// HTML doesn't count: a token of another kind would be called revoked because a proxy had a bad moment before.
fn was_lost(attempt: &Attempt) -> bool {
    let is_broken = attempt.status.is_some_and(|status| status.is_success()) && attempt.cause.is_some();
    attempt.outcome == Outcome::Unknown || is_broken
}

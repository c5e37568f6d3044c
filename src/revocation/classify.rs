//! The table: what became of a token, from what is known and no more.

use http::StatusCode;
use magicbell_middleware::Attempt;

use super::RevocationOutcome;
use crate::error::{Error, ErrorKind};

/// What attempts up to now may have done, of this call or of an earlier batch: what is more doubtful is greater.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Doubt {
    /// The token is as it was.
    #[default]
    None,
    /// It may have been revoked, though the answer said that it wasn't done.
    Maybe,
    /// It may have been revoked, enough so that a 404 after it is no wonder.
    Presumed,
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
        StatusCode::NOT_FOUND if doubt == Doubt::Presumed => RevocationOutcome::AlreadyRevoked,
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
            _ if may_have_revoked(attempt) => Self::Presumed,
            _ if attempt.may_have_been_applied() => Self::Maybe,
            _ => Self::None,
        }
    }
}

/// Says whether an attempt may have revoked the token, so that a 404 after it is no wonder. A 503 and a 408 say that it wasn't
/// done. That isn't to be counted on, but enough not to presume it: a live token must not be called revoked.
fn may_have_revoked(attempt: &Attempt) -> bool {
    let is_denied = matches!(attempt.status, Some(StatusCode::SERVICE_UNAVAILABLE | StatusCode::REQUEST_TIMEOUT));
    attempt.may_have_been_applied() && !is_denied
}

//! The table: what became of a token, from what is known and no more.

use http::StatusCode;
use magicbell_middleware::Attempt;

use super::RevocationOutcome;
use crate::error::{Error, ErrorKind};

/// Says what became of the token when its discard failed; `maybe_before` where an earlier batch may have revoked it.
pub(super) fn classify(error: &Error, maybe_before: bool) -> RevocationOutcome {
    let Some(status) = error.status() else {
        return match error.kind() {
            ErrorKind::InvalidRequest => RevocationOutcome::InvalidId,
            _ => RevocationOutcome::Unknown,
        };
    };
    let earlier = error.attempts().split_last().map_or(&[][..], |(_, earlier)| earlier);
    let is_presumed = maybe_before || earlier.iter().any(may_have_revoked);
    let maybe_before = maybe_before || earlier.iter().any(Attempt::may_have_been_applied);
    match status {
        // What broke off may have said anything; what is whole and isn't the API's says nothing.
        _ if status.is_success() && error.is_body_lost() && error.is_retryable() => RevocationOutcome::Unknown,
        _ if status.is_success() => RevocationOutcome::Unverified,
        _ if status.is_server_error() => RevocationOutcome::Unknown,
        StatusCode::NOT_FOUND | StatusCode::GONE if !error.has_api_envelope() => RevocationOutcome::Unverified,
        StatusCode::GONE => RevocationOutcome::AlreadyRevoked,
        StatusCode::NOT_FOUND if is_presumed => RevocationOutcome::AlreadyRevoked,
        StatusCode::NOT_FOUND => RevocationOutcome::NotFound,
        _ if !status.is_client_error() => RevocationOutcome::Unverified,
        _ if maybe_before => RevocationOutcome::Unknown,
        _ => RevocationOutcome::Refused,
    }
}

/// Says whether an attempt may have revoked the token, so that a 404 after it is no wonder. A 503 and a 408 say that it wasn't
/// done. That isn't to be counted on, but enough not to presume it: a live token must not be called revoked.
pub(super) fn may_have_revoked(attempt: &Attempt) -> bool {
    let is_denied = matches!(attempt.status, Some(StatusCode::SERVICE_UNAVAILABLE | StatusCode::REQUEST_TIMEOUT));
    attempt.may_have_been_applied() && !is_denied
}

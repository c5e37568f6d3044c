//! What became of an input, in words that its caller gets.

use http::StatusCode;
use magicbell_middleware::Attempt;

use super::classify::{Doubt, classify};
use super::in_flight::{Discarded, SoFar};
use super::journal::Known;
use super::{Revocation, RevocationOutcome};
use crate::error::REQUEST_ID;

/// Says what became of an input whose request has ended.
pub(super) fn ended(index: u64, token_id: String, discarded: Discarded, before: Doubt) -> Revocation {
    let mut revocation = Revocation::new(index, token_id, RevocationOutcome::Unknown);
    match discarded {
        Ok(Ok(answered)) => {
            revocation.outcome = RevocationOutcome::Revoked;
            let attempts = answered.attempts.as_ref().map(|attempts| &attempts.0[..]);
            revocation.attempts = attempts.map_or(1, |attempts| count(attempts.len()));
            revocation.rate_limited = attempts.map_or(0, rate_limited);
            revocation.status = Some(answered.status);
            revocation.elapsed = answered.elapsed;
            revocation.discarded_at = answered.discarded_at;
            revocation.request_id = answered.request_id;
        }
        Ok(Err(error)) => {
            revocation.outcome = classify(&error, before);
            revocation.attempted = Doubt::after(error.attempts());
            revocation.attempts = count(error.attempts().len());
            revocation.rate_limited = rate_limited(error.attempts());
            revocation.status = error.status();
            revocation.elapsed = error.elapsed();
            revocation.request_id = error.headers().and_then(|headers| headers.get(REQUEST_ID)).cloned();
            revocation.error = Some(error);
        }
        // A layer of the caller's panicked: how far the last attempt got isn't known.
        Err(so_far) => note(&mut revocation, &so_far),
    }
    revocation
}

/// Says what is known of an input whose request was given up. Where nothing was sent, it was waiting for its turn, or for a
/// connection; where every attempt that was sent was turned away, it was waiting to be sent again; `may_go_on` where a layer of the
/// caller's may send it after all.
pub(super) fn given_up(index: u64, token_id: String, so_far: &SoFar, before: Doubt, may_go_on: bool) -> Revocation {
    let mut revocation = not_attempted(index, token_id, before);
    if !may_go_on && so_far.is_unsent() {
        revocation.elapsed = so_far.elapsed;
        return revocation;
    }
    note(&mut revocation, so_far);
    if may_go_on {
        revocation.attempted = Doubt::Presumed;
    }
    revocation.from_journal = false;
    revocation.outcome = RevocationOutcome::Unknown;
    if revocation.attempted.max(before) == Doubt::None {
        revocation.outcome = RevocationOutcome::Refused;
        // The last attempt may have been the one that wasn't sent.
        revocation.status = so_far.attempts.iter().rev().find_map(|attempt| attempt.status);
    }
    revocation
}

/// Says what is known of an input that isn't sent. Where an earlier batch may have revoked it, that it isn't attempted would be
/// less than is known.
pub(super) fn not_attempted(index: u64, token_id: String, before: Doubt) -> Revocation {
    let is_doubtful = before > Doubt::None;
    let outcome = if is_doubtful { RevocationOutcome::Unknown } else { RevocationOutcome::NotAttempted };
    Revocation { from_journal: is_doubtful, ..Revocation::new(index, token_id, outcome) }
}

/// Says what a journal knows of an input.
pub(super) fn from_journal(index: u64, token_id: String, outcome: RevocationOutcome, known: Known) -> Revocation {
    let mut revocation = Revocation::new(index, token_id, outcome);
    revocation.from_journal = true;
    revocation.attempts = known.attempts();
    revocation.status = known.status().and_then(|status| StatusCode::from_u16(status).ok());
    revocation
}

fn note(revocation: &mut Revocation, so_far: &SoFar) {
    revocation.attempted = Doubt::after(&so_far.attempts);
    revocation.attempts = count(so_far.attempts.len());
    revocation.rate_limited = rate_limited(&so_far.attempts);
    revocation.status = so_far.attempts.last().and_then(|last| last.status);
    revocation.elapsed = so_far.elapsed;
}

fn count(attempts: usize) -> u32 {
    u32::try_from(attempts).unwrap_or(u32::MAX)
}

fn rate_limited(attempts: &[Attempt]) -> u32 {
    count(attempts.iter().filter(|attempt| attempt.status == Some(StatusCode::TOO_MANY_REQUESTS)).count())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use magicbell_middleware::Outcome;

    use super::*;

    #[test]
    fn what_is_given_up_was_refused_only_where_an_answer_says_so() {
        use RevocationOutcome::{NotAttempted, Refused, Unknown};
        let not_sent = || Attempt::failed(Outcome::NotSent, "connection refused", Duration::ZERO);
        let answered = |status| Attempt::answered(status, Duration::ZERO);
        let limited = || answered(StatusCode::TOO_MANY_REQUESTS);
        for (attempts, expected) in [
            (vec![], (NotAttempted, None, 0)),
            (vec![not_sent(), not_sent()], (NotAttempted, None, 0)),
            (vec![limited(), not_sent()], (Refused, Some(429), 2)),
            (vec![not_sent(), limited()], (Refused, Some(429), 2)),
            (vec![answered(StatusCode::BAD_GATEWAY), not_sent()], (Unknown, None, 2)),
        ] {
            let so_far = SoFar { attempts, elapsed: Duration::ZERO };
            let found = given_up(0, "id".into(), &so_far, Doubt::None, false);
            let status = found.status.map(|status| status.as_u16());
            assert_eq!((found.outcome, status, found.attempts), expected, "{so_far:?}");
            let found = given_up(0, "id".into(), &so_far, Doubt::None, true);
            assert_eq!(found.outcome, Unknown, "a layer may send it: {so_far:?}");
            let found = given_up(0, "id".into(), &so_far, Doubt::Maybe, false);
            assert_eq!(found.outcome, Unknown, "an earlier batch may have revoked it: {so_far:?}");
        }
    }
}

//! What a batch learns from its outcomes.

use std::num::NonZeroUsize;

use super::classify::Doubt;
use super::concurrency::Concurrency;
use super::{Revocation, RevocationOutcome, StopReason};
use crate::error::Error;

/// What a batch learns from its outcomes: how many requests may be in flight, and whether any other id would fare better.
#[derive(Debug)]
pub(super) struct Watch {
    concurrency: Concurrency,
    /// How many more ids have to be answered by 404 to stop; `None` where one was found, or never.
    not_found_left: Option<usize>,
}

impl Watch {
    pub(super) fn new(concurrency: NonZeroUsize, not_found_limit: Option<NonZeroUsize>) -> Self {
        let concurrency = Concurrency::new(concurrency.get());
        Self { concurrency, not_found_left: not_found_limit.map(usize::from) }
    }

    pub(super) fn concurrency(&self) -> usize {
        self.concurrency.now()
    }

    /// Learns from what the journal tells: where one was found, it isn't another project's batch.
    pub(super) fn recall(&mut self, revocation: &Revocation) {
        if revocation.outcome.is_revoked() && !revocation.is_presumed() {
            self.not_found_left = None;
        }
    }

    /// Learns from an outcome, and says why the batch has to stop, where it has. `next` is the number of the next input, and
    /// `before` is what an earlier batch may have done.
    pub(super) fn learn(&mut self, revocation: &Revocation, next: u64, before: Doubt) -> Option<StopReason> {
        match revocation {
            Revocation { rate_limited: 1.., index, .. } => self.concurrency.rate_limited(*index, next),
            Revocation { status: Some(status), index, .. } if !status.is_server_error() => {
                self.concurrency.answered(*index)
            }
            _ => {}
        }
        if revocation.error.as_ref().is_some_and(Error::is_unauthorized) {
            return Some(StopReason::Unauthorized);
        }
        let left = self.not_found_left?;
        // Of an id that was sent more than once and then got 404, nobody knows that it was ever found: it counts as well. What
        // says nothing of the id doesn't count.
        self.not_found_left = match revocation.outcome {
            RevocationOutcome::NotFound => Some(left - 1),
            // An earlier batch, whose journal this is, may have found it.
            RevocationOutcome::AlreadyRevoked if revocation.is_presumed() && before == Doubt::Presumed => Some(left),
            RevocationOutcome::AlreadyRevoked if revocation.is_presumed() => Some(left - 1),
            RevocationOutcome::Revoked | RevocationOutcome::AlreadyRevoked => None,
            _ => Some(left),
        };
        self.not_found_left.take_if(|left| *left == 0).map(|_| StopReason::AllNotFound)
    }
}

//! What became of all of them.

use std::fmt;
use std::pin::pin;
use std::time::Duration;

use futures_core::Stream;
use futures_util::StreamExt as _;
use tokio::time::Instant;

use super::{JournalError, Revocation, RevocationOutcome, RevocationStream, StopReason};

/// What became of a batch: the counts add up to the number of ids.
#[derive(Debug)]
#[non_exhaustive]
pub struct RevocationReport {
    counts: [u64; RevocationOutcome::ALL.len()],
    /// The ids that aren't revoked, or aren't known to be: what they met, in the order in which they came.
    pub failures: Vec<Revocation>,
    /// Why the batch stopped before its ids were through, if it did.
    pub stopped: Option<StopReason>,
    /// Why the batch's journal can't be used or written, where it can't.
    pub journal_error: Option<JournalError>,
    /// How long it took.
    pub elapsed: Duration,
}

impl RevocationReport {
    pub(super) async fn collect<S>(outcomes: RevocationStream<S>) -> Self
    where
        S: Stream<Item: Into<String>>,
    {
        let start = Instant::now();
        let mut report = Self {
            counts: [0; RevocationOutcome::ALL.len()],
            failures: Vec::new(),
            stopped: None,
            journal_error: None,
            elapsed: Duration::ZERO,
        };
        let mut outcomes = pin!(outcomes);
        while let Some(revocation) = outcomes.next().await {
            report.counts[revocation.outcome as usize] += 1;
            if !revocation.outcome.is_revoked() {
                report.failures.push(revocation);
            }
        }
        report.stopped = outcomes.stopped();
        report.journal_error = outcomes.as_mut().take_journal_error();
        report.elapsed = start.elapsed();
        report
    }

    /// Returns how many ids had an outcome.
    #[must_use]
    pub fn count(&self, outcome: RevocationOutcome) -> u64 {
        self.counts[outcome as usize]
    }

    /// Returns how many ids there were.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Says whether every token is revoked: known to be, or [presumed](Revocation::is_presumed).
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty()
    }

    /// Returns the ids that were never tried.
    pub fn not_attempted(&self) -> impl Iterator<Item = &str> {
        let never = self.failures.iter().filter(|failure| failure.outcome == RevocationOutcome::NotAttempted);
        never.map(|failure| &*failure.token_id)
    }
}

impl fmt::Display for RevocationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ids in {:.1?}:", self.total(), self.elapsed)?;
        for outcome in RevocationOutcome::ALL.into_iter().filter(|outcome| self.count(*outcome) > 0) {
            write!(f, " {} {outcome}", self.count(outcome))?;
        }
        match self.stopped {
            Some(reason) => write!(f, "; stopped: {reason}"),
            None => Ok(()),
        }
    }
}

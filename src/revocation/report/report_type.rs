//! The report: counts that add up, and what the failures have in common.

use std::pin::pin;
use std::time::Duration;

use futures_core::Stream;
use futures_util::StreamExt as _;
use tokio::time::Instant;

use super::FailureGroup;
use crate::revocation::{JournalError, Revocation, RevocationOutcome, RevocationStream, StopReason};

/// What became of a batch: the counts add up to the number of ids.
///
/// [`Revocations::run`](super::super::Revocations::run) makes one, and so can whoever reads the stream, as below: then it can be
/// told how many failures to [keep](Self::keeping). `{}` shows it in one line, `{:#}` in several, for a person; as JSON it has names that
/// stay, and neither a token nor any text of an answer.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use futures_util::StreamExt;
/// use magicbell::revocation::{RevocationOutcome, RevocationReport};
/// use magicbell::testing::{Fault, Server};
///
/// let server = Server::start().await?;
/// let client = server.client();
/// server.fail_next(Fault::status(403));
///
/// let mut report = RevocationReport::keeping(100);
/// let mut outcomes = client.jwt().discard_user_jwts(server.add_user_tokens("hana", 10)).stream();
/// while let Some(revocation) = outcomes.next().await {
///     report.record(revocation);
/// }
/// report.finish(&outcomes);
///
/// assert_eq!(report.count(RevocationOutcome::Revoked), 9);
/// assert_eq!(report.failure_groups()[0].count, 1);
/// println!("{report:#}");
/// println!("{}", serde_json::to_string(&report)?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct RevocationReport {
    pub(super) counts: [u64; RevocationOutcome::ALL.len()],
    /// The ids that aren't revoked, or aren't known to be: what they met, in the order in which they came.
    pub failures: Vec<Revocation>,
    /// Why the batch stopped before its ids were through, if it did.
    pub stopped: Option<StopReason>,
    /// Why the batch's journal can't be used or written, where it can't.
    pub journal_error: Option<JournalError>,
    /// How long it took.
    pub elapsed: Duration,
    pub(super) groups: Vec<FailureGroup>,
    pub(super) presumed: u64,
    pub(super) from_journal: u64,
    pub(super) tried: u64,
    pub(super) attempts: u64,
    pub(super) rate_limited: u64,
    keep: usize,
    start: Instant,
}

impl RevocationReport {
    /// Begins one now, that keeps every failure.
    #[must_use]
    pub fn new() -> Self {
        Self::keeping(usize::MAX)
    }

    /// Begins one now, that keeps at most so many failures and only counts the others.
    ///
    /// A failure that is kept takes about 1,500 bytes with its id and its error, and 250 where it was never tried: 1.5 GB, or
    /// 250 MB, for a million. The [groups](Self::failure_groups) are made of all.
    #[must_use]
    pub fn keeping(failures: usize) -> Self {
        Self {
            counts: [0; RevocationOutcome::ALL.len()],
            failures: Vec::new(),
            stopped: None,
            journal_error: None,
            elapsed: Duration::ZERO,
            groups: Vec::new(),
            presumed: 0,
            from_journal: 0,
            tried: 0,
            attempts: 0,
            rate_limited: 0,
            keep: failures,
            start: Instant::now(),
        }
    }

    pub(in crate::revocation) async fn collect<S>(outcomes: RevocationStream<S>) -> Self
    where
        S: Stream<Item: Into<String>>,
    {
        let mut report = Self::new();
        let mut outcomes = pin!(outcomes);
        while let Some(revocation) = outcomes.next().await {
            report.add(revocation);
        }
        report.finish(&outcomes);
        report
    }

    /// Counts an outcome, and keeps it where it is a failure.
    pub fn record(&mut self, revocation: Revocation) {
        self.elapsed = self.start.elapsed();
        self.add(revocation);
    }

    /// The same without a look at the clock, for those who finish the report before anybody sees it.
    fn add(&mut self, revocation: Revocation) {
        self.counts[revocation.outcome as usize] += 1;
        self.presumed += u64::from(revocation.is_presumed());
        self.from_journal += u64::from(revocation.from_journal);
        // What a journal tells took its requests in another run.
        self.tried += u64::from(revocation.attempts > 0 && !revocation.from_journal);
        if !revocation.is_shared && !revocation.from_journal {
            self.attempts += u64::from(revocation.attempts);
            self.rate_limited += u64::from(revocation.rate_limited);
        }
        if !revocation.outcome.is_revoked() {
            FailureGroup::count(&mut self.groups, &revocation);
            if self.failures.len() < self.keep {
                self.failures.push(revocation);
            }
        }
    }

    /// Takes from the batch what its outcomes don't say: why it has stopped, and what is wrong with its journal. With this at the
    /// end, a report is what [`run`](super::super::Revocations::run) makes.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use futures_util::StreamExt;
    /// use magicbell::revocation::{RevocationReport, StopReason};
    /// use magicbell::testing::{Fault, Server};
    ///
    /// let server = Server::start().await?;
    /// server.fail_next(Fault::status(401).always());
    ///
    /// let mut report = RevocationReport::new();
    /// let mut outcomes = server.client().jwt().discard_user_jwts(server.add_user_tokens("hana", 10)).stream();
    /// while let Some(revocation) = outcomes.next().await {
    ///     report.record(revocation);
    /// }
    /// report.finish(&outcomes);
    /// assert_eq!(report.stopped, Some(StopReason::Unauthorized));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Where several batches are counted in one report, each is finished; what stays is the last reason to stop, and the last
    /// error.
    pub fn finish<S>(&mut self, outcomes: &RevocationStream<S>) {
        self.stopped = outcomes.stopped().or(self.stopped);
        if let Some(error) = outcomes.journal_error() {
            self.journal_error = Some(error.clone());
        }
        self.elapsed = self.start.elapsed();
    }
}

impl RevocationReport {
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

    /// Returns how many ids aren't revoked, or aren't known to be.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.groups.iter().map(|group| group.count).sum()
    }

    /// Says whether every token is revoked: known to be, or [presumed](Revocation::is_presumed).
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed() == 0
    }

    /// Returns how many of the already revoked are [presumed](Revocation::is_presumed) to be: verify those, by listing again.
    #[must_use]
    pub fn presumed(&self) -> u64 {
        self.presumed
    }

    /// Returns how many outcomes were [told by the journal](Revocation::from_journal): nothing was sent for those.
    #[must_use]
    pub fn from_journal(&self) -> u64 {
        self.from_journal
    }

    /// Returns the failures by what they have in common, in the order in which each came up first.
    #[must_use]
    pub fn failure_groups(&self) -> &[FailureGroup] {
        &self.groups
    }

    /// Returns how many failures were counted and not kept.
    #[must_use]
    pub fn failures_left_out(&self) -> u64 {
        self.failed().saturating_sub(self.failures.len() as u64)
    }

    /// Returns the ids that were never tried, as far as failures are kept.
    pub fn not_attempted(&self) -> impl Iterator<Item = &str> {
        let never = self.failures.iter().filter(|failure| failure.outcome == RevocationOutcome::NotAttempted);
        never.map(|failure| &*failure.token_id)
    }

    /// Returns how many ids a request was sent for.
    #[must_use]
    pub fn tried(&self) -> u64 {
        self.tried
    }

    /// Returns how many requests were sent in all. Inputs that shared one have it once.
    #[must_use]
    pub fn attempts(&self) -> u64 {
        self.attempts
    }

    /// Returns how many requests were answered by 429.
    #[must_use]
    pub fn rate_limited(&self) -> u64 {
        self.rate_limited
    }

    /// Returns how many ids a request was sent for, by the second and on average; 0 where it took no time.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 { self.tried as f64 / seconds } else { 0.0 }
    }
}

impl Default for RevocationReport {
    fn default() -> Self {
        Self::new()
    }
}

//! How far a batch has come.

use std::time::Duration;

use tokio::time::Instant;

use super::estimate::{Estimate, Known, PUBLISHED_WRITES};
use super::history::History;
use crate::rate_limit::RateLimit;
use crate::revocation::Revocation;

/// The service counts by the minute.
pub(super) const MINUTE: Duration = Duration::from_secs(60);

/// How far a batch has come, and an honest estimate of how long it will take yet.
///
/// Under a quota the first ids go at once and the next have to wait, so the rate so far says nothing of what is to come. The
/// estimate therefore replays what the last minutes took, pauses included: each id may go a minute after the one that went a
/// quota before it. Until a minute has been seen, the client's own [`rate_limit`](Self::rate_limit) is taken to bind, where it
/// is given, and else the published limit. From there on it is within a minute, or a tenth, of the truth while the quota and the
/// service's pace stay as they are. Ask for it as often as you like, also while nothing comes.
///
/// It keeps 240 numbers, however many ids there are.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use futures_util::StreamExt;
/// use magicbell::{revocation::Progress, testing::Server};
///
/// let server = Server::start().await?;
/// let client = server.client();
/// let ids = server.add_user_tokens("hana", 150);
///
/// let mut progress = Progress::new(ids.len() as u64);
/// let mut outcomes = client.jwt().discard_user_jwts(ids).stream();
/// while let Some(revocation) = outcomes.next().await {
///     progress.record(&revocation);
/// }
/// assert_eq!((progress.done(), progress.left()), (150, 0));
/// assert!(progress.to_string().starts_with("150 of 150 (100 %)"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Progress {
    total: u64,
    done: u64,
    start: Instant,
    pub(super) history: History,
    limit: Option<u64>,
    /// By what part of a minute the service counts.
    scale: f64,
}

impl Progress {
    /// Begins now, with this many ids to come.
    #[must_use]
    pub fn new(total: u64) -> Self {
        Self { total, done: 0, start: Instant::now(), history: History::new(MINUTE), limit: None, scale: 1.0 }
    }

    /// Says what the client's own rate limit is, so that it is counted with from the start. A limit that other clients share is
    /// taken as if it were this batch's alone.
    #[must_use]
    pub fn rate_limit(mut self, limit: &RateLimit) -> Self {
        self.limit = Some(u64::from(limit.steady_writes_a_minute()));
        self
    }

    /// Sets by how long a time the service counts: a minute by default, and at least a microsecond. Shorter for a test against a
    /// faster quota; the published limit is scaled with it.
    #[must_use]
    pub fn window(mut self, window: Duration) -> Self {
        let window = window.clamp(Duration::from_micros(1), Duration::from_secs(86_400));
        self.scale = window.as_secs_f64() / MINUTE.as_secs_f64();
        self.history = History::new(window);
        self
    }

    /// Counts an outcome.
    ///
    /// One that took no request, such as [`NotAttempted`](super::super::RevocationOutcome::NotAttempted), is done, and says
    /// nothing of how fast requests go.
    pub fn record(&mut self, revocation: &Revocation) {
        // What a journal tells took no request of this run.
        self.record_at(self.start.elapsed(), revocation.attempts > 0 && !revocation.from_journal);
    }

    pub(super) fn record_at(&mut self, now: Duration, took_a_request: bool) {
        self.done += 1;
        if took_a_request {
            self.history.add(now);
        }
    }

    /// Returns how many ids have had their outcome.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done
    }

    /// Returns how many ids there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Returns how many ids are left.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.total.saturating_sub(self.done)
    }

    /// Returns how long it has taken so far.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Returns how many ids were finished in the last minute, or in the last [`window`](Self::window).
    #[must_use]
    pub fn recent(&self) -> u64 {
        self.history_at(self.elapsed()).recent()
    }

    /// Returns how long the ids that are left will take; `None` where nothing is known yet, and where nothing has been finished
    /// for two minutes.
    #[must_use]
    pub fn estimate(&self) -> Option<Estimate> {
        self.estimate_at(self.start.elapsed())
    }

    pub(super) fn estimate_at(&self, now: Duration) -> Option<Estimate> {
        let history = self.history_at(now);
        let known = Known {
            history: &history,
            now,
            limit: self.limit.map(|limit| ((limit as f64 * self.scale) as u64).max(1)),
            published: ((PUBLISHED_WRITES as f64 * self.scale) as u64).max(1),
        };
        known.estimate(self.left())
    }

    fn history_at(&self, now: Duration) -> History {
        let mut history = self.history.clone();
        history.advance(now);
        history
    }
}

//! How far a batch has come.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use super::Estimate;
use super::estimate::{Known, PUBLISHED_WRITES};
use super::history::History;
use crate::rate_limit::RateLimit;
use crate::revocation::Revocation;
use crate::revocation::words::{Plain, Thousands};

/// The service counts by the minute.
const MINUTE: Duration = Duration::from_secs(60);

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
    history: History,
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
        self.record_at(self.start.elapsed(), revocation.attempts > 0);
    }

    fn record_at(&mut self, now: Duration, took_a_request: bool) {
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

    fn estimate_at(&self, now: Duration) -> Option<Estimate> {
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

/// Says in one line how far it has come: `1,200 of 10,000 (12 %), 200 in the last 1 min, about 44 min left (by the last minutes)`.
impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (done, total) = (self.done, self.total);
        let percent = (u128::from(done) * 100).checked_div(u128::from(total)).unwrap_or(100);
        write!(f, "{} of {} ({percent} %)", Thousands(done), Thousands(total))?;
        write!(f, ", {} in the last {}", Thousands(self.recent()), Plain(self.history.window()))?;
        match self.estimate() {
            _ if self.left() == 0 => write!(f, ", {} in all", Plain(self.elapsed())),
            Some(Estimate { left, basis }) => write!(f, ", about {} left ({basis})", Plain(left)),
            None if done == 0 => Ok(()),
            None => f.write_str(", none for a while"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Basis;
    use super::*;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    fn left(progress: &Progress, now: f64) -> (f64, Basis) {
        let estimate = progress.estimate_at(seconds(now)).unwrap();
        (estimate.left.as_secs_f64(), estimate.basis)
    }

    /// `count` ids, so many seconds apart.
    fn record(progress: &mut Progress, start: f64, apart: f64, count: u32) {
        for at in 0..count {
            progress.record_at(seconds(start + apart * f64::from(at)), true);
        }
    }

    fn assert_near(estimate: f64, truth: f64, by: f64) {
        assert!((estimate - truth).abs() <= by, "{estimate} is not {truth}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_not_taken_for_the_pace() {
        let mut progress = Progress::new(400);
        record(&mut progress, 0.0, 0.001, 200);
        let (left, basis) = left(&progress, 1.0);
        assert_near(left, 59.0, 1.0);
        assert_eq!(basis, Basis::PublishedLimit);
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_minute_is_replayed_pause_and_all() {
        // 50 a minute, at once: neither the published limit nor the client's.
        let mut progress = Progress::new(1_000);
        for minute in 0..4 {
            record(&mut progress, f64::from(minute) * 60.0, 0.01, 50);
        }
        // The last burst is the twentieth, at 19 minutes.
        for now in [180.6, 200.0, 239.0] {
            let (left, basis) = left(&progress, now);
            assert_near(left, 19.0 * 60.0 + 0.5 - now, 1.0);
            assert_eq!(basis, Basis::Observed);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_moves_the_end() {
        // 10 a second and then nothing: a Retry-After of 40 s, under no quota.
        let mut progress = Progress::new(10_000);
        record(&mut progress, 0.0, 0.1, 1_200);
        assert_near(left(&progress, 120.0).0, 880.0, 6.0);
        assert_near(left(&progress, 160.0).0, 880.0, 60.0);
        let limit = RateLimit::per_minute(1, 600);
        let progress = progress.rate_limit(&limit);
        let (left, basis) = left(&progress, 160.0);
        assert_near(left, 8_800.0 / 571.0 * 60.0, 0.1);
        assert_eq!(basis, Basis::RateLimit, "the pause doesn't count as progress");
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_service_is_slower_than_the_quota() {
        let mut progress = Progress::new(400);
        record(&mut progress, 1.0, 1.0, 20);
        assert_near(left(&progress, 20.0).0, 380.0, 20.0);
    }

    #[tokio::test(start_paused = true)]
    async fn more_than_the_published_limit_says_that_it_is_not_the_limit() {
        let mut progress = Progress::new(10_000);
        record(&mut progress, 0.0, 0.01, 1_000);
        let (left, basis) = left(&progress, 10.0);
        assert_near(left, 90.0, 1.0);
        assert_eq!(basis, Basis::SoFar);
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_limit_binds_from_the_start() {
        let progress = Progress::new(2_000).rate_limit(&RateLimit::published().share(0.5));
        assert_eq!(left(&progress, 0.0), (1_250.0, Basis::RateLimit));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_said_where_nothing_is_known() {
        let mut progress = Progress::new(10);
        assert_eq!(progress.estimate_at(Duration::ZERO), None);
        record(&mut progress, 0.0, 0.1, 5);
        assert_eq!(progress.estimate_at(seconds(1_000.0)), None, "nothing came for long");
        assert!(progress.estimate_at(seconds(20.0)).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn what_took_no_request_is_done_and_says_nothing_of_the_pace() {
        let mut progress = Progress::new(1_000);
        record(&mut progress, 0.0, 0.3, 100);
        let before = left(&progress, 30.0).0;
        for _ in 0..500 {
            progress.record_at(seconds(30.0), false);
        }
        assert_eq!(progress.done(), 600);
        assert!(left(&progress, 30.0).0 < before / 2.0 + 5.0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_window_can_be_shorter() {
        let mut progress = Progress::new(400).window(Duration::from_millis(600));
        record(&mut progress, 0.0, 0.0001, 2);
        assert_near(left(&progress, 0.01).0, 0.6 * 199.0, 1.0);
    }

    #[tokio::test(start_paused = true)]
    async fn odd_numbers_do_not_panic() {
        for total in [0, 1, u64::MAX] {
            for window in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
                let mut progress = Progress::new(total).window(window);
                for now in [0.0, 1.0, 1e15] {
                    progress.record_at(seconds(now), true);
                    let _ = progress.estimate_at(seconds(now));
                }
                assert!(!progress.to_string().is_empty());
            }
        }
    }
}

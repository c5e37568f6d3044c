//! The time left: what it is reckoned from, and how.

use std::fmt;
use std::time::Duration;

use super::history::History;
use crate::revocation::words::Plain;

/// How many writes a minute the service's public documentation allows.
pub(super) const PUBLISHED_WRITES: u64 = 200;

/// How long the ids that are left will take, and from what that is known.
///
/// Before anything is sent:
///
/// ```
/// use magicbell::{RateLimit, revocation::Progress};
///
/// let progress = Progress::new(40_000).rate_limit(&RateLimit::published());
/// let estimate = progress.estimate().ok_or("nothing is known")?;
/// assert_eq!(estimate.to_string(), "about 3 h 29 min (by the client's rate limit)");
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Estimate {
    /// How long it will take yet.
    pub left: Duration,
    /// From what that is known.
    pub basis: Basis,
}

/// Says how long, and from what that is known: `about 9 min (by the published limit)`.
impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "about {} ({})", Plain(self.left), self.basis)
    }
}

/// From what an [`Estimate`] is known.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use futures_util::StreamExt;
/// use magicbell::{revocation::{Basis, Progress}, testing::Server};
///
/// let server = Server::start().await?;
/// let client = server.client();
/// let mut progress = Progress::new(2_000);
/// let mut outcomes = client.jwt().discard_user_jwts(server.add_user_tokens("hana", 20)).stream();
/// while let Some(revocation) = outcomes.next().await {
///     progress.record(&revocation);
/// }
/// // Twenty went in no time, and that isn't taken to go on: 200 a minute may.
/// let estimate = progress.estimate().ok_or("nothing is known")?;
/// assert_eq!(estimate.basis, Basis::PublishedLimit);
/// assert!(estimate.left.as_secs() > 8 * 60);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Basis {
    /// The client's own [`RateLimit`](crate::RateLimit).
    RateLimit,
    /// No window has been seen whole yet, and what has been seen doesn't exceed the published limit: that is taken to hold.
    PublishedLimit,
    /// No window has been seen whole yet, and more than the published limit went through: the rate so far is taken to hold. A
    /// quota that hasn't been met yet would make it longer.
    SoFar,
    /// What the last windows took, pauses included.
    Observed,
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RateLimit => "by the client's rate limit",
            Self::PublishedLimit => "by the published limit",
            Self::SoFar => "unless a quota is met",
            Self::Observed => "by the last minutes",
        })
    }
}

/// What an estimate is made from.
pub(super) struct Known<'a> {
    pub(super) history: &'a History,
    pub(super) now: Duration,
    /// How many ids a window takes by the client's own rate limit.
    pub(super) limit: Option<u64>,
    /// How many ids a window takes by the published limit.
    pub(super) published: u64,
}

impl Known<'_> {
    /// Estimates how long `ids` more ids take; `None` where nothing is known, as nothing has been finished for two windows.
    pub(super) fn estimate(&self, ids: u64) -> Option<Estimate> {
        let by_limit = self.limit.map(|limit| self.windows(ids, limit));
        let (seen, basis) = match (self.seen(ids), by_limit) {
            (None, None) => return None,
            (None, Some(left)) => (left, Basis::RateLimit),
            (Some((left, basis)), None) => (left, basis),
            (Some((left, _)), Some(limit)) if limit >= left => (limit, Basis::RateLimit),
            (Some((left, basis)), Some(_)) => (left, basis),
        };
        Some(Estimate { left: seen, basis })
    }

    fn seen(&self, ids: u64) -> Option<(Duration, Basis)> {
        if self.now >= self.history.window() {
            return Some((self.replay(ids, self.history.most(), Duration::ZERO)?, Basis::Observed));
        }
        let done = self.history.recent();
        let apart = self.now.checked_div(u32::try_from(done).unwrap_or(u32::MAX))?;
        let at_this_rate = times(apart, ids);
        if self.limit.is_some() || done > self.published {
            return Some((at_this_rate, Basis::SoFar));
        }
        let by_quota = self.replay(ids, self.published, apart)?;
        Some((by_quota.max(at_this_rate), Basis::PublishedLimit))
    }

    /// Reckons that a window takes `most` ids, and that each may go a window after the one that went `most` before it. What the
    /// last window had less than that goes next, `apart` from each other.
    fn replay(&self, ids: u64, most: u64, apart: Duration) -> Option<Duration> {
        let free = most.saturating_sub(self.history.recent());
        if ids <= free {
            return Some(times(apart, ids));
        }
        let behind = ids - free - 1;
        let rounds = behind.checked_div(most)?.saturating_add(1);
        let nth = behind % most + 1;
        let went = match self.history.nth(nth) {
            Some(at) => at,
            None => self.now.saturating_add(times(apart, nth - (most - free))),
        };
        let goes = went.saturating_add(times(self.history.window(), rounds));
        Some(goes.saturating_sub(self.now))
    }

    fn windows(&self, ids: u64, limit: u64) -> Duration {
        let window = self.history.window();
        let nanos = window.as_nanos().saturating_mul(u128::from(ids)) / u128::from(limit.max(1));
        u64::try_from(nanos).map_or(Duration::MAX, Duration::from_nanos)
    }
}

fn times(duration: Duration, count: u64) -> Duration {
    u32::try_from(count).map_or(Duration::MAX, |count| duration.saturating_mul(count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate_limit::RateLimit;
    use crate::revocation::Progress;

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
        for _ in 0..500 {
            progress.record_at(seconds(30.0), false);
        }
        assert_eq!(progress.done(), 600);
        // 400 are left, at 200 a minute.
        assert_near(left(&progress, 30.0).0, 120.0, 1.0);
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

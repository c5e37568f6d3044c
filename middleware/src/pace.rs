//! Holds requests back: for a quota that is known, and while a server has asked for a pause.
//!
//! A [`Pace`] is shared by all clones of a service. [`retry`](crate::retry) asks it before each attempt, so that the wait uses
//! up neither the attempt's time nor a permit, and tells it of each `Retry-After`, so that one 429 pauses everybody.
//!
//! ```
//! use std::time::Duration;
//! use magicbell_middleware::{Safety, pace::{Pace, Quota}};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let writes = Quota::per(200, Duration::from_secs(60));
//! let pace = Pace::new(Quota::unlimited(), writes);
//! let start = tokio::time::Instant::now();
//! for _ in 0..200 {
//!     pace.admit(Safety::Idempotent).await;
//! }
//! assert!(start.elapsed() > Duration::from_secs(50));
//! # }
//! ```

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::Safety;

/// How far apart requests are let through when a pause ends, so that those who waited don't come all at once.
const RAMP: Duration = Duration::from_millis(50);

/// As far as an instant is reckoned: adding more to one could overflow.
const FAR: Duration = Duration::from_secs(30 * 365 * 86_400);

/// So many requests in any stretch of time as long as the window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quota {
    count: u32,
    window: Duration,
}

impl Quota {
    /// Allows at most `count` requests in any stretch as long as `window`. A count of 0 counts as 1.
    ///
    /// A twentieth of the count, at least one, may go at once; the others are spread evenly.
    #[must_use]
    pub fn per(count: u32, window: Duration) -> Self {
        Self { count: count.max(1), window }
    }

    /// Allows any number.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self { count: u32::MAX, window: Duration::ZERO }
    }

    /// Takes a part of it, from 0 to 1, and leaves the rest to others; at least one request a window. A share that isn't a
    /// number between them is taken as the nearest that is, and what isn't a number at all as 0.
    #[must_use]
    pub fn share(self, share: f64) -> Self {
        if self.window.is_zero() {
            return self;
        }
        let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
        Self::per((f64::from(self.count) * share).floor() as u32, self.window)
    }

    /// Returns how many requests may go at once.
    fn burst(self) -> u64 {
        u64::from(self.count / 20).max(1)
    }

    /// Returns the nanoseconds between two requests, once the burst is used up; 0 where there is no limit.
    fn interval(self) -> u64 {
        nanos(self.window).div_ceil(u64::from(self.count) - self.burst() + 1)
    }
}

/// Holds requests back: for a quota, and while there is a pause. Clones share both.
#[derive(Debug, Clone)]
pub struct Pace {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    origin: Instant,
    /// When the pause ends, in nanoseconds since `origin`, as are the others.
    paused_until: AtomicU64,
    /// When the last of those let through after a pause goes.
    ramp: AtomicU64,
    reads: Bucket,
    writes: Bucket,
}

/// One call's place in the queue. A new attempt takes a new one.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Ticket {
    /// The pause that it has waited for.
    pause: u64,
    /// Whether it has its part of the quota.
    counted: bool,
}

impl Pace {
    /// Makes one with a quota for what is safe (reads) and one for the rest (writes).
    #[must_use]
    pub fn new(reads: Quota, writes: Quota) -> Self {
        Self {
            shared: Arc::new(Shared {
                origin: Instant::now(),
                paused_until: AtomicU64::new(0),
                ramp: AtomicU64::new(0),
                reads: Bucket::new(reads),
                writes: Bucket::new(writes),
            }),
        }
    }

    /// Makes one without quotas, which holds requests back only while there is a pause.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::new(Quota::unlimited(), Quota::unlimited())
    }

    /// Pauses everybody for at least `pause` from now. A pause that ends later stays.
    pub fn pause(&self, pause: Duration) {
        let until = nanos(self.now().saturating_add(pause));
        self.shared.paused_until.fetch_max(until, Ordering::AcqRel);
    }

    /// Returns how much of a pause is left; `None` where there is none.
    #[must_use]
    pub fn paused_for(&self) -> Option<Duration> {
        let until = Duration::from_nanos(self.shared.paused_until.load(Ordering::Acquire));
        until.checked_sub(self.now()).filter(|left| !left.is_zero())
    }

    /// Waits until a request may go.
    pub async fn admit(&self, safety: Safety) {
        let mut ticket = Ticket::default();
        while let Some(at) = self.delay(safety, &mut ticket, None) {
            sleep_until(at).await;
        }
    }

    /// Returns until when a request has to wait, and takes its place in the queue; `None` where it may go now.
    ///
    /// Where the wait would go past `deadline`, no place is taken: the caller gives up.
    pub(crate) fn delay(&self, safety: Safety, ticket: &mut Ticket, deadline: Option<Instant>) -> Option<Instant> {
        let bucket = match safety {
            Safety::Safe => &self.shared.reads,
            Safety::Idempotent | Safety::NonIdempotent => &self.shared.writes,
        };
        let pause = self.shared.paused_until.load(Ordering::Acquire);
        if pause == 0 && (ticket.counted || bucket.interval == 0) {
            return None;
        }
        let now = nanos(self.now());
        let limit = deadline.map_or(u64::MAX, |deadline| nanos(deadline.saturating_duration_since(self.shared.origin)));
        let at = self.after_pause(pause, now, limit, ticket).or_else(|| bucket.take(now, limit, ticket))?;
        Some(self.shared.origin + Duration::from_nanos(at).min(FAR))
    }

    fn after_pause(&self, pause: u64, now: u64, limit: u64, ticket: &mut Ticket) -> Option<u64> {
        let ramp = self.shared.ramp.load(Ordering::Acquire);
        if ticket.pause == pause || now >= pause.max(ramp) {
            return None;
        }
        let spacing = nanos(RAMP);
        let mut current = ramp;
        let at = loop {
            let at = current.saturating_add(spacing).max(pause);
            if at > limit {
                return Some(at);
            }
            match self.shared.ramp.compare_exchange_weak(current, at, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => break at,
                Err(other) => current = other,
            }
        };
        ticket.pause = pause;
        Some(at)
    }

    fn now(&self) -> Duration {
        Instant::now().saturating_duration_since(self.shared.origin)
    }
}

/// A request was not sent, since its turn would have come after the deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldBack {
    wait: Duration,
}

impl HeldBack {
    #[cfg(feature = "retry")]
    pub(crate) const fn new(wait: Duration) -> Self {
        Self { wait }
    }

    /// Returns how long it would have had to wait.
    #[must_use]
    pub const fn wait(&self) -> Duration {
        self.wait
    }
}

impl fmt::Display for HeldBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "held back: its turn would come in {:?}, after the deadline", self.wait)
    }
}

impl Error for HeldBack {}

/// The generic cell rate algorithm, in one atomic.
#[derive(Debug)]
struct Bucket {
    interval: u64,
    tolerance: u64,
    /// When the bucket would be full again, in nanoseconds.
    full_at: AtomicU64,
}

impl Bucket {
    fn new(quota: Quota) -> Self {
        let interval = if quota.window.is_zero() { 0 } else { quota.interval() };
        Self { interval, tolerance: interval.saturating_mul(quota.burst()), full_at: AtomicU64::new(0) }
    }

    /// Takes one request's part; returns when it may go, or `None` for now.
    fn take(&self, now: u64, limit: u64, ticket: &mut Ticket) -> Option<u64> {
        if self.interval == 0 || ticket.counted {
            return None;
        }
        let mut current = self.full_at.load(Ordering::Acquire);
        let at = loop {
            let next = current.max(now).saturating_add(self.interval);
            let at = next.saturating_sub(self.tolerance);
            if at > limit {
                return Some(at);
            }
            match self.full_at.compare_exchange_weak(current, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => break at,
                Err(other) => current = other,
            }
        };
        ticket.counted = true;
        (at > now).then_some(at)
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Admits `count` requests, one after the other, and says when each went.
    async fn times(pace: &Pace, safety: Safety, count: usize) -> Vec<Duration> {
        let start = Instant::now();
        let mut times = Vec::new();
        for _ in 0..count {
            pace.admit(safety).await;
            times.push(start.elapsed());
        }
        times
    }

    #[tokio::test(start_paused = true)]
    async fn no_window_ever_has_more_than_the_quota() {
        for count in [1, 2, 19, 200] {
            let window = Duration::from_secs(60);
            let pace = Pace::new(Quota::unlimited(), Quota::per(count, window));
            let times = times(&pace, Safety::Idempotent, 3 * count as usize).await;
            for (first, last) in times.iter().zip(&times[count as usize..]) {
                assert!(*last - *first >= window, "{count}: {first:?} to {last:?}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_quota_is_used_up_to_nine_tenths() {
        let pace = Pace::new(Quota::unlimited(), Quota::per(200, Duration::from_secs(60)));
        let times = times(&pace, Safety::NonIdempotent, 2_000).await;
        assert!(times[1_999] < Duration::from_secs(2_000 * 60 / 200 * 10 / 9), "{:?}", times[1_999]);
    }

    #[tokio::test(start_paused = true)]
    async fn reads_and_writes_do_not_share_a_quota() {
        let pace = Pace::new(Quota::unlimited(), Quota::per(1, Duration::from_secs(60)));
        pace.admit(Safety::Idempotent).await;
        assert_eq!(times(&pace, Safety::Safe, 1_000).await[999], Duration::ZERO);
    }

    #[test]
    fn a_share_leaves_the_rest() {
        let quota = Quota::per(200, Duration::from_secs(60));
        assert_eq!(quota.share(0.5), Quota::per(100, Duration::from_secs(60)));
        assert_eq!(quota.share(f64::NAN), Quota::per(1, Duration::from_secs(60)));
        assert_eq!(quota.share(7.0), quota);
        assert_eq!(Quota::unlimited().share(0.5), Quota::unlimited());
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_pause_64_waiters_go_one_by_one_and_none_early() {
        let pace = Pace::unlimited();
        pace.pause(Duration::from_secs(7));
        let start = Instant::now();
        let waiters = (0..64).map(|_| {
            let pace = pace.clone();
            tokio::spawn(async move {
                pace.admit(Safety::Idempotent).await;
                start.elapsed()
            })
        });
        let mut times = Vec::new();
        for waiter in waiters.collect::<Vec<_>>() {
            times.push(waiter.await.unwrap());
        }
        times.sort();
        assert!(times[0] >= Duration::from_secs(7), "{:?}", times[0]);
        let first_second = times.iter().filter(|time| **time < Duration::from_secs(8)).count();
        assert!((15..=21).contains(&first_second), "{first_second}");
        assert!(times[63] < Duration::from_secs(11), "{:?}", times[63]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_is_made_longer_holds_those_who_wait() {
        let pace = Pace::unlimited();
        pace.pause(Duration::from_secs(1));
        let start = Instant::now();
        let waiter = tokio::spawn({
            let pace = pace.clone();
            async move {
                pace.admit(Safety::Safe).await;
                start.elapsed()
            }
        });
        tokio::time::advance(Duration::from_millis(500)).await;
        pace.pause(Duration::from_secs(10));
        assert!(waiter.await.unwrap() >= Duration::from_millis(10_500));
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_past_the_deadline_is_not_taken() {
        let pace = Pace::new(Quota::unlimited(), Quota::per(1, Duration::from_secs(60)));
        pace.admit(Safety::Idempotent).await;
        let deadline = Instant::now() + Duration::from_secs(5);
        for _ in 0..10 {
            let at = pace.delay(Safety::Idempotent, &mut Ticket::default(), Some(deadline));
            assert_eq!(at, Some(Instant::now() + Duration::from_secs(60)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_without_an_end_does_not_panic() {
        let pace = Pace::unlimited();
        pace.pause(Duration::MAX);
        assert!(pace.paused_for().is_some());
    }
}

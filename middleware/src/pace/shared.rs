//! The pace that clones share.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use tokio::time::{Instant, sleep_until};

use super::lane::{Lane, RAMP, Ticket};
use super::quota::nanos;
use super::rate_limit_headers::exhausted_for;
use super::{Quota, retry_after};
use crate::Safety;

/// As far as an instant is reckoned: adding more to one could overflow.
const FAR: Duration = Duration::from_secs(30 * 365 * 86_400);

/// Holds requests back: for a quota, and while there is a pause. Clones share both.
///
/// ```
/// use std::time::Duration;
/// use magicbell_middleware::{Safety, pace::Pace};
///
/// let pace = Pace::unlimited();
/// pace.clone().pause_kind(Safety::Idempotent, Duration::from_secs(30));
/// assert!(pace.paused_for(Safety::NonIdempotent).is_some(), "both write");
/// assert_eq!(pace.paused_for(Safety::Safe), None);
/// ```
#[derive(Debug, Clone)]
pub struct Pace {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    origin: Instant,
    reads: Lane,
    writes: Lane,
}

impl Pace {
    /// Makes one with a quota for what is safe (reads) and one for the rest (writes).
    #[must_use]
    pub fn new(reads: Quota, writes: Quota) -> Self {
        let (reads, writes) = (Lane::new(reads), Lane::new(writes));
        Self { shared: Arc::new(Shared { origin: Instant::now(), reads, writes }) }
    }

    /// Makes one without quotas, which holds requests back only while there is a pause.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::new(Quota::unlimited(), Quota::unlimited())
    }

    /// Pauses everything for at least `pause` from now. A pause that ends later stays, and one of no time is none.
    pub fn pause(&self, pause: Duration) {
        self.pause_kind(Safety::Safe, pause);
        self.pause_kind(Safety::Idempotent, pause);
    }

    /// Pauses reads, or writes, for at least `pause` from now.
    pub fn pause_kind(&self, kind: Safety, pause: Duration) {
        if !pause.is_zero() {
            self.lane(kind).pause_until(nanos(self.now().saturating_add(pause)));
        }
    }

    /// Returns how much of a pause of reads, or of writes, is left; `None` where there is none.
    #[must_use]
    pub fn paused_for(&self, kind: Safety) -> Option<Duration> {
        let until = Duration::from_nanos(self.lane(kind).paused_until());
        until.checked_sub(self.now()).filter(|left| !left.is_zero())
    }

    /// Learns from an answer, and pauses for at most `max`: a 429 with `Retry-After` pauses its kind, since quotas are kept by
    /// kind; a 503 with one pauses everything; a `RateLimit` with nothing remaining pauses its kind until the quota is reset.
    pub fn observe(&self, kind: Safety, status: StatusCode, headers: &HeaderMap, max: Duration) {
        if let Some(pause) = exhausted_for(headers) {
            self.pause_kind(kind, pause.min(max));
        }
        if !matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            return;
        }
        match retry_after(headers) {
            Some(pause) if status == StatusCode::SERVICE_UNAVAILABLE => self.pause(pause.min(max)),
            Some(pause) => self.pause_kind(kind, pause.min(max)),
            None => {}
        }
    }

    /// Waits until a request may go.
    pub async fn admit(&self, kind: Safety) {
        let mut waiting = Waiting { pace: self, kind, ticket: Ticket::default() };
        while let Some(at) = self.delay(kind, &mut waiting.ticket, None) {
            sleep_until(at).await;
        }
        waiting.ticket = Ticket::default();
    }

    /// Returns until when a request has to wait, and takes its place in the queue; `None` where it may go now.
    ///
    /// Where the wait would go past `deadline`, no place is taken: the caller gives up.
    pub(crate) fn delay(&self, kind: Safety, ticket: &mut Ticket, deadline: Option<Instant>) -> Option<Instant> {
        let (lane, origin) = (self.lane(kind), self.shared.origin);
        if lane.is_free() {
            return None;
        }
        let limit = deadline.map_or(u64::MAX, |deadline| nanos(deadline.saturating_duration_since(origin)));
        let at = lane.delay(nanos(self.now()), limit, RAMP.mul_f64(fastrand::f64()), ticket)?;
        Some(origin + Duration::from_nanos(at).min(FAR))
    }

    /// Gives a place back that won't be used.
    pub(crate) fn give_back(&self, kind: Safety, ticket: &mut Ticket) {
        if ticket.has_place() {
            self.lane(kind).give_back(nanos(self.now()), ticket);
        }
    }

    fn lane(&self, kind: Safety) -> &Lane {
        match kind {
            Safety::Safe => &self.shared.reads,
            Safety::Idempotent | Safety::NonIdempotent => &self.shared.writes,
        }
    }

    fn now(&self) -> Duration {
        Instant::now().saturating_duration_since(self.shared.origin)
    }
}

/// Whoever waits gives the place back when it is dropped.
struct Waiting<'a> {
    pace: &'a Pace,
    kind: Safety,
    ticket: Ticket,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.pace.give_back(self.kind, &mut self.ticket);
    }
}

#[cfg(test)]
mod tests {
    use super::super::rate_limit_headers::RATE_LIMIT;
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
        assert!((15..=28).contains(&first_second), "{first_second}");
        assert!(times[63] < Duration::from_secs(10), "{:?}", times[63]);
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
            assert_eq!(at, Some(Instant::now() + Duration::from_millis(60_050)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_429_pauses_its_own_kind_and_a_503_both() {
        let headers = HeaderMap::from_iter([(http::header::RETRY_AFTER, http::HeaderValue::from_static("7"))]);
        let pace = Pace::unlimited();
        pace.observe(Safety::Idempotent, StatusCode::TOO_MANY_REQUESTS, &headers, Duration::MAX);
        assert_eq!(pace.paused_for(Safety::NonIdempotent), Some(Duration::from_secs(7)));
        assert_eq!(pace.paused_for(Safety::Safe), None);
        pace.observe(Safety::Idempotent, StatusCode::SERVICE_UNAVAILABLE, &headers, Duration::from_secs(3));
        assert_eq!(pace.paused_for(Safety::Safe), Some(Duration::from_secs(3)), "no longer than the cap");
        pace.observe(Safety::Safe, StatusCode::NOT_FOUND, &headers, Duration::MAX);
        assert_eq!(pace.paused_for(Safety::Safe), Some(Duration::from_secs(3)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_quota_that_the_server_says_is_used_up_pauses_its_kind() {
        let headers =
            HeaderMap::from_iter([(RATE_LIMIT.clone(), http::HeaderValue::from_static("\"default\";r=0;t=9"))]);
        let pace = Pace::unlimited();
        pace.observe(Safety::Safe, StatusCode::OK, &headers, Duration::MAX);
        assert_eq!(pace.paused_for(Safety::Safe), Some(Duration::from_secs(9)));
        assert_eq!(pace.paused_for(Safety::Idempotent), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_of_no_time_is_none() {
        let pace = Pace::unlimited();
        pace.pause(Duration::ZERO);
        assert_eq!(times(&pace, Safety::Safe, 10).await[9], Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_without_an_end_does_not_panic() {
        let pace = Pace::unlimited();
        pace.pause(Duration::MAX);
        assert!(pace.paused_for(Safety::Safe).is_some());
    }
}

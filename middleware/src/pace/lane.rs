//! What reads have, and writes have: a quota, and a pause.
//!
//! Why this needs no model checker: each of the three atomics stands alone. A pause is only ever moved on (`fetch_max`). A place
//! is taken by one successful exchange of the last place for a later one, so no two threads take the same, in whatever order
//! they run. The three are read one after the other, so a thread may act on a pause that has just been made longer: it then goes
//! as if it had come before the change, which it had; `retry` asks again once the inner service is ready. Places that were given
//! back are under a lock, which is asked for only while there are any. The same holds for the one atomic of the budget of retries.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Quota;
use super::quota::nanos;
use super::returned::Returned;

/// How far apart requests are let through when a pause ends, so that those who waited don't come all at once.
pub(super) const RAMP: Duration = Duration::from_millis(50);
/// How far apart they are at least; the distance shrinks from [`RAMP`] to this.
const RAMP_MIN: Duration = Duration::from_millis(5);
/// How long it takes to shrink: about 25 requests go in the first second of it, 40 in the next, 130 in the last.
const RAMP_TIME: Duration = Duration::from_secs(3);
/// How far apart those are who are left then; half of that a second later, and so on, so that however many there are, nobody is
/// held back for long.
const AFTER_RAMP: Duration = Duration::from_millis(1);

/// A quota and a pause. Times are nanoseconds since an origin that is not its own.
#[derive(Debug)]
pub(super) struct Lane {
    paused_until: AtomicU64,
    /// When the last of those let through after a pause goes.
    ramp: AtomicU64,
    bucket: Bucket,
}

/// One attempt's place in the queue.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Ticket {
    /// The pause that it has waited for.
    pause: u64,
    /// When it may go by the quota.
    place: Option<u64>,
}

impl Ticket {
    pub(super) fn has_place(&self) -> bool {
        self.place.is_some()
    }
}

impl Lane {
    pub(super) fn new(quota: Quota) -> Self {
        Self { paused_until: AtomicU64::new(0), ramp: AtomicU64::new(0), bucket: Bucket::new(quota) }
    }

    pub(super) fn pause_until(&self, until: u64) {
        self.paused_until.fetch_max(until, Ordering::AcqRel);
    }

    pub(super) fn paused_until(&self) -> u64 {
        self.paused_until.load(Ordering::Acquire)
    }

    /// Says whether nothing ever holds an attempt back here, so that nobody need look at the clock.
    pub(super) fn is_free(&self) -> bool {
        self.paused_until() == 0 && self.bucket.interval == 0
    }

    /// Returns until when an attempt has to wait, and takes its place in the queue; `None` where it may go now. Where the wait
    /// would go past `limit`, no place is taken. `jitter` comes on top of a pause, so that the clients of several processes don't
    /// come at once.
    pub(super) fn delay(&self, now: u64, limit: u64, jitter: Duration, ticket: &mut Ticket) -> Option<u64> {
        self.after_pause(now, limit, nanos(jitter), ticket).or_else(|| self.bucket.take(now, limit, ticket))
    }

    /// Gives a place back that won't be used, for the next who comes.
    pub(super) fn give_back(&self, now: u64, ticket: &mut Ticket) {
        if let Some(place) = ticket.place.take().filter(|place| *place > now) {
            self.bucket.returned.add(place);
        }
    }

    fn after_pause(&self, now: u64, limit: u64, jitter: u64, ticket: &mut Ticket) -> Option<u64> {
        let pause = self.paused_until();
        let ramp = self.ramp.load(Ordering::Acquire);
        let end = pause.saturating_add(nanos(RAMP_TIME));
        if ticket.pause == pause || (now >= end && now >= ramp) {
            return None;
        }
        // Those who come after the end of the pause take places too: they may all have waited for it elsewhere.
        let next = |ramp: u64| match ramp.checked_sub(pause) {
            Some(since) => ramp.saturating_add(spacing(since)).max(now),
            None => pause.saturating_add(jitter).max(now),
        };
        let at = advance(&self.ramp, ramp, next, |at| at <= limit);
        if at <= limit {
            ticket.pause = pause;
        }
        (at > now).then_some(at)
    }
}

/// Returns the distance to the next place, so long after the end of a pause.
fn spacing(since: u64) -> u64 {
    match nanos(RAMP_TIME).checked_sub(since) {
        Some(left) => (nanos(RAMP) * (left / 1_000) / (nanos(RAMP_TIME) / 1_000)).max(nanos(RAMP_MIN)),
        None => {
            let seconds = (since - nanos(RAMP_TIME)) / 1_000_000_000;
            nanos(AFTER_RAMP).checked_shr(u32::try_from(seconds).unwrap_or(u32::MAX)).unwrap_or(0)
        }
    }
}

/// The generic cell rate algorithm, in one atomic.
#[derive(Debug)]
struct Bucket {
    interval: u64,
    tolerance: u64,
    /// How late a place may be used.
    late: u64,
    /// When the bucket would be full again, in nanoseconds.
    full_at: AtomicU64,
    returned: Returned,
}

impl Bucket {
    fn new(quota: Quota) -> Self {
        let interval = quota.interval();
        let tolerance = interval.saturating_mul(quota.burst());
        Self { interval, tolerance, late: quota.late(), full_at: AtomicU64::new(0), returned: Returned::default() }
    }

    /// Takes one attempt's part; returns when it may go, or `None` for now.
    fn take(&self, now: u64, limit: u64, ticket: &mut Ticket) -> Option<u64> {
        // A place that was held up elsewhere, by a permit or a pause, is given up: else such places would all go at once.
        let is_taken = ticket.place.is_some_and(|place| now <= place.saturating_add(self.late));
        if self.interval == 0 || is_taken {
            return None;
        }
        if let Some(at) = self.returned.take(now, limit) {
            ticket.place = Some(at);
            return (at > now).then_some(at);
        }
        let start = |full_at: u64| full_at.saturating_sub(self.tolerance);
        let next = |full_at: u64| full_at.max(now).saturating_add(self.interval);
        let full_at =
            advance(&self.full_at, self.full_at.load(Ordering::Acquire), next, |full_at| start(full_at) <= limit);
        let at = start(full_at);
        if at <= limit {
            ticket.place = Some(at);
        }
        (at > now).then_some(at)
    }
}

/// Moves an atomic on to what follows its value, unless that is not wanted; returns what follows. Each value that is taken is
/// taken by one thread alone.
fn advance(atomic: &AtomicU64, mut current: u64, next: impl Fn(u64) -> u64, is_wanted: impl Fn(u64) -> bool) -> u64 {
    loop {
        let following = next(current);
        if !is_wanted(following) {
            return following;
        }
        match atomic.compare_exchange_weak(current, following, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return following,
            Err(other) => current = other,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Four threads take 4,000 places; no place is taken twice, and none is left out.
    #[test]
    fn threads_never_share_a_place() {
        let lane = Lane::new(Quota::per(1, Duration::from_nanos(10)));
        let places = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let own = (0..1_000)
                        .map(|_| lane.delay(0, u64::MAX, Duration::ZERO, &mut Ticket::default()).unwrap_or(0));
                    let own = own.collect::<Vec<_>>();
                    places.lock().unwrap().extend(own);
                });
            }
        });
        let mut places = places.into_inner().unwrap();
        places.sort_unstable();
        assert_eq!(places, (0..4_000).map(|place| place * 10).collect::<Vec<_>>());
    }

    #[test]
    fn threads_that_waited_for_a_pause_never_share_a_place() {
        let lane = Lane::new(Quota::unlimited());
        lane.pause_until(1_000_000_000);
        let places = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let own = (0..40).map(|_| lane.delay(0, u64::MAX, Duration::ZERO, &mut Ticket::default()).unwrap());
                    let own = own.collect::<Vec<_>>();
                    places.lock().unwrap().extend(own);
                });
            }
        });
        let mut places = places.into_inner().unwrap();
        places.sort_unstable();
        assert_eq!(places[0], 1_000_000_000);
        for pair in places.windows(2) {
            assert!(pair[1] - pair[0] >= nanos(RAMP_MIN), "{pair:?}");
        }
    }

    #[test]
    fn nobody_is_held_back_for_long_after_a_pause() {
        let lane = Lane::new(Quota::unlimited());
        lane.pause_until(1);
        let end = 1 + 2 * nanos(RAMP_TIME);
        for _ in 0..7_000 {
            assert!(lane.delay(0, u64::MAX, Duration::ZERO, &mut Ticket::default()).unwrap() <= end);
        }
        assert_eq!(lane.delay(end, u64::MAX, Duration::ZERO, &mut Ticket::default()), None);
    }
}

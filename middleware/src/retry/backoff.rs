//! How long to wait where the server doesn't say.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// An exponential backoff: the longest wait doubles with each retry, up to a cap.
///
/// ```
/// use std::time::Duration;
/// use magicbell_middleware::retry::Backoff;
///
/// let backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(2));
/// assert_eq!(backoff.ceiling(3), Duration::from_millis(200));
/// assert_eq!(backoff.ceiling(20), Duration::from_secs(2));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    initial: Duration,
    max: Duration,
}

impl Backoff {
    /// Makes one whose first wait is at most `initial`, and no later one is more than `max`.
    #[must_use]
    pub const fn new(initial: Duration, max: Duration) -> Self {
        Self { initial, max }
    }

    /// Returns the longest wait before a retry; retries are counted from 1.
    #[must_use]
    pub fn ceiling(&self, retry: u32) -> Duration {
        let doubled = 1_u32.checked_shl(retry.saturating_sub(1)).unwrap_or(u32::MAX);
        self.initial.saturating_mul(doubled).min(self.max)
    }
}

/// 100 ms, then 200, up to 10 s.
impl Default for Backoff {
    fn default() -> Self {
        Self::new(Duration::from_millis(100), Duration::from_secs(10))
    }
}

/// How waits are spread. Full jitter: anything from nothing to the backoff's ceiling.
///
/// ```
/// use std::time::Duration;
/// use magicbell_middleware::retry::Jitter;
///
/// let (whole, jitter) = (Duration::from_secs(10), Jitter::seeded(7));
/// let waits = [jitter.part_of(whole), jitter.part_of(whole)];
/// assert!(waits[0] < whole && waits[0] != waits[1]);
/// assert_eq!(Jitter::seeded(7).part_of(whole), waits[0]);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Jitter(Source);

#[derive(Debug, Clone, Default)]
enum Source {
    #[default]
    Thread,
    Seeded(Arc<Mutex<fastrand::Rng>>),
    Off,
}

impl Jitter {
    /// Draws from a generator of the thread's, seeded by the operating system: no two clones repeat each other.
    #[must_use]
    pub const fn random() -> Self {
        Self(Source::Thread)
    }

    /// Draws from a generator with a seed, shared by clones: for tests that must repeat.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Arc::new(Mutex::new(fastrand::Rng::with_seed(seed)))))
    }

    /// Always takes the whole: for tests that count on exact waits.
    #[must_use]
    pub const fn off() -> Self {
        Self(Source::Off)
    }

    /// Returns a part of `whole`, from nothing to all of it.
    #[must_use]
    pub fn part_of(&self, whole: Duration) -> Duration {
        let fraction = match &self.0 {
            Source::Thread => fastrand::f64(),
            Source::Seeded(rng) => rng.lock().unwrap_or_else(PoisonError::into_inner).f64(),
            Source::Off => return whole,
        };
        // A fraction below 1 keeps the product below `whole`, so it can't be out of range.
        Duration::try_from_secs_f64(whole.as_secs_f64() * fraction).unwrap_or(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_doubles_up_to_the_cap() {
        let backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(500));
        let ceilings = [1, 2, 3, 4, 33, u32::MAX].map(|retry| backoff.ceiling(retry).as_millis());
        assert_eq!(ceilings, [100, 200, 400, 500, 500, 500]);
    }

    #[test]
    fn huge_durations_do_not_panic() {
        let backoff = Backoff::new(Duration::MAX, Duration::MAX);
        for jitter in [Jitter::random(), Jitter::off(), Jitter::seeded(1)] {
            assert!(jitter.part_of(backoff.ceiling(u32::MAX)) <= Duration::MAX);
        }
    }

    #[test]
    fn full_jitter_covers_the_whole_range() {
        let jitter = Jitter::seeded(7);
        let whole = Duration::from_millis(1_000);
        let draws = (0..1_000).map(|_| jitter.part_of(whole).as_millis()).collect::<Vec<_>>();
        for decile in 0..10 {
            let inside = draws.iter().filter(|draw| **draw / 100 == decile).count();
            assert!((60..=140).contains(&inside), "{decile}: {inside}");
        }
    }

    #[test]
    fn a_seed_repeats_itself() {
        let draws = |jitter: Jitter| (0..8).map(|_| jitter.part_of(Duration::from_secs(1))).collect::<Vec<_>>();
        assert_eq!(draws(Jitter::seeded(3)), draws(Jitter::seeded(3)));
        assert_ne!(draws(Jitter::seeded(3)), draws(Jitter::seeded(4)));
    }

    #[test]
    fn clones_do_not_repeat_each_other() {
        let (one, two) = (Jitter::random(), Jitter::random());
        let whole = Duration::from_secs(1);
        let draws = |jitter: &Jitter| (0..8).map(|_| jitter.part_of(whole)).collect::<Vec<_>>();
        assert_ne!(draws(&one), draws(&two.clone()));
    }
}

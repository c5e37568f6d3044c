//! So many requests in a stretch of time.

use std::time::Duration;

const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// How late a place may be used at most: a busy machine is late, too.
const LATE: Duration = Duration::from_millis(50);

/// So many requests in any stretch of time as long as the window.
///
/// ```
/// use std::time::Duration;
/// use magicbell_middleware::pace::Quota;
///
/// let minute = Duration::from_secs(60);
/// assert_eq!(Quota::per(200, minute).share(0.25), Quota::per(50, minute));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quota {
    count: u32,
    window: Duration,
}

impl Quota {
    /// Allows at most `count` requests in any stretch as long as `window`. A count of 0 counts as 1, a window of more than a year
    /// as one of a year.
    ///
    /// A twentieth of the count, at least one, may go at once; the others are spread evenly. A request that is held up after
    /// its turn has come, by more than 50 ms or a twentieth of the window if that is less, waits for another turn; turns are so far apart that no stretch has more than the count
    /// in it although each may be used as late as that.
    #[must_use]
    pub fn per(count: u32, window: Duration) -> Self {
        Self { count: count.max(1), window: window.min(YEAR) }
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
    pub(super) fn burst(self) -> u64 {
        u64::from(self.count / 20).max(1)
    }

    /// Returns the nanoseconds between two requests, once the burst is used up; 0 where there is no limit.
    pub(super) fn interval(self) -> u64 {
        if self.window.is_zero() {
            return 0;
        }
        // Of `count` in a window, `burst` go at its beginning, maybe late, and the others one by one after it.
        (nanos(self.window) + self.late()).div_ceil(u64::from(self.count) - self.burst() + 1)
    }

    /// Returns how late a place may be used, in nanoseconds.
    pub(super) fn late(self) -> u64 {
        nanos(LATE.min(self.window / 20))
    }
}

/// Returns a duration in nanoseconds; what is more than fits, some 584 years, is taken as that.
pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_leaves_the_rest() {
        let quota = Quota::per(200, Duration::from_secs(60));
        assert_eq!(quota.share(0.5), Quota::per(100, Duration::from_secs(60)));
        assert_eq!(quota.share(f64::NAN), Quota::per(1, Duration::from_secs(60)));
        assert_eq!(quota.share(7.0), quota);
        assert_eq!(Quota::unlimited().share(0.5), Quota::unlimited());
    }
}

//! The time left: what it is reckoned from, and how.

use std::fmt;
use std::time::Duration;

use super::history::History;

/// How many writes a minute the service's public documentation allows.
pub(super) const PUBLISHED_WRITES: u64 = 200;

/// How long the ids that are left will take, and from what that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Estimate {
    /// How long it will take yet.
    pub left: Duration,
    /// From what that is known.
    pub basis: Basis,
}

/// From what an [`Estimate`] is known.
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

//! Counts requests in fixed windows, reads and writes apart.

use std::time::{Duration, Instant};

use http::Method;

/// How many requests of each kind a window takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct RateLimit {
    pub(super) reads: u32,
    pub(super) writes: u32,
    pub(super) window: Duration,
}

/// The two counts.
#[derive(Debug)]
pub(super) struct RateLimiter {
    reads: Window,
    writes: Window,
}

impl RateLimiter {
    pub(super) fn new(limit: RateLimit) -> Self {
        Self { reads: Window::new(limit.reads, limit.window), writes: Window::new(limit.writes, limit.window) }
    }

    /// Counts a request.
    ///
    /// # Errors
    ///
    /// The whole seconds until the window's end, at least 1, where the window is full.
    pub(super) fn admit(&mut self, method: &Method, now: Instant) -> Result<(), u64> {
        match *method {
            Method::GET | Method::HEAD | Method::OPTIONS => self.reads.admit(now),
            _ => self.writes.admit(now),
        }
    }
}

/// A window that begins with the first request after the last one's end.
#[derive(Debug)]
struct Window {
    capacity: u32,
    length: Duration,
    began: Option<Instant>,
    taken: u32,
}

impl Window {
    fn new(capacity: u32, length: Duration) -> Self {
        Self { capacity, length, began: None, taken: 0 }
    }

    fn admit(&mut self, now: Instant) -> Result<(), u64> {
        let remaining = self.remaining(now);
        if self.taken < self.capacity {
            self.taken += 1;
            return Ok(());
        }
        let whole_seconds = remaining.as_secs().saturating_add(u64::from(remaining.subsec_nanos() > 0));
        Err(whole_seconds.max(1))
    }

    /// The time left in the window that `now` falls in, which may be a new one.
    fn remaining(&mut self, now: Instant) -> Duration {
        let elapsed = self.began.map(|began| now.saturating_duration_since(began));
        match elapsed {
            Some(elapsed) if elapsed < self.length => self.length - elapsed,
            _ => {
                (self.began, self.taken) = (Some(now), 0);
                self.length
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(reads: u32, writes: u32, window: Duration) -> RateLimiter {
        RateLimiter::new(RateLimit { reads, writes, window })
    }

    #[test]
    fn reads_and_writes_are_counted_apart() {
        let mut limiter = limiter(1, 2, Duration::from_secs(60));
        let now = Instant::now();
        assert!(limiter.admit(&Method::GET, now).is_ok());
        assert!(limiter.admit(&Method::HEAD, now).is_err());
        assert!(limiter.admit(&Method::POST, now).is_ok());
        assert!(limiter.admit(&Method::DELETE, now).is_ok());
        assert!(limiter.admit(&Method::PATCH, now).is_err());
    }

    #[test]
    fn the_wait_is_rounded_up_and_is_at_least_a_second() {
        let mut limiter = limiter(0, 0, Duration::from_secs(60));
        let now = Instant::now();
        assert_eq!(limiter.admit(&Method::GET, now), Err(60));
        assert_eq!(limiter.admit(&Method::GET, now + Duration::from_millis(100)), Err(60));
        assert_eq!(limiter.admit(&Method::GET, now + Duration::from_millis(59_999)), Err(1));
    }

    #[test]
    fn the_next_window_admits_again() {
        let mut limiter = limiter(1, 1, Duration::from_secs(60));
        let now = Instant::now();
        assert!(limiter.admit(&Method::GET, now).is_ok());
        assert!(limiter.admit(&Method::GET, now + Duration::from_secs(60)).is_ok());
        assert!(limiter.admit(&Method::GET, now + Duration::from_secs(119)).is_err());
    }

    #[test]
    fn the_longest_window_does_not_overflow() {
        let mut limiter = limiter(0, 0, Duration::MAX);
        assert!(limiter.admit(&Method::GET, Instant::now()).is_err());
    }
}

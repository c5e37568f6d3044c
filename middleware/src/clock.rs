//! One look at the clock for all who want to know the time in the same poll.
//!
//! A look costs some 20 ns, on a virtual machine twice that; an attempt's beginning, its timeout and the time that its body has
//! are reckoned from the same moment.

#[cfg(feature = "retry")]
use std::cell::Cell;
#[cfg(feature = "collect")]
use std::time::Duration;

use tokio::time::Instant;

#[cfg(feature = "retry")]
thread_local! {
    static MOMENT: Cell<Option<Moment>> = const { Cell::new(None) };
}

/// What was looked at once.
#[cfg(feature = "retry")]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) now: Instant,
    /// The time of the whole call, where that is limited.
    pub(crate) call: Option<CallTime>,
}

/// When a call began, and when its time is up.
#[cfg(feature = "collect")]
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(feature = "retry"), allow(dead_code, reason = "retry alone tells it"))]
pub(crate) struct CallTime {
    pub(crate) start: Instant,
    pub(crate) deadline: Instant,
}

#[cfg(feature = "collect")]
impl CallTime {
    /// Returns how long the call may take.
    pub(crate) fn length(self) -> Duration {
        self.deadline.saturating_duration_since(self.start)
    }
}

/// Returns the time, as it was looked at for this poll where somebody further out has looked.
pub(crate) fn now() -> Instant {
    #[cfg(feature = "retry")]
    if let Some(moment) = MOMENT.get() {
        return moment.now;
    }
    Instant::now()
}

/// Returns the time of the call that this poll is part of, where somebody further out has told it.
#[cfg(feature = "collect")]
pub(crate) fn call_time() -> Option<CallTime> {
    #[cfg(feature = "retry")]
    return MOMENT.get()?.call;
    #[cfg(not(feature = "retry"))]
    None
}

/// Has [`now`] and [`call_time`] return this on this thread, until what is returned is dropped: at the end of the poll at the latest.
#[cfg(feature = "retry")]
#[inline]
pub(crate) fn looked_at(moment: Moment) -> LookedAt {
    MOMENT.set(Some(moment));
    LookedAt {}
}

#[cfg(feature = "retry")]
#[must_use]
pub(crate) struct LookedAt {}

#[cfg(feature = "retry")]
impl Drop for LookedAt {
    #[inline]
    fn drop(&mut self) {
        // Where one poll is within another, the outer one's readers look for themselves from here on.
        MOMENT.set(None);
    }
}

#[cfg(all(test, feature = "retry"))]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_time_that_was_looked_at_until_that_is_over() {
        let later = Instant::now() + Duration::from_secs(3600);
        let looked_at = looked_at(Moment { now: later, call: None });
        assert_eq!(now(), later);
        drop(looked_at);
        assert!(now() < later);
    }

    #[test]
    fn a_panic_in_a_poll_ends_it_too() {
        let later = Instant::now() + Duration::from_secs(3600);
        let poll = || {
            let _looked_at = looked_at(Moment { now: later, call: None });
            assert!(now() < later, "it panics here");
        };
        assert!(std::panic::catch_unwind(poll).is_err());
        assert!(now() < later);
    }
}

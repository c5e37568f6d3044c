//! One look at the clock for all who want to know the time in the same poll.
//!
//! A look costs some 20 ns, on a virtual machine twice that; an attempt's beginning, its timeout and the time that its body has
//! are reckoned from the same moment.

use std::cell::Cell;

use tokio::time::Instant;

thread_local! {
    static NOW: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Returns the time, as it was looked at for this poll where somebody further out has looked.
pub(crate) fn now() -> Instant {
    NOW.get().unwrap_or_else(Instant::now)
}

/// Has [`now`] return this time on this thread, until what is returned is dropped: at the end of the poll at the latest.
#[cfg(feature = "retry")]
#[inline]
pub(crate) fn looked_at(now: Instant) -> LookedAt {
    NOW.set(Some(now));
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
        NOW.set(None);
    }
}

#[cfg(all(test, feature = "retry"))]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_is_the_time_that_was_looked_at_until_that_is_over() {
        let later = Instant::now() + Duration::from_secs(3600);
        let looked_at = looked_at(later);
        assert_eq!(now(), later);
        drop(looked_at);
        assert!(now() < later);
    }

    #[test]
    fn a_panic_in_a_poll_ends_it_too() {
        let later = Instant::now() + Duration::from_secs(3600);
        let poll = || {
            let _looked_at = looked_at(later);
            assert!(now() < later, "it panics here");
        };
        assert!(std::panic::catch_unwind(poll).is_err());
        assert!(now() < later);
    }
}

//! Places that were taken and won't be used.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Places that were taken and won't be used, since whoever waited has given up: the next who come take them, the earliest first.
///
/// There are never more of them than there were waiting at once.
#[derive(Debug, Default)]
pub(super) struct Returned {
    places: Mutex<BinaryHeap<Reverse<u64>>>,
    /// So that the lock is left alone while there are none.
    count: AtomicUsize,
}

impl Returned {
    pub(super) fn add(&self, place: u64) {
        let mut places = self.lock();
        places.push(Reverse(place));
        self.count.store(places.len(), Ordering::Release);
    }

    /// Takes the earliest that isn't past, unless it comes after `limit`.
    pub(super) fn take(&self, now: u64, limit: u64) -> Option<u64> {
        if self.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut places = self.lock();
        while places.peek().is_some_and(|Reverse(place)| *place < now) {
            places.pop();
        }
        let is_in_time = places.peek().is_some_and(|Reverse(place)| *place <= limit);
        let taken = if is_in_time { places.pop() } else { None };
        self.count.store(places.len(), Ordering::Release);
        taken.map(|Reverse(place)| place)
    }

    fn lock(&self) -> MutexGuard<'_, BinaryHeap<Reverse<u64>>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_that_is_neither_past_nor_too_late_is_taken_once() {
        let returned = Returned::default();
        for place in [30, 10, 20, 40] {
            returned.add(place);
        }
        assert_eq!(returned.take(15, 100), Some(20));
        assert_eq!(returned.take(15, 25), None, "30 is too late, and stays");
        assert_eq!(returned.take(15, 100), Some(30));
        assert_eq!(returned.take(41, 100), None);
        assert_eq!(returned.take(0, 100), None, "what was past is gone");
    }
}

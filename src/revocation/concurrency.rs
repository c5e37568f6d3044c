//! How many requests may be in flight: fewer after a 429, more again as answers come.

/// How many requests may be in flight: at most what the caller said. Halved where a 429 was met, at most once a round trip, and
/// one more after each round trip without.
///
/// A round trip is told by the inputs' own numbers: what was taken up before the last halving says nothing of what followed it.
#[derive(Debug)]
pub(super) struct Concurrency {
    most: usize,
    now: usize,
    /// How many answers without a 429 there were since it was last changed.
    clean: usize,
    /// The first input that was taken up after the last halving.
    since: u64,
}

impl Concurrency {
    pub(super) fn new(most: usize) -> Self {
        Self { most, now: most, clean: 0, since: 0 }
    }

    pub(super) fn now(&self) -> usize {
        self.now
    }

    /// Learns that a request was answered without having met a 429.
    pub(super) fn answered(&mut self, index: u64) {
        if index < self.since || self.now == self.most {
            return;
        }
        self.clean += 1;
        if self.clean >= self.now {
            (self.now, self.clean) = (self.now + 1, 0);
        }
    }

    /// Learns that a request met a 429; `next` is the number of the next input.
    pub(super) fn rate_limited(&mut self, index: u64, next: u64) {
        if index >= self.since {
            (self.now, self.clean, self.since) = ((self.now / 2).max(1), 0, next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_of_a_round_trip_meet_a_429_it_is_halved_once() {
        let mut concurrency = Concurrency::new(64);
        (0..64).for_each(|index| concurrency.rate_limited(index, 64));
        assert_eq!(concurrency.now(), 32);
        concurrency.rate_limited(64, 96);
        assert_eq!(concurrency.now(), 16);
    }

    #[test]
    fn it_does_not_fall_below_one() {
        let mut concurrency = Concurrency::new(3);
        (0..9).for_each(|index| concurrency.rate_limited(index, index + 1));
        assert_eq!(concurrency.now(), 1);
    }

    #[test]
    fn it_grows_by_one_a_round_trip_up_to_what_the_caller_said() {
        let mut concurrency = Concurrency::new(4);
        concurrency.rate_limited(0, 1);
        let grown = (1..20).map(|index| {
            concurrency.answered(index);
            concurrency.now()
        });
        assert_eq!(grown.take(8).collect::<Vec<_>>(), [2, 3, 3, 3, 4, 4, 4, 4]);
    }

    #[test]
    fn what_was_taken_up_before_it_was_halved_does_not_let_it_grow() {
        let mut concurrency = Concurrency::new(8);
        concurrency.rate_limited(0, 8);
        (1..8).for_each(|index| concurrency.answered(index));
        assert_eq!(concurrency.now(), 4);
        (8..12).for_each(|index| concurrency.answered(index));
        assert_eq!(concurrency.now(), 5);
    }
}

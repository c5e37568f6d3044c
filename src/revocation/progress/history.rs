//! When ids were finished, for the last two windows.

use std::collections::VecDeque;
use std::time::Duration;

/// Into how many parts a window is divided.
const PARTS: u64 = 120;

/// How many ids were finished in each part of the last two windows: 240 numbers, however many ids.
///
/// Times are reckoned from the beginning of the run.
#[derive(Debug, Clone)]
pub(super) struct History {
    part: Duration,
    /// The last part is the one that counts now.
    counts: VecDeque<u64>,
    last: u64,
}

impl History {
    pub(super) fn new(window: Duration) -> Self {
        let part = (window / PARTS as u32).max(Duration::from_nanos(1));
        Self { part, counts: VecDeque::from(vec![0; 2 * PARTS as usize]), last: 0 }
    }

    pub(super) fn window(&self) -> Duration {
        self.part * PARTS as u32
    }

    pub(super) fn add(&mut self, now: Duration) {
        self.advance(now);
        if let Some(count) = self.counts.back_mut() {
            *count += 1;
        }
    }

    /// Moves on to the part that `now` falls in.
    pub(super) fn advance(&mut self, now: Duration) {
        let part = u64::try_from(now.as_nanos() / self.part.as_nanos()).unwrap_or(u64::MAX);
        for _ in 0..part.saturating_sub(self.last).min(2 * PARTS) {
            self.counts.pop_front();
            self.counts.push_back(0);
        }
        self.last = self.last.max(part);
    }

    /// Returns how many ids were finished in the last window.
    pub(super) fn recent(&self) -> u64 {
        self.latest().sum()
    }

    /// Returns the most ids that any stretch as long as a window has had.
    ///
    /// A quota's windows are full of pauses, and one stretch may have less of a burst in it than another; what the fullest one
    /// had is what a window takes.
    pub(super) fn most(&self) -> u64 {
        let mut sum = self.counts.iter().take(PARTS as usize).sum::<u64>();
        let mut most = sum;
        for (gone, come) in self.counts.iter().zip(self.counts.iter().skip(PARTS as usize)) {
            sum = sum + come - gone;
            most = most.max(sum);
        }
        most
    }

    /// Returns when the `nth` id of the last window was finished, counted from 1; `None` where there were fewer.
    pub(super) fn nth(&self, nth: u64) -> Option<Duration> {
        let oldest = self.last.saturating_add(1).saturating_sub(PARTS);
        // Parts that lie before the beginning are empty.
        let before = PARTS.saturating_sub(self.last.saturating_add(1)) as usize;
        let mut sum = 0;
        for (at, count) in self.latest().skip(before).enumerate() {
            sum += count;
            if sum >= nth {
                let part = u32::try_from(oldest.saturating_add(at as u64 + 1)).unwrap_or(u32::MAX);
                return Some(self.part.saturating_mul(part));
            }
        }
        None
    }

    fn latest(&self) -> impl Iterator<Item = &u64> {
        self.counts.iter().skip(PARTS as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn what_is_older_than_a_window_is_not_recent() {
        let mut history = History::new(seconds(60.0));
        for second in 0..100 {
            history.add(seconds(f64::from(second)));
        }
        assert_eq!(history.recent(), 60);
        history.advance(seconds(129.9));
        assert_eq!((history.recent(), history.most()), (30, 60));
        history.advance(seconds(1e9));
        assert_eq!((history.recent(), history.most()), (0, 0));
    }

    #[test]
    fn the_fullest_stretch_is_found_wherever_it_lies() {
        let mut history = History::new(seconds(60.0));
        for burst in [0.1, 60.2] {
            for _ in 0..200 {
                history.add(seconds(burst));
            }
        }
        assert_eq!(history.recent(), 200);
        assert_eq!(history.most(), 200);
        assert_eq!(history.nth(1), Some(seconds(60.5)));
        assert_eq!(history.nth(201), None);
    }

    #[test]
    fn an_ids_time_is_the_end_of_its_part() {
        let mut history = History::new(seconds(60.0));
        history.add(seconds(0.0));
        history.add(seconds(3.2));
        assert_eq!((history.nth(1), history.nth(2)), (Some(seconds(0.5)), Some(seconds(3.5))));
        history.advance(seconds(60.0));
        assert_eq!(history.nth(1), Some(seconds(3.5)), "the first has left the window");
    }
}

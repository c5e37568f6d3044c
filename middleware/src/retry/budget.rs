//! What keeps retries from making an outage worse.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// What a retry costs, in the budget's own unit.
const RETRY: u32 = 10;
/// What a success pays back.
const SUCCESS: u32 = 1;

/// A budget of retries, shared by its clones: a retry takes from it, ten successes pay one back.
///
/// While most calls succeed, it is never felt. When all of them fail, it is soon empty, and each call is sent only once.
///
/// # Differences from tower's `TpsBudget`
///
/// That one takes a lock for each call, and by default lets ten retries a second through whatever happens. This one is one
/// atomic, and an outage gets `max_retries` in all.
///
/// ```
/// let budget = magicbell_middleware::retry::RetryBudget::new(2);
/// assert!(budget.withdraw() && budget.withdraw());
/// assert!(!budget.withdraw());
/// ```
#[derive(Debug, Clone)]
pub struct RetryBudget {
    balance: Arc<AtomicU32>,
    max: u32,
}

impl RetryBudget {
    /// Makes a full budget of at most `max_retries`.
    #[must_use]
    pub fn new(max_retries: u32) -> Self {
        let max = max_retries.saturating_mul(RETRY);
        Self { balance: Arc::new(AtomicU32::new(max)), max }
    }

    /// Takes one retry out; returns whether there was one.
    #[must_use]
    pub fn withdraw(&self) -> bool {
        self.balance.fetch_update(Ordering::AcqRel, Ordering::Acquire, |balance| balance.checked_sub(RETRY)).is_ok()
    }

    /// Puts back what was taken out for a retry that wasn't made.
    pub fn refund(&self) {
        self.add(RETRY);
    }

    /// Pays a success back.
    pub fn deposit(&self) {
        self.add(SUCCESS);
    }

    fn add(&self, amount: u32) {
        // Read before written: a full budget, which is the ordinary case, stays a line that all cores can share.
        if self.balance.load(Ordering::Acquire) < self.max {
            let _ = self.balance.fetch_update(Ordering::AcqRel, Ordering::Acquire, |balance| {
                (balance < self.max).then(|| balance.saturating_add(amount).min(self.max))
            });
        }
    }

    /// Returns how many retries are left.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        self.balance.load(Ordering::Acquire) / RETRY
    }
}

/// 100 retries.
impl Default for RetryBudget {
    fn default() -> Self {
        Self::new(100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_successes_pay_one_retry_back() {
        let budget = RetryBudget::new(1);
        assert!(budget.withdraw());
        for _ in 0..9 {
            budget.deposit();
        }
        assert!(!budget.withdraw());
        budget.deposit();
        assert!(budget.withdraw());
    }

    #[test]
    fn it_never_holds_more_than_at_first() {
        let budget = RetryBudget::new(3);
        for _ in 0..1_000 {
            budget.deposit();
        }
        assert_eq!(budget.remaining(), 3);
    }

    #[test]
    fn threads_together_never_take_more_than_there_is() {
        let budget = RetryBudget::new(1_000);
        let taken = std::thread::scope(|scope| {
            let threads = (0..4).map(|_| scope.spawn(|| (0..1_000).filter(|_| budget.withdraw()).count()));
            threads.collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
        });
        assert_eq!(taken, 1_000);
    }
}

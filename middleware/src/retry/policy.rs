//! When to retry, how often, and after how long.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bon::Builder;

use super::{AttemptResult, Backoff, Jitter, RetryBudget, Verdict};

type Classify = dyn Fn(&AttemptResult<'_>) -> Option<Verdict> + Send + Sync;

/// When to retry, how often, and after how long. Clones share the budget.
///
/// ```
/// use std::time::Duration;
/// use magicbell_middleware::retry::{Backoff, RetryPolicy, Verdict};
///
/// let policy = RetryPolicy::builder()
///     .max_attempts(5)
///     .backoff(Backoff::new(Duration::from_millis(50), Duration::from_secs(2)))
///     .classify(|attempt| (attempt.status()?.as_u16() == 425).then_some(Verdict::Backoff))
///     .build();
/// assert_eq!(policy.max_attempts(), 5);
/// ```
#[derive(Clone, Builder)]
pub struct RetryPolicy {
    /// How often a request is sent at most, the first time included. 3 by default; 0 counts as 1.
    #[builder(default = 3)]
    max_attempts: u32,
    /// The wait before a retry, where the server doesn't name one: at most 100 ms before the first by default, doubled with
    /// each, up to 10 s.
    #[builder(default)]
    backoff: Backoff,
    /// The same after a 429 without `Retry-After`: at most 1 s before the first by default, doubled with each, up to 30 s.
    #[builder(default = Backoff::new(Duration::from_secs(1), Duration::from_secs(30)))]
    rate_limit_backoff: Backoff,
    /// The longest `Retry-After` that is waited for: 60 s by default. Where the server asks for more, its answer is returned
    /// at once.
    #[builder(default = Duration::from_secs(60))]
    max_retry_after: Duration,
    /// What retries are paid from: 100 by default, and ten successes pay one back.
    #[builder(default)]
    budget: RetryBudget,
    /// Whether the server is known to apply a request only once for each `Idempotency-Key`. False by default: then a creation
    /// is sent again only where it can't have been applied.
    #[builder(default)]
    trust_idempotency_keys: bool,
    /// How waits are spread: full jitter by default.
    #[builder(default)]
    jitter: Jitter,
    /// Decides before the policy's own rules do; `None` leaves it to them. What it calls worth a retry is still bounded by
    /// attempts, budget and deadline.
    #[builder(with = |classify: impl Fn(&AttemptResult<'_>) -> Option<Verdict> + Send + Sync + 'static| Arc::new(classify) as _)]
    classify: Option<Arc<Classify>>,
}

impl RetryPolicy {
    /// Makes a policy that sends each request once.
    #[must_use]
    pub fn never() -> Self {
        Self::builder().max_attempts(1).build()
    }

    /// Adds a rule that is asked after those that are there, and before the policy's own.
    #[must_use]
    pub fn and_classify(
        mut self,
        classify: impl Fn(&AttemptResult<'_>) -> Option<Verdict> + Send + Sync + 'static,
    ) -> Self {
        self.classify = Some(match self.classify.take() {
            None => Arc::new(classify),
            Some(before) => Arc::new(move |attempt: &AttemptResult<'_>| before(attempt).or_else(|| classify(attempt))),
        });
        self
    }

    /// Returns how often a request is sent at most, the first time included.
    #[must_use]
    pub fn max_attempts(&self) -> u32 {
        self.max_attempts
    }

    /// Returns the longest `Retry-After` that is waited for.
    #[must_use]
    pub fn max_retry_after(&self) -> Duration {
        self.max_retry_after
    }

    /// Says whether idempotency keys are trusted.
    #[must_use]
    pub fn trusts_idempotency_keys(&self) -> bool {
        self.trust_idempotency_keys
    }

    /// Returns what retries are paid from.
    #[must_use]
    pub fn budget(&self) -> &RetryBudget {
        &self.budget
    }

    /// Says what an attempt calls for.
    #[must_use]
    pub fn judge(&self, attempt: &AttemptResult<'_>) -> Verdict {
        let own = self.classify.as_ref().and_then(|classify| classify(attempt));
        own.unwrap_or_else(|| attempt.verdict(self.trust_idempotency_keys))
    }

    /// Returns how long to wait before a retry, counted from 1; `None` where the server asks for longer than may be waited.
    pub(super) fn delay(
        &self,
        verdict: Verdict,
        retry: u32,
        retry_after: Option<Duration>,
        bounds: Bounds,
    ) -> Option<Duration> {
        let backoff = if verdict == Verdict::RateLimited { self.rate_limit_backoff } else { self.backoff };
        let delay = self.jitter.part_of(backoff.ceiling(retry));
        match retry_after {
            None => Some(delay),
            Some(asked) if asked > bounds.longest => None,
            // Upward only: never sooner than asked, and not all at once.
            Some(asked) => {
                let wanted = asked.saturating_add(self.jitter.part_of(asked / 10)).max(delay);
                Some(wanted.min(bounds.most(asked)))
            }
        }
    }
}

/// Between what a wait has to stay.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// The longest wait that a server is granted.
    pub(super) longest: Duration,
    /// What the call has left of its time.
    pub(super) left: Option<Duration>,
}

impl Bounds {
    /// Returns the most that may be waited where so much was asked for. Where that is in time, chance must not make it too late,
    /// nor leave no time for the attempt.
    fn most(self, asked: Duration) -> Duration {
        let spare = self.left.and_then(|left| left.checked_sub(asked));
        spare.map_or(self.longest, |spare| self.longest.min(asked + spare / 2))
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::builder().build()
    }
}

impl fmt::Debug for RetryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryPolicy")
            .field("max_attempts", &self.max_attempts)
            .field("backoff", &self.backoff)
            .field("rate_limit_backoff", &self.rate_limit_backoff)
            .field("max_retry_after", &self.max_retry_after)
            .field("budget", &self.budget.remaining())
            .field("trust_idempotency_keys", &self.trust_idempotency_keys)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { longest: Duration::from_secs(60), left: None };

    #[test]
    fn a_wait_is_never_shorter_than_asked_nor_taken_beyond_the_cap() {
        let policy = RetryPolicy::default();
        for seconds in [0, 1, 7, 60] {
            let asked = Duration::from_secs(seconds);
            let delay = policy.delay(Verdict::RateLimited, 1, Some(asked), BOUNDS).unwrap();
            assert!(
                delay >= asked && delay <= (asked + asked / 10 + Duration::from_secs(1)).min(BOUNDS.longest),
                "{asked:?}: {delay:?}"
            );
        }
        assert_eq!(policy.delay(Verdict::Backoff, 1, Some(Duration::from_secs(61)), BOUNDS), None);
        assert_eq!(policy.delay(Verdict::Backoff, 1, Some(Duration::MAX), BOUNDS), None);
    }

    #[test]
    fn a_policy_tells_what_it_is_set_to() {
        for trusts in [false, true] {
            let policy = RetryPolicy::builder().max_attempts(7).trust_idempotency_keys(trusts).build();
            assert_eq!(policy.trusts_idempotency_keys(), trusts);
            let shown = format!("{policy:?}");
            assert!(
                shown.contains("max_attempts: 7") && shown.contains(&format!("trust_idempotency_keys: {trusts}")),
                "{shown}"
            );
        }
    }

    #[test]
    fn a_429_without_retry_after_has_a_backoff_of_its_own() {
        let policy = RetryPolicy::builder().jitter(Jitter::off()).build();
        assert_eq!(policy.delay(Verdict::RateLimited, 1, None, BOUNDS), Some(Duration::from_secs(1)));
        assert_eq!(policy.delay(Verdict::Backoff, 1, None, BOUNDS), Some(Duration::from_millis(100)));
    }
}

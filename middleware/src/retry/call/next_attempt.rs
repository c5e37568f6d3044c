//! When the next attempt may be, where attempts, deadline and budget allow one.

use std::time::Duration;

use http::StatusCode;
use tokio::time::Instant;

use super::Call;
use crate::retry::policy::Bounds;
use crate::retry::{Verdict, events};
use crate::{Attempt, CallContext, Safety};

/// How long a key is counted on: servers keep them for 24 hours, by the documents of those that say so.
const KEY_LIFETIME: Duration = Duration::from_secs(23 * 3600);

/// The longest `Retry-After` that is waited for by a call that waits 429s out: quotas are a day's at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 3600);

/// When another attempt follows.
pub(super) struct Again {
    pub(super) delay: Duration,
    pub(super) until: Instant,
    pub(super) is_paid: bool,
}

impl<B> Call<B> {
    /// Returns when the next attempt may be, where attempts, deadline and budget allow one.
    pub(super) fn next_attempt(&self, verdict: Verdict, asked: Option<Duration>) -> Option<Again> {
        let (policy, now) = (self.policy(), Instant::now());
        let own = self.context.as_ref().and_then(CallContext::max_attempts);
        let is_free = verdict == Verdict::RateLimited && self.waits_out_rate_limits();
        let is_last = self.used_up() >= own.unwrap_or_else(|| policy.max_attempts());
        if verdict == Verdict::Final || (is_last && !is_free) {
            return None;
        }
        if verdict == Verdict::Renewed {
            return (!self.renewed).then_some(Again { delay: Duration::ZERO, until: now, is_paid: false });
        }
        let longest = if is_free { LONGEST_PAUSE.max(policy.max_retry_after()) } else { policy.max_retry_after() };
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(now));
        let delay = policy.delay(verdict, self.number(), asked, Bounds { longest, left })?;
        let until = now.checked_add(delay)?;
        let in_time = self.deadline.is_none_or(|deadline| until < deadline);
        if !in_time || self.key_is_old(until) {
            return None;
        }
        if !is_free && !policy.budget().withdraw() {
            events::budget_is_empty();
            return None;
        }
        Some(Again { delay, until, is_paid: !is_free })
    }

    /// Says whether a server may have forgotten the request's idempotency key by then, so that sending it again could do its
    /// work again.
    fn key_is_old(&self, at: Instant) -> bool {
        let age = self.start.map(|start| at.saturating_duration_since(start));
        self.safety == Safety::NonIdempotent && age.is_some_and(|age| age > KEY_LIFETIME)
    }

    /// Returns how many of the attempts that the policy allows have been used up, the one in flight included.
    fn used_up(&self) -> u32 {
        if !self.waits_out_rate_limits() {
            return self.number();
        }
        let is_free = |attempt: &&Attempt| attempt.status == Some(StatusCode::TOO_MANY_REQUESTS);
        let free = self.attempts.iter().filter(is_free).count();
        self.number().saturating_sub(u32::try_from(free).unwrap_or(u32::MAX))
    }

    fn waits_out_rate_limits(&self) -> bool {
        self.context.as_ref().is_some_and(CallContext::waits_out_rate_limits)
    }
}

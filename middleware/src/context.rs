//! Settings and record of one call, shared between those who care.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::Attempt;

/// Settings for one call, and the record of its attempts, shared through the request's extensions.
///
/// A caller that wants this call treated otherwise than the layers are set, or wants to know what was attempted although
/// something outside gave up first, puts one into the request and keeps a clone. [`retry`](crate::retry) obeys it and writes
/// into it. Where a layer repeats the call, the attempts of all its calls are in the record.
///
/// ```
/// use std::time::Duration;
/// use magicbell_middleware::CallContext;
///
/// let context = CallContext::new().with_timeout(Duration::from_secs(5)).with_max_attempts(1);
/// let request = http::Request::get("/").extension(context.clone()).body(())?;
/// assert!(context.attempts().is_empty());
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct CallContext {
    timeout: Option<Duration>,
    max_attempts: Option<NonZeroU32>,
    waits_out_rate_limits: bool,
    #[cfg(feature = "retry")]
    policy: Option<Arc<crate::retry::RetryPolicy>>,
    /// `None` where nobody else is going to look at it: then nothing need be written down.
    shared: Option<Arc<Mutex<Record>>>,
}

/// When the call's time is up, and what was attempted. The first attempt has a place of its own, since most calls have no other.
#[derive(Debug, Default)]
struct Record {
    deadline: Option<Instant>,
    first: Option<Attempt>,
    others: Vec<Attempt>,
}

impl CallContext {
    /// Makes one that changes nothing. Its clones share the record and the deadline.
    #[must_use]
    pub fn new() -> Self {
        Self { shared: Some(Arc::default()), ..Self::unrecorded() }
    }

    /// Makes one that changes nothing and has neither a record nor a deadline to share, which spares an allocation: for who only
    /// wants to set something.
    #[must_use]
    pub fn unrecorded() -> Self {
        Self {
            timeout: None,
            max_attempts: None,
            waits_out_rate_limits: false,
            #[cfg(feature = "retry")]
            policy: None,
            shared: None,
        }
    }

    /// Sets how long the call may take, in place of the layer's own limit: counted from where it [begins](Self::begin).
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets how often the request may be sent, the first time included, in place of the policy's limit. 0 counts as 1.
    #[must_use]
    pub fn with_max_attempts(mut self, max_attempts: u32) -> Self {
        self.max_attempts = Some(NonZeroU32::new(max_attempts).unwrap_or(NonZeroU32::MIN));
        self
    }

    /// Has a 429 waited out, however often: it uses up neither the attempts nor the budget. A `Retry-After` beyond the policy's
    /// longest is waited out too, up to a day. The deadline still holds.
    #[must_use]
    pub fn waiting_out_rate_limits(mut self) -> Self {
        self.waits_out_rate_limits = true;
        self
    }

    /// Sets the whole policy, in place of the layer's. [`with_max_attempts`](Self::with_max_attempts) goes before its limit.
    #[cfg(feature = "retry")]
    #[must_use]
    pub fn with_policy(mut self, policy: crate::retry::RetryPolicy) -> Self {
        self.policy = Some(Arc::new(policy));
        self
    }

    #[cfg(feature = "retry")]
    pub(crate) fn policy(&self) -> Option<&crate::retry::RetryPolicy> {
        self.policy.as_deref()
    }

    /// Begins the call, unless it has begun: its timeout is counted from the first `now` that is given. Returns the deadline,
    /// where there is one.
    ///
    /// [`retry`](crate::retry) does so when it is first polled; who stands further out and keeps the same deadline does so
    /// before that.
    pub fn begin(&self, now: Instant) -> Option<Instant> {
        let deadline = now.checked_add(self.timeout?)?;
        Some(self.lock().map_or(deadline, |mut record| *record.deadline.get_or_insert(deadline)))
    }

    #[cfg(feature = "retry")]
    pub(crate) fn waits_out_rate_limits(&self) -> bool {
        self.waits_out_rate_limits
    }

    /// Returns the limit on attempts, where one was set.
    #[must_use]
    pub fn max_attempts(&self) -> Option<u32> {
        self.max_attempts.map(NonZeroU32::get)
    }

    /// Returns what the attempts up to now met. One that is in flight is there too, with an unknown outcome.
    #[must_use]
    pub fn attempts(&self) -> Vec<Attempt> {
        let Some(record) = self.lock() else { return Vec::new() };
        record.first.iter().chain(&record.others).cloned().collect()
    }

    /// Says whether there was one attempt alone, and a status answered it.
    #[must_use]
    pub fn was_answered_at_once(&self, status: http::StatusCode) -> bool {
        let is_all = |record: &Record| {
            record.others.is_empty() && record.first.as_ref().is_some_and(|first| first.status == Some(status))
        };
        self.lock().is_some_and(|record| is_all(&record))
    }

    /// Writes down an attempt, and returns its place; `None` where there is no record.
    #[cfg(feature = "retry")]
    pub(crate) fn add_attempt(&self, attempt: impl FnOnce() -> Attempt) -> Option<u32> {
        let mut record = self.lock()?;
        if record.first.is_none() {
            record.first = Some(attempt());
            return Some(0);
        }
        record.others.push(attempt());
        Some(u32::try_from(record.others.len()).unwrap_or(u32::MAX))
    }

    /// Writes down how the attempt at a place ended.
    #[cfg(feature = "retry")]
    pub(crate) fn end_attempt(&self, place: u32, attempt: Attempt) {
        let Some(mut record) = self.lock() else { return };
        match place.checked_sub(1) {
            None => record.first = Some(attempt),
            Some(place) => {
                if let Some(entry) = record.others.get_mut(place as usize) {
                    *entry = attempt;
                }
            }
        }
    }

    fn lock(&self) -> Option<MutexGuard<'_, Record>> {
        self.shared.as_ref().map(|record| record.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Default for CallContext {
    fn default() -> Self {
        Self::new()
    }
}

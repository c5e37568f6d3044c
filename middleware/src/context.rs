//! Settings and record of one call, shared between those who care.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
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
#[derive(Debug, Default)]
pub struct CallContext {
    timeout: Option<Duration>,
    max_attempts: Option<NonZeroU32>,
    waits_out_rate_limits: bool,
    #[cfg(feature = "retry")]
    policy: Option<Arc<crate::retry::RetryPolicy>>,
    /// Made when it is first cloned or asked for: what nobody else can see needn't be written down.
    shared: OnceLock<Arc<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    deadline: OnceLock<Instant>,
    record: Mutex<Record>,
}

/// What was attempted. The first attempt has a place of its own, since most calls have no other.
#[derive(Debug, Default)]
struct Record {
    first: Option<Attempt>,
    others: Vec<Attempt>,
}

impl CallContext {
    /// Makes one that changes nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
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
        Some(*self.shared().deadline.get_or_init(|| deadline))
    }

    /// The same, for who begins a call once.
    #[cfg(feature = "retry")]
    pub(crate) fn begin_now(&self, now: Instant) -> Option<Instant> {
        let deadline = now.checked_add(self.timeout?)?;
        Some(self.shared.get().map_or(deadline, |shared| *shared.deadline.get_or_init(|| deadline)))
    }

    /// Returns the deadline, where the call has begun and there is one.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.shared.get()?.deadline.get().copied()
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
        let record = self.lock();
        record.first.iter().chain(&record.others).cloned().collect()
    }

    /// Says whether there was one attempt alone, and a status answered it.
    #[must_use]
    pub fn was_answered_at_once(&self, status: http::StatusCode) -> bool {
        let record = self.lock();
        record.others.is_empty() && record.first.as_ref().is_some_and(|first| first.status == Some(status))
    }

    /// Writes down an attempt, and returns its place; `None` where nobody else has the record.
    #[cfg(feature = "retry")]
    pub(crate) fn add_attempt(&self, attempt: impl FnOnce() -> Attempt) -> Option<u32> {
        self.shared.get()?;
        let mut record = self.lock();
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
        let mut record = self.lock();
        match place.checked_sub(1) {
            None => record.first = Some(attempt),
            Some(place) => {
                if let Some(entry) = record.others.get_mut(place as usize) {
                    *entry = attempt;
                }
            }
        }
    }

    fn shared(&self) -> &Arc<Shared> {
        self.shared.get_or_init(Arc::default)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Record> {
        self.shared().record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Clones share the deadline and the record.
impl Clone for CallContext {
    fn clone(&self) -> Self {
        Self {
            timeout: self.timeout,
            max_attempts: self.max_attempts,
            waits_out_rate_limits: self.waits_out_rate_limits,
            #[cfg(feature = "retry")]
            policy: self.policy.clone(),
            shared: Arc::clone(self.shared()).into(),
        }
    }
}

//! All that the server knows, behind one lock.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::clock::Clock;
use super::fault_plan::FaultPlan;
use super::idempotency::IdempotencyKeys;
use super::rate_limit::RateLimiter;
use super::request_log::RequestLog;
use super::scripts::Scripts;
use super::settings::Settings;
use super::tokens::Tokens;

/// What the server, its connections and its handle share.
pub(super) struct Shared {
    state: Mutex<State>,
    /// Behind a lock of their own, taken before the state's: what a test gave may look at the server.
    scripts: Mutex<Scripts>,
    connections: AtomicUsize,
    /// How many of the next connections are reset on arrival.
    connections_to_reset: AtomicUsize,
}

/// What requests read and change.
pub(super) struct State {
    pub(super) settings: Settings,
    pub(super) clock: Clock,
    pub(super) tokens: Tokens,
    pub(super) keys: IdempotencyKeys,
    pub(super) limiter: Option<RateLimiter>,
    pub(super) faults: FaultPlan,
    pub(super) log: RequestLog,
}

impl Shared {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            state: Mutex::new(State::new(settings)),
            scripts: Mutex::default(),
            connections: AtomicUsize::new(0),
            connections_to_reset: AtomicUsize::new(0),
        }
    }

    /// The state, for a moment: never held while something is awaited.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The scripts, for a moment; never asked for while the state is held.
    pub(super) fn scripts(&self) -> MutexGuard<'_, Scripts> {
        self.scripts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    pub(super) fn reset_connections(&self, count: usize) {
        self.connections_to_reset.store(count, Ordering::Relaxed);
    }

    /// Counts a connection; true where it is to be reset.
    pub(super) fn connected(&self) -> bool {
        self.connections.fetch_add(1, Ordering::Relaxed);
        let one_less = |count: usize| count.checked_sub(1);
        self.connections_to_reset.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
    }
}

impl State {
    fn new(settings: Settings) -> Self {
        Self {
            settings,
            clock: Clock::start(),
            tokens: Tokens::default(),
            keys: IdempotencyKeys::default(),
            limiter: settings.rate_limit.map(RateLimiter::new),
            faults: FaultPlan::default(),
            log: RequestLog::default(),
        }
    }
}

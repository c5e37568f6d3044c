//! Tells a subscriber, and a recorder of metrics, what is decided between attempts. Without their features it does nothing.

use std::time::Duration;

use crate::Attempt;

/// Another attempt follows.
pub(super) fn retrying(attempt: &Attempt, number: u32, delay: Duration) {
    #[cfg(feature = "trace")]
    tracing::info!(
        attempt = number,
        outcome = ?attempt.outcome,
        http.response.status_code = attempt.status.map(|status| status.as_u16()),
        delay_ms = delay.as_millis() as u64,
        "another attempt follows"
    );
    #[cfg(not(feature = "trace"))]
    let _ = (attempt, number, delay);
}

/// Another attempt might have helped, and there is no budget left for it.
pub(super) fn budget_is_empty() {
    #[cfg(feature = "trace")]
    tracing::warn!("the budget of retries is empty");
}

/// The pace, or a pause, holds an attempt back.
pub(super) fn held_back(wait: Duration) {
    #[cfg(feature = "trace")]
    tracing::debug!(wait_ms = wait.as_millis() as u64, "held back until its turn");
    #[cfg(feature = "metrics")]
    metrics::histogram!("http.client.pace.wait.duration").record(wait);
    #[cfg(not(any(feature = "metrics", feature = "trace")))]
    let _ = wait;
}

//! The layers that a feature asks for; without it, ones that do nothing.

#[cfg(not(all(feature = "metrics", feature = "tracing")))]
use tower::layer::util::Identity;

#[cfg(feature = "metrics")]
use magicbell_middleware::metrics::{AttemptMetricsLayer, CallMetricsLayer};
#[cfg(feature = "tracing")]
use magicbell_middleware::trace::{AttemptSpanLayer, CallSpanLayer};

#[cfg(feature = "metrics")]
pub(super) fn call_metrics() -> CallMetricsLayer {
    CallMetricsLayer::new()
}

#[cfg(not(feature = "metrics"))]
pub(super) fn call_metrics() -> Identity {
    Identity::new()
}

#[cfg(feature = "metrics")]
pub(super) fn attempt_metrics() -> AttemptMetricsLayer {
    AttemptMetricsLayer::new()
}

#[cfg(not(feature = "metrics"))]
pub(super) fn attempt_metrics() -> Identity {
    Identity::new()
}

#[cfg(feature = "tracing")]
pub(super) fn call_span() -> CallSpanLayer {
    CallSpanLayer::new()
}

#[cfg(not(feature = "tracing"))]
pub(super) fn call_span() -> Identity {
    Identity::new()
}

#[cfg(feature = "tracing")]
pub(super) fn attempt_span() -> AttemptSpanLayer {
    AttemptSpanLayer::new()
}

#[cfg(not(feature = "tracing"))]
pub(super) fn attempt_span() -> Identity {
    Identity::new()
}

/// Says whether one of these layers has something to do. Each of them reads which operation it sees.
#[inline]
pub(super) fn is_observed() -> bool {
    #[cfg(feature = "tracing")]
    if CallSpanLayer::is_enabled() {
        return true;
    }
    cfg!(feature = "metrics")
}

//! The layers that measure, where the feature `metrics` asks for them.

#[cfg(feature = "metrics")]
mod layers {
    use magicbell_middleware::metrics::{AttemptMetricsLayer, CallMetricsLayer};

    pub(in super::super) fn call_metrics() -> CallMetricsLayer {
        CallMetricsLayer::new()
    }

    pub(in super::super) fn attempt_metrics() -> AttemptMetricsLayer {
        AttemptMetricsLayer::new()
    }
}

#[cfg(not(feature = "metrics"))]
mod layers {
    use tower::layer::util::Identity;

    pub(in super::super) fn call_metrics() -> Identity {
        Identity::new()
    }

    pub(in super::super) fn attempt_metrics() -> Identity {
        Identity::new()
    }
}

pub(super) use layers::{attempt_metrics, call_metrics};

//! The stack, layer by layer, as `src/client/stack.rs` orders it: each case has one layer more than the one before.

use std::hint::black_box;
use std::time::Duration;

use http::{Request, Response};
use magicbell::middleware::collect::{Collect, CollectLayer};
use magicbell::middleware::headers::{DefaultHeaders, DefaultHeadersLayer};
use magicbell::middleware::idempotency_key::IdempotencyKeyLayer;
use magicbell::middleware::retry::RetryLayer;
use magicbell::middleware::timeout::TimeoutLayer;
use magicbell::middleware::trace::{AttemptSpanLayer, CallSpanLayer};
use magicbell::{Body, BoxError, RetryPolicy};
use tower::layer::util::Identity;
use tower::{Layer, Service, ServiceBuilder, ServiceExt as _};

use super::by_hand::{bare_discard, headers};
use super::in_memory::{ID, InMemory};
use super::{Run, each, now};

type Innermost = DefaultHeaders<Collect<InMemory>>;

const ATTEMPT_TIMEOUT: TimeoutLayer = TimeoutLayer::new(Duration::from_secs(10));

pub(crate) fn headers_and_collect() -> Run {
    discard_through(Identity::new())
}

pub(crate) fn attempt_timeout() -> Run {
    discard_through(ATTEMPT_TIMEOUT)
}

pub(crate) fn attempt_span() -> Run {
    discard_through(ServiceBuilder::new().layer(AttemptSpanLayer::new()).layer(ATTEMPT_TIMEOUT))
}

pub(crate) fn retry() -> Run {
    discard_through(ServiceBuilder::new().layer(retry_layer()).layer(AttemptSpanLayer::new()).layer(ATTEMPT_TIMEOUT))
}

pub(crate) fn idempotency_key() -> Run {
    let layers = ServiceBuilder::new().layer(IdempotencyKeyLayer::new()).layer(retry_layer());
    discard_through(layers.layer(AttemptSpanLayer::new()).layer(ATTEMPT_TIMEOUT))
}

pub(crate) fn call_span() -> Run {
    let layers = ServiceBuilder::new().layer(CallSpanLayer::new()).layer(IdempotencyKeyLayer::new());
    discard_through(layers.layer(retry_layer()).layer(AttemptSpanLayer::new()).layer(ATTEMPT_TIMEOUT))
}

fn retry_layer() -> RetryLayer {
    RetryLayer::new(RetryPolicy::default()).timeout(Duration::from_secs(60))
}

/// Sends a request that is made by hand through layers, and decodes the answer by hand.
fn discard_through<L>(layer: L) -> Run
where
    L: Layer<Innermost>,
    L::Service: Service<Request<Body>, Response = Response<Body>, Error: Into<BoxError>> + Clone + 'static,
{
    let innermost = ServiceBuilder::new().layer(DefaultHeadersLayer::new(headers())).layer(CollectLayer::new(1 << 20));
    let service = layer.layer(innermost.service(InMemory::discarded()));
    each(move || {
        let answer = now(service.clone().oneshot(bare_discard())).map_err(Into::into).unwrap();
        let body: magicbell::jwt::DiscardTokenResponse = serde_json::from_slice(answer.body().as_bytes()).unwrap();
        assert!(body.token_id.eq_ignore_ascii_case(black_box(ID)));
    })
}

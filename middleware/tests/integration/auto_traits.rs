//! What can be moved to and shared between threads.

use std::fmt::Debug;
use std::future::Ready;

use http::{Request, Response};
use magicbell_middleware::*;

/// A service whose own parts can be shared.
#[derive(Debug, Clone)]
struct Leaf;

impl tower::Service<Request<Body>> for Leaf {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Ready<Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), BoxError>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        std::future::ready(Ok(Response::new(Body::empty())))
    }
}

type Fetch = fn() -> Ready<Result<auth::Fetched, BoxError>>;

fn shared<T: Send + Sync + Debug + 'static>() {}
fn layered<L>()
where
    L: tower::Layer<Leaf> + Send + Sync + Clone + Debug + 'static,
    L::Service: tower::Service<Request<Body>, Future: Send + Sync + 'static> + Send + Sync + Clone + Debug + 'static,
{
}

#[test]
fn every_layer_its_service_and_its_future_are_send_and_sync() {
    layered::<auth::AuthLayer<auth::RotatingCredentials>>();
    layered::<auth::AuthLayer<auth::FetchedCredentials<Fetch>>>();
    layered::<collect::CollectLayer>();
    layered::<headers::DefaultHeadersLayer>();
    layered::<idempotency_key::IdempotencyKeyLayer>();
    layered::<pace::PaceLayer>();
    layered::<retry::RetryLayer>();
    layered::<timeout::TimeoutLayer>();
    layered::<trace::CallSpanLayer>();
    layered::<trace::AttemptSpanLayer>();
}

#[test]
fn every_value_is_send_and_sync() {
    shared::<Attempt>();
    shared::<Attempts>();
    shared::<AttemptError>();
    shared::<AttemptNumber>();
    shared::<Body>();
    shared::<CallContext>();
    shared::<Operation>();
    shared::<Outcome>();
    shared::<Safety>();
    shared::<auth::Fetched>();
    shared::<auth::InvalidToken>();
    shared::<collect::ResponseBodyError>();
    shared::<pace::HeldBack>();
    shared::<pace::Pace>();
    shared::<pace::Quota>();
    shared::<retry::AttemptResult<'static>>();
    shared::<retry::Backoff>();
    shared::<retry::Jitter>();
    shared::<retry::RetryBudget>();
    shared::<retry::RetryError>();
    shared::<retry::RetryPolicy>();
    shared::<retry::Verdict>();
    shared::<timeout::Limit>();
    shared::<timeout::TimeoutError>();
}

//! The stack: its order stands here and nowhere else. Outermost first:
//!
//! | layer | why there |
//! |---|---|
//! | the caller's layers | they see one logical call |
//! | call span, call metrics | one span a call, with its attempts and outcome |
//! | idempotency key | outside retry: the same key on every attempt; outside the caller's layers too where there are any, since one of them may make the call again |
//! | retry | by safety and outcome; its deadline covers permits, attempts and waits; it asks the pace before each attempt, so that neither an attempt's time nor a permit is used up by waiting |
//! | concurrency limit | inside retry: a permit isn't held while backing off |
//! | attempt span, attempt metrics | one span an attempt |
//! | attempt timeout | a slow attempt can be retried |
//! | the caller's attempt layers | they see each attempt |
//! | headers, auth | innermost: no layer of the caller's ever sees the token |
//! | collect | everything above sees whole bodies |
//! | transport | connects, sends |

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response};
use magicbell_middleware::auth::AuthLayer;
use magicbell_middleware::collect::CollectLayer;
use magicbell_middleware::headers::DefaultHeadersLayer;
use magicbell_middleware::idempotency_key::IdempotencyKeyLayer;
use magicbell_middleware::pace::Pace;
use magicbell_middleware::retry::{RetryLayer, RetryPolicy};
use magicbell_middleware::timeout::TimeoutLayer;
use magicbell_middleware::{Body, BoxError};
use sync_wrapper::SyncWrapper;
use tower::limit::ConcurrencyLimitLayer;
use tower::util::BoxCloneSyncService;
use tower::{Layer as _, Service, ServiceBuilder, ServiceExt as _};

use super::client_type::StackResult;
use super::extra::{BoxLayer, ErasedCredentials};
use super::optional::{attempt_metrics, attempt_span, call_metrics, call_span};

/// A service of the stack, erased.
pub(super) type BoxService = BoxCloneSyncService<Request<Body>, Response<Body>, BoxError>;

/// What the layers of the stack are set to.
pub(super) struct Settings {
    pub(super) timeout: Duration,
    pub(super) attempt_timeout: Duration,
    pub(super) retry: RetryPolicy,
    pub(super) pace: Pace,
    pub(super) concurrency_limit: Option<usize>,
    pub(super) max_response_bytes: usize,
    pub(super) headers: HeaderMap,
    pub(super) credentials: Option<ErasedCredentials>,
    pub(super) layers: Vec<BoxLayer>,
    pub(super) attempt_layers: Vec<BoxLayer>,
}

/// Puts the stack together over a transport.
pub(super) fn assemble<T, B>(mut settings: Settings, transport: T) -> Box<dyn Stack>
where
    T: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
    T::Error: Into<BoxError>,
    T::Future: Send + 'static,
    B: http_body::Body<Error: Into<BoxError>> + Send + 'static,
{
    let layers = std::mem::take(&mut settings.layers);
    let attempt_layers = std::mem::take(&mut settings.attempt_layers);
    let innermost = ServiceBuilder::new()
        .layer(DefaultHeadersLayer::new(std::mem::take(&mut settings.headers)).fixed(AUTHORIZATION))
        .option_layer(settings.credentials.take().map(AuthLayer::new))
        .layer(
            CollectLayer::new(settings.max_response_bytes)
                .check_unframed(looks_like_an_object)
                .timeout(settings.attempt_timeout.min(settings.timeout)),
        )
        .service(transport);
    // Without layers of the caller's, the whole stack is one type, erased once.
    if attempt_layers.is_empty() {
        around(settings, innermost, layers)
    } else {
        let innermost = apply(attempt_layers, settings.max_response_bytes, innermost);
        around(settings, innermost, layers)
    }
}

fn around<S>(settings: Settings, attempt: S, layers: Vec<BoxLayer>) -> Box<dyn Stack>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = BoxError> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    let call = ServiceBuilder::new()
        .layer(call_span())
        .layer(call_metrics())
        .layer(IdempotencyKeyLayer::new())
        .layer(
            RetryLayer::new(settings.retry)
                .timeout(settings.timeout)
                .attempts_end_after(settings.attempt_timeout)
                .pace(settings.pace),
        )
        .option_layer(settings.concurrency_limit.map(ConcurrencyLimitLayer::new))
        .layer(attempt_span())
        .layer(attempt_metrics())
        .layer(TimeoutLayer::new(settings.attempt_timeout))
        .service(attempt);
    if layers.is_empty() {
        Box::new(AlwaysReady(call))
    } else {
        // A layer that makes the call again makes the same creation again, so the key is there before it.
        let call = apply(layers, settings.max_response_bytes, call);
        Box::new(Erased(IdempotencyKeyLayer::new().layer(call)))
    }
}

/// Puts the caller's layers around a service, the first one given outermost.
fn apply<S>(layers: Vec<BoxLayer>, max_response_bytes: usize, service: S) -> BoxService
where
    S: Service<Request<Body>, Response = Response<Body>, Error = BoxError> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    layers.into_iter().rev().fold(BoxService::new(service), |service, layer| layer(service, max_response_bytes))
}

/// Says whether bytes may be a whole JSON object: where nothing but the connection's end marks a body's end, one that was cut
/// short looks whole.
fn looks_like_an_object(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok() || !bytes.trim_ascii_start().starts_with(b"{")
}

/// The whole stack, erased.
pub(super) trait Stack: Send + Sync {
    /// Sends a request through it.
    fn call(&self, request: Request<Body>) -> StackFuture;
}

/// A service that is always ready, as retry is and what is put around it here, so that nobody need ask.
struct AlwaysReady<S>(S);

impl<S> Stack for AlwaysReady<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = BoxError> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    fn call(&self, request: Request<Body>) -> StackFuture {
        StackFuture(SyncWrapper::new(Box::pin(self.0.clone().call(request))))
    }
}

struct Erased<S>(S);

impl<S> Stack for Erased<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = BoxError> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    fn call(&self, request: Request<Body>) -> StackFuture {
        StackFuture(SyncWrapper::new(Box::pin(self.0.clone().oneshot(request))))
    }
}

/// A call in the stack.
pub(super) struct StackFuture(SyncWrapper<Pin<Box<dyn Future<Output = StackResult> + Send>>>);

impl StackFuture {
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<StackResult> {
        self.0.get_mut().as_mut().poll(cx)
    }
}

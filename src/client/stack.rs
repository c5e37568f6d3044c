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
use http::{HeaderMap, HeaderValue, Request, Response};
use magicbell_middleware::auth::AuthLayer;
use magicbell_middleware::collect::CollectLayer;
use magicbell_middleware::headers::DefaultHeadersLayer;
use magicbell_middleware::idempotency_key::{IdempotencyKey, IdempotencyKeyLayer};
use magicbell_middleware::pace::Pace;
use magicbell_middleware::retry::{self, InFlight, Retry, RetryLayer, RetryPolicy};
use magicbell_middleware::timeout::TimeoutLayer;
use magicbell_middleware::{Body, BoxError, CallContext};
use sync_wrapper::SyncWrapper;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::{Layer as _, Service, ServiceBuilder};

use super::client_type::StackResult;
use super::extra::ErasedCredentials;
use super::layered::BoxLayer;
use super::optional::{attempt_metrics, attempt_span, call_metrics, call_span, is_observed};
use super::stack_service::{CallFuture, StackService};

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
    let mut headers = std::mem::take(&mut settings.headers);
    if settings.credentials.is_some() {
        // Auth replaces it in each request: to add one would allocate the others anew.
        headers.insert(AUTHORIZATION, HeaderValue::from_static(""));
    }
    let headers = DefaultHeadersLayer::new(headers).fixed(AUTHORIZATION);
    let collect = CollectLayer::new(settings.max_response_bytes)
        .check_unframed(may_be_whole)
        .timeout(settings.attempt_timeout.min(settings.timeout));
    let innermost = ServiceBuilder::new().layer(headers);
    // Each is a type of its own: whoever has no credentials doesn't carry their room about with each call.
    match settings.credentials.take().map(AuthLayer::new) {
        None => around_innermost(settings, innermost.layer(collect).service(transport)),
        Some(auth) => around_innermost(settings, innermost.layer(auth).layer(collect).service(transport)),
    }
}

/// Puts the caller's attempt layers around what is beneath them, and the rest of the stack around both.
fn around_innermost<S>(mut settings: Settings, innermost: S) -> Box<dyn Stack>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = BoxError> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    let layers = std::mem::take(&mut settings.layers);
    let mut attempt_layers = std::mem::take(&mut settings.attempt_layers).into_iter();
    // Without layers of the caller's, the whole stack is one type, erased once.
    match attempt_layers.next() {
        None => around(settings, innermost, layers),
        Some(outermost) => {
            let innermost = StackService::new(innermost);
            let innermost = apply(attempt_layers, settings.max_response_bytes, innermost);
            outermost.around_attempts(innermost, settings, layers)
        }
    }
}

/// Puts the rest of the stack around what makes an attempt.
pub(super) fn around<S>(settings: Settings, attempt: S, layers: Vec<BoxLayer>) -> Box<dyn Stack>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = BoxError> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    let max_response_bytes = settings.max_response_bytes;
    let retry = RetryLayer::new(settings.retry)
        .timeout(settings.timeout)
        .attempts_end_after(settings.attempt_timeout)
        .pace(settings.pace);
    let attempt = TimeoutLayer::new(settings.attempt_timeout).layer(attempt);
    let observed = ServiceBuilder::new().layer(attempt_span()).layer(attempt_metrics()).service(attempt.clone());
    // Again a type of its own: tower's `Either` is moved and matched with each call.
    match settings.concurrency_limit {
        None => around_calls(retry.layer(attempt), retry.layer(observed), layers, max_response_bytes),
        Some(limit) => {
            let limit = GlobalConcurrencyLimitLayer::new(limit);
            let (attempt, observed) = (limit.layer(attempt), limit.layer(observed));
            around_calls(retry.layer(attempt), retry.layer(observed), layers, max_response_bytes)
        }
    }
}

/// Puts the caller's layers, and what stands beneath them, around retry.
fn around_calls<S, O>(
    retry: Retry<S>,
    observed: Retry<O>,
    layers: Vec<BoxLayer>,
    max_response_bytes: usize,
) -> Box<dyn Stack>
where
    S: Attempts,
    O: Attempts,
{
    let around_retry = AroundRetry { retry, observed };
    let mut layers = layers.into_iter();
    let Some(outermost) = layers.next() else { return Box::new(around_retry) };
    let call = StackService::always_ready(move |mut request| {
        let context = request.extensions_mut().remove();
        around_retry.call(request, context).into_inner()
    });
    outermost.around_calls(apply(layers, max_response_bytes, call), max_response_bytes)
}

/// Sends a request through all that stands around retry. Each of these layers is a word or nothing, so they are put around a
/// reference, for one call.
#[inline]
fn observe<S: Attempts>(
    retry: &Retry<S>,
    request: Request<Body>,
    context: Option<CallContext>,
) -> impl Future<Output = StackResult> + InFlight + Send + use<S> {
    let observers = ServiceBuilder::new().layer(call_span()).layer(call_metrics());
    observers.service(keyed(retry, context)).call(request)
}

/// Puts the idempotency key around retry, for one call.
#[inline]
fn keyed<S>(retry: &Retry<S>, context: Option<CallContext>) -> IdempotencyKey<InContext<'_, S>> {
    IdempotencyKeyLayer::new().layer(InContext { retry, context })
}

/// Puts the caller's layers around a service, the first one given outermost.
fn apply(layers: std::vec::IntoIter<BoxLayer>, max_response_bytes: usize, service: StackService) -> StackService {
    layers.rev().fold(service, |service, layer| layer.around_service(service, max_response_bytes))
}

/// Says whether bytes may be all of a body: where nothing but the connection's end marks a body's end, one that was cut short looks
/// whole.
fn may_be_whole(bytes: &[u8]) -> bool {
    match bytes.trim_ascii_start().first() {
        Some(b'{' | b'[') => serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok(),
        _ => true,
    }
}

/// The whole stack, erased.
pub(super) trait Stack: Send + Sync {
    /// Sends a request through it. Nothing is done until the future is polled.
    fn call(&self, request: Request<Body>, context: Option<CallContext>) -> StackFuture;
}

/// Makes attempts.
trait Attempts:
    Service<Request<Body>, Response = Response<Body>, Error: Into<BoxError>, Future: Send> + Clone + Send + Sync + 'static
{
}

impl<S> Attempts for S where
    S: Service<Request<Body>, Response = Response<Body>, Error: Into<BoxError>, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// Retry, and what stands around it: always ready, so that nobody need ask.
///
/// Twice, with all else shared: what only observes would be moved and polled with each call also where nobody takes what it tells.
struct AroundRetry<S, O> {
    retry: Retry<S>,
    observed: Retry<O>,
}

impl<S: Attempts, O: Attempts> Stack for AroundRetry<S, O> {
    fn call(&self, request: Request<Body>, context: Option<CallContext>) -> StackFuture {
        match is_observed() {
            true => StackFuture::new(observe(&self.observed, request, context)),
            false => StackFuture::new(keyed(&self.retry, context).call(request)),
        }
    }
}

/// Retry, for one call.
struct InContext<'a, S> {
    retry: &'a Retry<S>,
    context: Option<CallContext>,
}

impl<S> Service<Request<Body>> for InContext<'_, S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error: Into<BoxError>> + Clone,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = retry::ResponseFuture<S, Body>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.retry.send(request, self.context.take())
    }
}

/// A call in the stack, and what is known of it before it has ended.
trait StackCall: Future<Output = StackResult> + InFlight + Send {}

impl<F: Future<Output = StackResult> + InFlight + Send> StackCall for F {}

/// A call in the stack.
pub(super) struct StackFuture(SyncWrapper<Pin<Box<dyn StackCall>>>);

impl StackFuture {
    #[inline]
    pub(super) fn new(call: impl Future<Output = StackResult> + InFlight + Send + 'static) -> Self {
        Self(SyncWrapper::new(Box::pin(call)))
    }

    fn into_inner(self) -> CallFuture {
        self.0.into_inner()
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<StackResult> {
        self.0.get_mut().as_mut().poll(cx)
    }

    pub(super) fn in_flight(&mut self) -> &dyn InFlight {
        &**self.0.get_mut()
    }
}

//! Layers of the caller's: erased when they are given, and put around calls or attempts.

use std::any::TypeId;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::uri::PathAndQuery;
use http::{Request, Response};
use magicbell_middleware::collect::CollectLayer;
use magicbell_middleware::idempotency_key::IdempotencyKeyLayer;
use magicbell_middleware::retry::InFlight;
use magicbell_middleware::timeout::{Limit, TimeoutError};
use magicbell_middleware::{Attempt, Attempts, Body, BoxError, CallContext};
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};
use tower::util::Oneshot;
use tower::{Layer, Service, ServiceBuilder, ServiceExt as _};

use super::client_type::StackResult;
use super::stack::{Settings, Stack, StackFuture, around};
use super::stack_service::StackService;
use super::whole::WholeLayer;

/// A layer of the caller's, erased.
pub(super) type BoxLayer = Box<dyn ErasedLayer>;

/// A layer of the caller's. A body of another type that it returns is collected again, up to a cap.
///
/// The outermost of each slot is a part of what stands around it: only those beneath it are erased, which allocates once a call.
pub(super) trait ErasedLayer: Send + Sync {
    /// Puts it around a service.
    fn around_service(self: Box<Self>, inner: StackService, max_response_bytes: usize) -> StackService;

    /// Puts it around everything, as the outermost that sees calls.
    fn around_calls(self: Box<Self>, inner: StackService, max_response_bytes: usize) -> Box<dyn Stack>;

    /// Puts it around what makes an attempt, as the outermost that sees attempts, and the rest of the stack around it.
    fn around_attempts(
        self: Box<Self>,
        inner: StackService,
        settings: Settings,
        layers: Vec<BoxLayer>,
    ) -> Box<dyn Stack>;
}

struct Erased<L, W>(L, PhantomData<fn() -> W>);

/// Erases a layer.
pub(super) fn erase_layer<L, B>(layer: L) -> BoxLayer
where
    L: Layer<StackService> + Send + Sync + 'static,
    L::Service: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
    <L::Service as Service<Request<Body>>>::Error: Into<BoxError>,
    <L::Service as Service<Request<Body>>>::Future: Send + 'static,
    B: http_body::Body<Error: Into<BoxError>> + Send + 'static,
{
    // Most layers return the body that they got, and need no room for another.
    match TypeId::of::<B>() == TypeId::of::<Body>() {
        true => Box::new(Erased::<L, WholeLayer>(layer, PhantomData)),
        false => Box::new(Erased::<L, CollectLayer>(layer, PhantomData)),
    }
}

/// What stands around a layer of the caller's, so that a whole body is above it again.
trait AroundLayer {
    fn up_to(max_response_bytes: usize) -> Self;
}

impl AroundLayer for CollectLayer {
    fn up_to(max_response_bytes: usize) -> Self {
        Self::new(max_response_bytes)
    }
}

impl AroundLayer for WholeLayer {
    fn up_to(_: usize) -> Self {
        Self
    }
}

impl<L: Layer<StackService>, W: Layer<L::Service> + AroundLayer> Erased<L, W> {
    fn apply(self, inner: StackService, max_response_bytes: usize) -> W::Service {
        W::up_to(max_response_bytes).layer(self.0.layer(inner))
    }
}

impl<L, W> ErasedLayer for Erased<L, W>
where
    L: Layer<StackService> + Send + Sync,
    L::Service: Service<Request<Body>, Future: Send> + Clone + Send + Sync + 'static,
    W: Layer<L::Service> + AroundLayer,
    W::Service: Service<Request<Body>, Response = Response<Body>, Error = BoxError> + Clone + Send + Sync + 'static,
    <W::Service as Service<Request<Body>>>::Future: Send + 'static,
{
    fn around_service(self: Box<Self>, inner: StackService, max_response_bytes: usize) -> StackService {
        let service = self.0.layer(inner);
        StackService::of_same(service)
            .unwrap_or_else(|service| StackService::new(W::up_to(max_response_bytes).layer(service)))
    }

    fn around_calls(self: Box<Self>, inner: StackService, max_response_bytes: usize) -> Box<dyn Stack> {
        // A layer that makes the call again makes the same creation again, so the key is there before it.
        let layers = ServiceBuilder::new().layer(IdempotencyKeyLayer::new());
        Box::new(Layered(layers.service(self.apply(inner, max_response_bytes))))
    }

    fn around_attempts(
        self: Box<Self>,
        inner: StackService,
        settings: Settings,
        layers: Vec<BoxLayer>,
    ) -> Box<dyn Stack> {
        let attempt = self.apply(inner, settings.max_response_bytes);
        around(settings, attempt, layers)
    }
}

/// The whole stack, with layers of the caller's around calls.
struct Layered<S>(S);

impl<S> Stack for Layered<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = BoxError> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    fn call(&self, mut request: Request<Body>, context: Option<CallContext>) -> StackFuture {
        // There is always one here: the record and the deadline are shared with what is beneath the layers.
        let context = context.unwrap_or_default();
        request.extensions_mut().insert(context.clone());
        let path = request.uri().path_and_query().cloned();
        let call = self.0.clone().oneshot(request);
        StackFuture::new(LayeredCall { call, path, context, start: None, deadline: None, timer: None })
    }
}

pin_project! {
    /// A call through layers of the caller's. What is beneath them keeps the same deadline itself.
    struct LayeredCall<S>
    where
        S: Service<Request<Body>>,
    {
        #[pin]
        call: Oneshot<S, Request<Body>>,
        path: Option<PathAndQuery>,
        context: CallContext,
        // When it was first polled, and when its time is up.
        start: Option<Instant>,
        deadline: Option<Instant>,
        timer: Option<Pin<Box<Sleep>>>,
    }
}

impl<S> Future for LayeredCall<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = BoxError>,
{
    type Output = StackResult;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<StackResult> {
        let this = self.project();
        let start = *this.start.get_or_insert_with(|| {
            let now = Instant::now();
            *this.deadline = this.context.begin(now.into_std()).map(Instant::from_std);
            now
        });
        match (this.call.poll(cx), *this.deadline) {
            (Poll::Ready(result), _) => Poll::Ready(result.map(|response| with_record(response, this.context))),
            (Poll::Pending, None) => Poll::Pending,
            (Poll::Pending, Some(deadline)) => {
                let timer = this.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
                let after = deadline.saturating_duration_since(start);
                timer.as_mut().poll(cx).map(|()| Err(TimeoutError::new(Limit::Operation, after).into()))
            }
        }
    }
}

impl<S: Service<Request<Body>>> InFlight for LayeredCall<S> {
    fn attempts(&self) -> Vec<Attempt> {
        self.context.attempts()
    }

    fn elapsed(&self) -> Duration {
        self.start.map_or(Duration::ZERO, |start| start.elapsed())
    }

    fn path_and_query(&self) -> Option<&PathAndQuery> {
        self.path.as_ref()
    }
}

/// Has the answer carry all attempts of its call: a layer of the caller's may have made the call more than once, or have
/// answered itself, after an attempt had failed or without any.
fn with_record(mut response: Response<Body>, context: &CallContext) -> Response<Body> {
    if !context.was_answered_at_once(response.status()) {
        response.extensions_mut().insert(Attempts(context.attempts()));
    }
    response
}

//! Opens a span for each call and for each attempt.
//!
//! [`CallSpanLayer`] belongs above [`retry`](crate::retry), [`AttemptSpanLayer`] below it. The fields have the names of
//! OpenTelemetry's semantic conventions for HTTP clients (1.27 and later), so that `tracing-opentelemetry` makes the spans that
//! dashboards expect. Neither the path, which holds ids, nor any header or body is recorded: `url.template` is.
//!
//! Where no subscriber wants the span, a layer passes the request on and adds nothing.
//!
//! # Differences from tower-http's `TraceLayer`
//!
//! That one opens one span, with fields of its own naming and the whole URI in it, and its default logs events a request.
//!
//! ```
//! use http::{Request, Response, Version};
//! use magicbell_middleware::{Body, Operation, trace::{AttemptSpanLayer, CallSpanLayer}};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), magicbell_middleware::BoxError> {
//! let service = ServiceBuilder::new()
//!     .layer(CallSpanLayer::new())
//!     .layer(AttemptSpanLayer::new())
//!     .service_fn(async |_: Request<Body>| Ok::<_, std::io::Error>(Response::new(Body::empty())));
//! let request = Request::get("https://example.com/users/7")
//!     .extension(Operation::get("fetch_user", "/users/{user_id}"))
//!     .body(Body::empty())?;
//! assert_eq!(service.oneshot(request).await?.status(), 200);
//! # Ok(())
//! # }
//! ```

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response, Version};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;
use tracing::Span;
use tracing::field::Empty;

use crate::operation::server_port;
use crate::outcome::error_type;
use crate::{AttemptNumber, Attempts, BoxError, Operation};

/// Opens a span for each call, at level INFO: `otel.name` is the operation's name.
///
/// Its fields: `http.request.method`, `url.template`; at the end `http.response.status_code`, `attempts`, and where it failed
/// `error.type`.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct CallSpanLayer {}

impl CallSpanLayer {
    /// Makes the layer.
    #[must_use]
    pub const fn new() -> Self {
        Self {}
    }

    /// Says whether a subscriber wants spans at the level of this crate's: if not, a client can leave out what they would read.
    #[must_use]
    #[inline]
    pub fn is_enabled() -> bool {
        tracing::enabled!(target: "magicbell_middleware::trace", tracing::Level::INFO)
    }
}

/// Opens a span for each attempt, at level INFO, named `{method} {template}`.
///
/// Its fields: `http.request.method`, `url.template`, `url.scheme`, `server.address`, `server.port`, and from the second
/// attempt on `http.request.resend_count`; at the end `http.response.status_code`, `network.protocol.version`, and where it
/// failed `error.type` and `otel.status_code`.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct AttemptSpanLayer {}

impl AttemptSpanLayer {
    /// Makes the layer.
    #[must_use]
    pub const fn new() -> Self {
        Self {}
    }
}

impl<S> Layer<S> for CallSpanLayer {
    type Service = Traced<S>;

    fn layer(&self, inner: S) -> Traced<S> {
        Traced { inner, kind: Kind::Call }
    }
}

impl<S> Layer<S> for AttemptSpanLayer {
    type Service = Traced<S>;

    fn layer(&self, inner: S) -> Traced<S> {
        Traced { inner, kind: Kind::Attempt }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Call,
    Attempt,
}

/// The service of [`CallSpanLayer`] and of [`AttemptSpanLayer`].
#[derive(Debug, Clone)]
pub struct Traced<S> {
    inner: S,
    kind: Kind,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Traced<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    #[inline]
    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        if CallSpanLayer::is_enabled() {
            return self.call_in_span(request);
        }
        ResponseFuture { inner: self.inner.call(request), span: None, kind: self.kind }
    }
}

impl<S> Traced<S> {
    #[cold]
    fn call_in_span<B>(&mut self, request: Request<B>) -> ResponseFuture<S::Future>
    where
        S: Service<Request<B>>,
    {
        let span = match self.kind {
            Kind::Call => call_span(&request),
            Kind::Attempt => attempt_span(&request),
        };
        let inner = span.in_scope(|| self.inner.call(request));
        ResponseFuture { inner, span: Some(Box::new(span)), kind: self.kind }
    }
}

fn call_span<B>(request: &Request<B>) -> Span {
    let operation = request.extensions().get::<Operation>();
    tracing::info_span!(
        "call",
        "otel.name" = operation.map_or("call", Operation::name),
        "otel.kind" = "internal",
        "http.request.method" = request.method().as_str(),
        "url.template" = operation.map(Operation::path),
        "http.response.status_code" = Empty,
        "attempts" = Empty,
        "error.type" = Empty,
        "otel.status_code" = Empty,
    )
}

fn attempt_span<B>(request: &Request<B>) -> Span {
    let uri = request.uri();
    let method = request.method().as_str();
    let template = request.extensions().get::<Operation>().map(Operation::path);
    let resends = AttemptNumber::of(request) - 1;
    tracing::info_span!(
        "attempt",
        "otel.name" = template.map_or_else(|| method.to_owned(), |template| format!("{method} {template}")),
        "otel.kind" = "client",
        "http.request.method" = method,
        "http.request.resend_count" = (resends > 0).then_some(resends),
        "url.template" = template,
        "url.scheme" = uri.scheme_str(),
        "server.address" = uri.host(),
        "server.port" = server_port(uri),
        "http.response.status_code" = Empty,
        "network.protocol.version" = Empty,
        "error.type" = Empty,
        "otel.status_code" = Empty,
    )
}

pin_project! {
    /// The future of [`Traced`].
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        // In a box, since most programs have no subscriber and would carry its room about.
        span: Option<Box<Span>>,
        kind: Kind,
    }
}

#[cfg(feature = "retry")]
crate::retry::tells_what_is_beneath!(ResponseFuture);

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
{
    type Output = Result<Response<B>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(span) = this.span.as_deref() else { return this.inner.poll(cx).map_err(Into::into) };
        let _entered = span.enter();
        let result = ready!(this.inner.poll(cx)).map_err(Into::into);
        match &result {
            Ok(response) => record_response(span, *this.kind, response),
            Err(error) => record_error(span, *this.kind, error),
        }
        Poll::Ready(result)
    }
}

fn record_response<B>(span: &Span, kind: Kind, response: &Response<B>) {
    let status = response.status();
    span.record("http.response.status_code", status.as_u16());
    if status.is_client_error() || status.is_server_error() {
        span.record("error.type", status.as_str());
        span.record("otel.status_code", "ERROR");
    }
    match kind {
        Kind::Call => {
            let attempts = response.extensions().get::<Attempts>().map_or(1, |attempts| attempts.0.len());
            span.record("attempts", attempts);
        }
        Kind::Attempt => {
            if let Some(version) = protocol_version(response.version()) {
                span.record("network.protocol.version", version);
            }
        }
    }
}

/// Writes a version as OpenTelemetry's conventions do.
fn protocol_version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        Version::HTTP_3 => Some("3"),
        _ => None,
    }
}

fn record_error(span: &Span, kind: Kind, error: &BoxError) {
    span.record("error.type", error_type(&**error));
    span.record("otel.status_code", "ERROR");
    #[cfg(feature = "collect")]
    if let Some(lost) = crate::outcome::lost_answer(&**error) {
        span.record("http.response.status_code", lost.status().as_u16());
    }
    if kind == Kind::Call {
        span.record("attempts", attempts_of(error));
    }
}

#[cfg(feature = "retry")]
fn attempts_of(error: &BoxError) -> usize {
    crate::find_source::<crate::retry::RetryError>(&**error).map_or(1, |error| error.attempts().len())
}

#[cfg(not(feature = "retry"))]
fn attempts_of(_: &BoxError) -> usize {
    1
}

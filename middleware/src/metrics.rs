//! Measures each call and each attempt, through the [`metrics`](https://docs.rs/metrics) facade.
//!
//! [`CallMetricsLayer`] belongs above [`retry`](crate::retry), [`AttemptMetricsLayer`] below it. Where no recorder is installed,
//! nothing is recorded. The facade is used rather than OpenTelemetry's own API since that one still breaks with each of its
//! releases, and since exporters to OpenTelemetry and to Prometheus exist for the facade.
//!
//! | metric | kind | unit | of |
//! |---|---|---|---|
//! | `http.client.request.duration` | histogram | seconds | an attempt |
//! | `http.client.active_requests` | gauge | | attempts in flight |
//! | `http.client.call.duration` | histogram | seconds | a call, waits included |
//! | `http.client.call.attempts` | histogram | | a call |
//! | `http.client.call.wait.duration` | histogram | seconds | the waits between a call's attempts, where there were any |
//! | `http.client.pace.wait.duration` | histogram | seconds | a wait for the [pace](crate::pace), by [`retry`](crate::retry); no labels |
//!
//! The first two have OpenTelemetry's names; the others, for which it has none, are formed alike. Labels, too:
//! `http.request.method`, `url.template`, `server.address`, `server.port`, and at the end `http.response.status_code` and `error.type`.
//!
//! ```
//! use http::{Request, Response};
//! use magicbell_middleware::{Body, metrics::{AttemptMetricsLayer, CallMetricsLayer}};
//! use metrics_util::debugging::DebuggingRecorder;
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), magicbell_middleware::BoxError> {
//! let recorder = DebuggingRecorder::new();
//! let snapshotter = recorder.snapshotter();
//! recorder.install()?;
//! let service = ServiceBuilder::new()
//!     .layer(CallMetricsLayer::new())
//!     .layer(AttemptMetricsLayer::new())
//!     .service_fn(async |_: Request<Body>| Ok::<_, std::io::Error>(Response::new(Body::empty())));
//! service.oneshot(Request::new(Body::empty())).await?;
//! let names = snapshotter.snapshot().into_vec().into_iter().map(|(key, ..)| key.key().name().to_owned());
//! assert!(names.collect::<Vec<_>>().contains(&"http.client.request.duration".to_owned()));
//! # Ok(())
//! # }
//! ```

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use ::metrics::{Gauge, Label, gauge, histogram};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::operation::server_port;
use crate::outcome::error_type;
use crate::{Attempt, Attempts, BoxError, Operation};

/// Measures each call.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct CallMetricsLayer {}

/// Measures each attempt.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct AttemptMetricsLayer {}

impl CallMetricsLayer {
    /// Makes the layer.
    #[must_use]
    pub const fn new() -> Self {
        Self {}
    }
}

impl AttemptMetricsLayer {
    /// Makes the layer.
    #[must_use]
    pub const fn new() -> Self {
        Self {}
    }
}

impl<S> Layer<S> for CallMetricsLayer {
    type Service = Measured<S>;

    fn layer(&self, inner: S) -> Measured<S> {
        Measured { inner, kind: Kind::Call }
    }
}

impl<S> Layer<S> for AttemptMetricsLayer {
    type Service = Measured<S>;

    fn layer(&self, inner: S) -> Measured<S> {
        Measured { inner, kind: Kind::Attempt }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Call,
    Attempt,
}

/// The service of [`CallMetricsLayer`] and of [`AttemptMetricsLayer`].
#[derive(Debug, Clone)]
pub struct Measured<S> {
    inner: S,
    kind: Kind,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Measured<S>
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

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let labels = labels(&request);
        let active = (self.kind == Kind::Attempt).then(|| Active::new(&labels));
        ResponseFuture { inner: self.inner.call(request), kind: self.kind, labels, active, start: Instant::now() }
    }
}

fn labels<B>(request: &Request<B>) -> Vec<Label> {
    let mut labels = vec![Label::new("http.request.method", request.method().to_string())];
    if let Some(operation) = request.extensions().get::<Operation>() {
        labels.push(Label::from_static_parts("url.template", operation.path()));
    }
    if let Some(host) = request.uri().host() {
        labels.push(Label::new("server.address", host.to_owned()));
    }
    if let Some(port) = server_port(request.uri()) {
        labels.push(Label::new("server.port", port.to_string()));
    }
    labels
}

/// An attempt in flight, counted until it ends or is dropped.
#[derive(Debug)]
struct Active(Gauge);

impl Active {
    fn new(labels: &[Label]) -> Self {
        let gauge = gauge!("http.client.active_requests", labels.iter());
        gauge.increment(1);
        Self(gauge)
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

pin_project! {
    /// The future of [`Measured`].
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        kind: Kind,
        labels: Vec<Label>,
        active: Option<Active>,
        start: Instant,
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
        let result = ready!(this.inner.poll(cx)).map_err(Into::into);
        *this.active = None;
        let mut labels = std::mem::take(this.labels);
        let attempts = match &result {
            Ok(response) => {
                let status = response.status();
                labels.push(Label::new("http.response.status_code", status.as_str().to_owned()));
                if status.is_client_error() || status.is_server_error() {
                    labels.push(Label::new("error.type", status.as_str().to_owned()));
                }
                response.extensions().get::<Attempts>().map(|attempts| &*attempts.0)
            }
            Err(error) => {
                labels.push(Label::from_static_parts("error.type", error_type(&**error)));
                attempts_of(error)
            }
        };
        match this.kind {
            Kind::Attempt => histogram!("http.client.request.duration", labels).record(this.start.elapsed()),
            Kind::Call => record_call(this.start.elapsed(), attempts, labels),
        }
        Poll::Ready(result)
    }
}

#[cfg(feature = "retry")]
fn attempts_of(error: &BoxError) -> Option<&[Attempt]> {
    crate::find_source::<crate::retry::RetryError>(&**error).map(crate::retry::RetryError::attempts)
}

#[cfg(not(feature = "retry"))]
fn attempts_of(_: &BoxError) -> Option<&[Attempt]> {
    None
}

fn record_call(elapsed: Duration, attempts: Option<&[Attempt]>, labels: Vec<Label>) {
    let waited = attempts.unwrap_or_default().iter().filter_map(|attempt| attempt.delay).sum::<Duration>();
    if !waited.is_zero() {
        histogram!("http.client.call.wait.duration", labels.iter()).record(waited);
    }
    // A call of one attempt has no record of it; one that was held back has a record of none.
    histogram!("http.client.call.attempts", labels.iter()).record(attempts.map_or(1, <[_]>::len) as f64);
    histogram!("http.client.call.duration", labels).record(elapsed);
}

#[cfg(test)]
mod tests {
    use metrics_util::debugging::{DebugValue, DebuggingRecorder};
    use tokio_test::{assert_pending, task};
    use tower::service_fn;

    use super::*;
    use crate::Body;

    /// What a recorder of this thread's alone has after `run`: names, labels, values.
    fn recorded(run: impl FnOnce()) -> Vec<(String, Vec<String>, DebugValue)> {
        let recorder = DebuggingRecorder::new();
        ::metrics::with_local_recorder(&recorder, run);
        let snapshot = recorder.snapshotter().snapshot().into_vec().into_iter();
        let mut snapshot = snapshot
            .map(|(key, _, _, value)| {
                let labels = key.key().labels().map(|label| format!("{}={}", label.key(), label.value()));
                (key.key().name().to_owned(), labels.collect(), value)
            })
            .collect::<Vec<_>>();
        snapshot.sort_by(|one, two| one.0.cmp(&two.0));
        snapshot
    }

    fn request() -> Request<Body> {
        let request = Request::delete("https://example.com/tokens/secret-id");
        request.extension(Operation::delete("discard", "/tokens/{id}")).body(Body::empty()).unwrap()
    }

    #[test]
    fn an_attempt_is_measured_by_template_and_status_and_never_by_id() {
        let recorded = recorded(|| {
            let answer = || std::future::ready(Response::builder().status(503).body(Body::empty()));
            let mut service = AttemptMetricsLayer::new().layer(service_fn(move |_: Request<Body>| answer()));
            tokio_test::assert_ready!(task::spawn(service.call(request())).poll()).unwrap();
        });
        let names = recorded.iter().map(|(name, ..)| &**name).collect::<Vec<_>>();
        assert_eq!(names, ["http.client.active_requests", "http.client.request.duration"]);
        let expected = [
            "http.request.method=DELETE",
            "url.template=/tokens/{id}",
            "server.address=example.com",
            "server.port=443",
            "http.response.status_code=503",
            "error.type=503",
        ];
        assert_eq!(recorded[1].1, expected);
        assert_eq!(recorded[0].2, DebugValue::Gauge(0.0.into()));
    }

    #[test]
    fn an_attempt_that_is_dropped_is_no_longer_in_flight() {
        let recorded = recorded(|| {
            let mut service = AttemptMetricsLayer::new().layer(service_fn(async |_: Request<Body>| {
                std::future::pending::<Result<Response<Body>, BoxError>>().await
            }));
            let mut attempt = task::spawn(service.call(request()));
            assert_pending!(attempt.poll());
        });
        assert_eq!(recorded[0].2, DebugValue::Gauge(0.0.into()));
    }

    #[test]
    fn a_call_is_measured_with_its_attempts_and_waits() {
        let recorded = recorded(|| {
            let mut service = CallMetricsLayer::new().layer(service_fn(|_: Request<Body>| {
                let mut attempts = vec![Attempt::answered(http::StatusCode::OK, Duration::ZERO); 3];
                attempts[0].delay = Some(Duration::from_secs(2));
                attempts[1].delay = Some(Duration::from_secs(3));
                std::future::ready(Response::builder().extension(Attempts(attempts)).body(Body::empty()))
            }));
            tokio_test::assert_ready!(task::spawn(service.call(request())).poll()).unwrap();
        });
        let of = |wanted: &str| recorded.iter().find(|(name, ..)| name == wanted).map(|(.., value)| value);
        assert_eq!(of("http.client.call.attempts"), Some(&DebugValue::Histogram(vec![3.0.into()])));
        assert_eq!(of("http.client.call.wait.duration"), Some(&DebugValue::Histogram(vec![5.0.into()])));
        assert!(of("http.client.call.duration").is_some());
    }
}

//! Limits how long one attempt takes, its body included.
//!
//! Beneath [`retry`](crate::retry), a slow attempt becomes one that can be retried. Above [`collect`](crate::collect), the
//! limit covers the body too.
//!
//! # Differences from tower's and tower-http's
//!
//! tower's `Timeout` ends with the head of the response, and its error doesn't say how long was waited; tower-http's answers
//! 408 in place of failing, which looks like an answer of the server. This one's error is a [`TimeoutError`], and its timer is
//! armed only once the attempt has to wait.
//!
//! ```
//! use std::time::Duration;
//! use http::{Request, Response};
//! use magicbell_middleware::{Body, timeout::{Limit, TimeoutError, TimeoutLayer}};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let service = ServiceBuilder::new()
//!     .layer(TimeoutLayer::new(Duration::from_secs(10)))
//!     .service_fn(async |_: Request<Body>| {
//!         std::future::pending::<()>().await;
//!         Ok::<_, std::io::Error>(Response::new(Body::empty()))
//!     });
//! let error = service.oneshot(Request::new(Body::empty())).await.unwrap_err();
//! let timeout = error.downcast_ref::<TimeoutError>().unwrap();
//! assert_eq!((timeout.limit(), timeout.after()), (Limit::Attempt, Duration::from_secs(10)));
//! # }
//! ```

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep, sleep_until};
use tower_layer::Layer;
use tower_service::Service;

use crate::{BoxError, clock};

/// Limits how long one attempt takes.
#[derive(Debug, Clone, Copy)]
pub struct TimeoutLayer {
    timeout: Duration,
}

impl TimeoutLayer {
    /// Makes a layer that gives each attempt `timeout`, counted from the attempt's first wait; beneath
    /// [`retry`](crate::retry), from the beginning of the poll that came to it.
    #[must_use]
    pub const fn new(timeout: Duration) -> Self {
        Self { timeout }
    }
}

impl<S> Layer<S> for TimeoutLayer {
    type Service = Timeout<S>;

    fn layer(&self, inner: S) -> Timeout<S> {
        Timeout { inner, timeout: self.timeout }
    }
}

/// The service of [`TimeoutLayer`].
#[derive(Debug, Clone)]
pub struct Timeout<S> {
    inner: S,
    timeout: Duration,
}

impl<S, Request> Service<Request> for Timeout<S>
where
    S: Service<Request>,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    // The future is large, and so built in its place.
    #[inline(always)]
    fn call(&mut self, request: Request) -> Self::Future {
        ResponseFuture { inner: self.inner.call(request), timeout: self.timeout, sleep: None }
    }
}

pin_project! {
    /// The future of [`Timeout`].
    ///
    /// # Panics
    ///
    /// When it has to wait outside a tokio runtime whose time driver is enabled.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        timeout: Duration,
        #[pin]
        sleep: Option<Sleep>,
    }
}

impl<F, T, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<T, E>>,
    E: Into<BoxError>,
{
    type Output = Result<T, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Poll::Ready(result) = this.inner.poll(cx) {
            return Poll::Ready(result.map_err(Into::into));
        }
        if this.sleep.is_none() {
            let end = clock::now().checked_add(*this.timeout);
            this.sleep.set(Some(end.map_or_else(|| sleep(*this.timeout), sleep_until)));
        }
        match this.sleep.as_pin_mut().map(|sleep| sleep.poll(cx)) {
            Some(Poll::Ready(())) => Poll::Ready(Err(TimeoutError::new(Limit::Attempt, *this.timeout).into())),
            _ => Poll::Pending,
        }
    }
}

/// Which limit a [`TimeoutError`] speaks of.
///
/// ```
/// use std::time::Duration;
/// use magicbell_middleware::Outcome;
/// use magicbell_middleware::timeout::{Limit, TimeoutError};
///
/// let outcome = |limit| Outcome::of(&TimeoutError::new(limit, Duration::from_secs(5)));
/// assert_eq!(outcome(Limit::Connect), Outcome::NotSent);
/// assert_eq!(outcome(Limit::Attempt), Outcome::Unknown);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// On what gives the credentials. The request was not sent.
    Credentials,
    /// On making a connection: name resolution, TCP and TLS. The request was not sent.
    Connect,
    /// On one attempt, its body included.
    Attempt,
    /// On the whole call: permits, attempts and the waits between them.
    Operation,
}

/// A limit on time was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeoutError {
    limit: Limit,
    after: Duration,
}

impl TimeoutError {
    /// Makes an error of a limit, and the time after which it fired.
    #[must_use]
    pub const fn new(limit: Limit, after: Duration) -> Self {
        Self { limit, after }
    }

    /// Returns which limit fired.
    #[must_use]
    pub const fn limit(&self) -> Limit {
        self.limit
    }

    /// Returns after what time it fired.
    #[must_use]
    pub const fn after(&self) -> Duration {
        self.after
    }
}

impl fmt::Display for TimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.limit {
            Limit::Credentials => "no credentials",
            Limit::Connect => "no connection",
            Limit::Attempt => "no whole answer to the attempt",
            Limit::Operation => "the operation was not over",
        };
        write!(f, "{what} within {:?}", self.after)
    }
}

impl Error for TimeoutError {}

#[cfg(test)]
mod tests {
    use tokio_test::{assert_pending, assert_ready, task};

    use super::*;

    fn future<F>(inner: F, timeout: Duration) -> task::Spawn<ResponseFuture<F>> {
        task::spawn(ResponseFuture { inner, timeout, sleep: None })
    }

    #[tokio::test(start_paused = true)]
    async fn it_fires_at_its_time_and_not_before() {
        let mut attempt = future(std::future::pending::<Result<(), BoxError>>(), Duration::from_secs(10));
        assert_pending!(attempt.poll());
        tokio::time::advance(Duration::from_millis(9_998)).await;
        assert_pending!(attempt.poll());
        tokio::time::advance(Duration::from_millis(3)).await;
        let error = assert_ready!(attempt.poll()).unwrap_err();
        assert_eq!(error.to_string(), "no whole answer to the attempt within 10s");
    }

    #[test]
    fn an_attempt_that_never_waits_needs_no_timer() {
        // Outside a runtime, making a timer would panic.
        let mut attempt = future(std::future::ready(Ok::<_, BoxError>(7)), Duration::ZERO);
        assert_eq!(assert_ready!(attempt.poll()).unwrap(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn a_huge_timeout_does_not_panic() {
        let mut attempt = future(std::future::pending::<Result<(), BoxError>>(), Duration::MAX);
        assert_pending!(attempt.poll());
    }
}

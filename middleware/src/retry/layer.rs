//! The layer and the service.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::call::take_context;
use super::{ResponseFuture, RetryPolicy};
use crate::pace::Pace;
use crate::{Body, BoxError, CallContext};

/// Sends a request again where that is safe and may help.
#[derive(Debug, Clone)]
pub struct RetryLayer {
    policy: RetryPolicy,
    pace: Pace,
    timeout: Option<Duration>,
    attempt_timeout: Option<Duration>,
}

impl RetryLayer {
    /// Makes a layer with a policy, no limit on the time of a call, and a pace that only pauses.
    #[must_use]
    pub fn new(policy: RetryPolicy) -> Self {
        Self { policy, pace: Pace::unlimited(), timeout: None, attempt_timeout: None }
    }

    /// Limits the time of a call: waits for the pace and for the inner service, attempts, and the waits between them. A
    /// [`CallContext`](crate::CallContext)'s own deadline replaces it.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Promises that a [timeout](crate::timeout) beneath ends each attempt after so long. So long as that is before the call's own
    /// limit, no timer is armed for the latter while an attempt is in flight. Where the promise isn't kept, nor is the limit.
    #[must_use]
    pub fn attempts_end_after(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = Some(timeout);
        self
    }

    /// Keeps a pace, and pauses it where the server asks for that.
    #[must_use]
    pub fn pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    #[inline]
    pub(super) fn attempt_timeout(&self) -> Option<Duration> {
        self.attempt_timeout
    }

    #[inline]
    pub(super) fn parts(&self) -> (&RetryPolicy, &Pace, Option<Duration>) {
        (&self.policy, &self.pace, self.timeout)
    }
}

impl<S> Layer<S> for RetryLayer {
    type Service = Retry<S>;

    fn layer(&self, inner: S) -> Retry<S> {
        Retry { inner, config: Arc::new(self.clone()) }
    }
}

/// The service of [`RetryLayer`].
#[derive(Debug, Clone)]
pub struct Retry<S> {
    inner: S,
    config: Arc<RetryLayer>,
}

impl<S: Clone> Retry<S> {
    /// Sends a request, with a context that is given here: it costs less than one in the extensions, where none is looked for.
    ///
    /// A call needs the service by reference alone: where it is shared, there is no clone of it to make first.
    #[inline]
    pub fn send<B>(&self, request: Request<B>, context: Option<CallContext>) -> ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        ResponseFuture::new(self.inner.clone(), request, context, Arc::clone(&self.config))
    }
}

impl<S, B> Service<Request<B>> for Retry<S>
where
    S: Service<Request<B>, Response = Response<Body>> + Clone,
    S::Error: Into<BoxError>,
    B: Clone,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = ResponseFuture<S, B>;

    /// Always ready: an attempt waits for the inner service in its own future.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let context = take_context(&mut request);
        self.send(request, context)
    }
}

//! The layer, for a stack without retry.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::{Request, Response};
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep_until};
use tower_layer::Layer;
use tower_service::Service;

use super::Pace;
use super::lane::Ticket;
use crate::{BoxError, Operation, Safety};

/// The longest pause that a server is granted.
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// Holds each request back as a [`Pace`] wants it, and tells the pace what the answers say.
///
/// It is for a stack without [`retry`](crate::retry), which keeps the pace itself, so that a wait is no attempt's time.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), magicbell_middleware::BoxError> {
/// # use http::{Request, Response};
/// # use magicbell_middleware::Body;
/// # use tower::{ServiceBuilder, ServiceExt};
/// use magicbell_middleware::pace::{Pace, PaceLayer};
///
/// let service = ServiceBuilder::new()
///     .layer(PaceLayer::new(Pace::unlimited()))
///     .service_fn(async |_: Request<Body>| Response::builder().status(429).header("retry-after", 5).body(Body::empty()));
/// let start = tokio::time::Instant::now();
/// for _ in 0..3 {
///     service.clone().oneshot(Request::new(Body::empty())).await?; // the second waits, and so does the third
/// }
/// assert_eq!(start.elapsed().as_secs(), 10);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct PaceLayer {
    pace: Pace,
}

impl PaceLayer {
    /// Makes the layer. A pause that a server asks for is kept for at most 60 s.
    #[must_use]
    pub fn new(pace: Pace) -> Self {
        Self { pace }
    }
}

impl<S> Layer<S> for PaceLayer {
    type Service = Paced<S>;

    fn layer(&self, inner: S) -> Paced<S> {
        Paced { inner, pace: self.pace.clone() }
    }
}

/// The service of [`PaceLayer`].
#[derive(Debug, Clone)]
pub struct Paced<S> {
    inner: S,
    pace: Pace,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Paced<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    S::Error: Into<BoxError>,
{
    type Response = Response<ResBody>;
    type Error = BoxError;
    type Future = ResponseFuture<S, ReqBody>;

    /// Always ready: a request waits for the inner service in its own future, after its turn has come.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        ResponseFuture {
            kind: Operation::safety_of(&request),
            request: Some(request),
            service: self.inner.clone(),
            pace: self.pace.clone(),
            ticket: Ticket::default(),
            state: State::Admitting,
            timer: None,
        }
    }
}

pin_project! {
    /// The future of [`Paced`].
    ///
    /// # Panics
    ///
    /// When it has to wait outside a tokio runtime whose time driver is enabled.
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        kind: Safety,
        request: Option<Request<B>>,
        service: S,
        pace: Pace,
        ticket: Ticket,
        #[pin]
        state: State<S::Future>,
        #[pin]
        timer: Option<Sleep>,
    }

    impl<S, B> PinnedDrop for ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        // Whoever gives up leaves the turn to others.
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            this.pace.give_back(*this.kind, this.ticket);
        }
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F> {
        Admitting,
        Waiting,
        Readying,
        Calling { #[pin] future: F },
    }
}

impl<S: Service<Request<B>>, B> fmt::Debug for ResponseFuture<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
{
    type Output = Result<Response<R>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProj::Admitting => match this.pace.delay(*this.kind, this.ticket, None) {
                    None => State::Readying,
                    Some(until) => {
                        this.timer.set(Some(sleep_until(until)));
                        State::Waiting
                    }
                },
                StateProj::Waiting => {
                    if let Some(timer) = this.timer.as_mut().as_pin_mut() {
                        ready!(timer.poll(cx));
                    }
                    State::Admitting
                }
                StateProj::Readying => {
                    ready!(this.service.poll_ready(cx)).map_err(Into::into)?;
                    if let Some(until) = this.pace.delay(*this.kind, this.ticket, None) {
                        // A pause has begun meanwhile: what was made ready for this request is given back.
                        *this.service = this.service.clone();
                        this.timer.set(Some(sleep_until(until)));
                        State::Waiting
                    } else {
                        match this.request.take() {
                            Some(request) => {
                                *this.ticket = Ticket::default();
                                State::Calling { future: this.service.call(request) }
                            }
                            None => return Poll::Ready(Err("polled after completion".into())),
                        }
                    }
                }
                StateProj::Calling { future } => {
                    let response = ready!(future.poll(cx)).map_err(Into::into)?;
                    this.pace.observe(*this.kind, response.status(), response.headers(), MAX_PAUSE);
                    return Poll::Ready(Ok(response));
                }
            };
            this.state.set(next);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::time::Instant;
    use tower::{ServiceExt as _, service_fn};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_429_holds_the_others_back() {
        let sent = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&sent);
        let service = PaceLayer::new(Pace::unlimited()).layer(service_fn(move |_: Request<()>| {
            let is_first = counter.fetch_add(1, Ordering::Relaxed) == 0;
            let answer = Response::builder().status(if is_first { 429 } else { 200 }).header("retry-after", "7");
            std::future::ready(answer.body(()))
        }));
        let start = Instant::now();
        assert_eq!(service.clone().oneshot(Request::new(())).await.unwrap().status(), 429);
        assert_eq!(service.oneshot(Request::new(())).await.unwrap().status(), 200);
        assert!(start.elapsed() >= Duration::from_secs(7));
    }
}

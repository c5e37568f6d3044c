//! The future of a call: pace, readiness, attempt, wait, and again.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::uri::PathAndQuery;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};
use tower_service::Service;

use super::call::Call;
use super::{InFlight, RetryLayer};
use crate::{Attempt, Body, BoxError, CallContext, clock};

pin_project! {
    /// The future of [`Retry`](super::Retry).
    ///
    /// # Panics
    ///
    /// When it has to wait outside a tokio runtime whose time driver is enabled.
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        service: S,
        call: Call<B>,
        #[pin]
        state: State<S::Future>,
        // One timer, armed when it is first needed, for the deadline and for every wait: a wait that would go past the
        // deadline isn't begun. In a box, since most calls need none and would carry its room about.
        timer: Option<Pin<Box<Sleep>>>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F> {
        /// Before an attempt: has it to wait?
        Admitting,
        /// Until then.
        Waiting { until: Instant },
        /// For the inner service, and whatever it limits.
        Readying,
        Attempting { #[pin] future: F },
        Done,
    }
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    // Inline, since it is large, and so built in its place.
    #[inline(always)]
    pub(super) fn new(service: S, request: Request<B>, context: Option<CallContext>, layer: Arc<RetryLayer>) -> Self {
        Self { service, call: Call::new(request, context, layer), state: State::Admitting, timer: None }
    }
}

impl<S, B> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<Body>> + Clone,
    S::Error: Into<BoxError>,
    B: Clone,
{
    type Output = Result<Response<Body>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let call = this.call;
        // Where an attempt begins in this poll, those beneath reckon from that moment too.
        let mut looked_at = None;
        loop {
            let next = match this.state.as_mut().project() {
                StateProj::Admitting => match call.admit() {
                    Ok(None) => State::Readying,
                    Ok(Some(until)) => State::Waiting { until },
                    Err(error) => return finish(this.state, call.fail(error)),
                },
                StateProj::Waiting { until } => {
                    call.has_waited();
                    ready!(poll_timer(this.timer, *until, cx));
                    State::Admitting
                }
                StateProj::Readying => match this.service.poll_ready(cx) {
                    Poll::Pending => {
                        call.has_waited();
                        ready!(poll_deadline(this.timer, call.deadline(), cx));
                        return finish(this.state, call.out_of_time());
                    }
                    Poll::Ready(Err(error)) => return finish(this.state, call.not_ready(error.into())),
                    // What was ready at once is no later than when it was admitted.
                    Poll::Ready(Ok(())) => match if call.may_have_waited() { call.admit() } else { Ok(None) } {
                        Ok(None) => {
                            // Straight into its place: the largest of the states is moved no more often than it must be.
                            this.state.set(State::Attempting { future: this.service.call(call.begin()) });
                            looked_at = call.moment().map(clock::looked_at);
                            continue;
                        }
                        // A pause has begun meanwhile: what was made ready for this attempt is given back.
                        Ok(Some(until)) => {
                            *this.service = this.service.clone();
                            State::Waiting { until }
                        }
                        Err(error) => {
                            *this.service = this.service.clone();
                            return finish(this.state, call.fail(error));
                        }
                    },
                },
                StateProj::Attempting { future } => {
                    let poll = future.poll(cx);
                    drop(looked_at.take());
                    match poll {
                        Poll::Pending if call.attempt_ends_in_time() => return Poll::Pending,
                        Poll::Pending => {
                            ready!(poll_deadline(this.timer, call.deadline(), cx));
                            return finish(this.state, call.abandoned());
                        }
                        Poll::Ready(result) => {
                            let mut result = result.map_err(Into::into);
                            let Some(until) = call.judge(&mut result) else { return finish(this.state, result) };
                            *this.service = this.service.clone();
                            State::Waiting { until }
                        }
                    }
                }
                StateProj::Done => return Poll::Ready(Err("polled after completion".into())),
            };
            this.state.set(next);
        }
    }
}

/// Ends the call: what is in flight is dropped here, before the answer is out.
fn finish<F, T>(mut state: Pin<&mut State<F>>, result: T) -> Poll<T> {
    state.set(State::Done);
    Poll::Ready(result)
}

fn poll_timer(timer: &mut Option<Pin<Box<Sleep>>>, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
    let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
    if timer.deadline() != at {
        timer.as_mut().reset(at);
    }
    timer.as_mut().poll(cx)
}

fn poll_deadline(timer: &mut Option<Pin<Box<Sleep>>>, deadline: Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
    let Some(deadline) = deadline else { return Poll::Pending };
    match poll_timer(timer, deadline, cx) {
        // What stands around this may have the same deadline, and a timer of its own, which may be told first.
        Poll::Pending if Instant::now() < deadline => Poll::Pending,
        _ => Poll::Ready(()),
    }
}

impl<S: Service<Request<B>>, B> InFlight for ResponseFuture<S, B> {
    fn attempts(&self) -> Vec<Attempt> {
        self.call.attempts()
    }

    fn elapsed(&self) -> Duration {
        self.call.elapsed()
    }

    fn path_and_query(&self) -> Option<&PathAndQuery> {
        self.call.path_and_query()
    }
}

impl<S: Service<Request<B>>, B> fmt::Debug for ResponseFuture<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

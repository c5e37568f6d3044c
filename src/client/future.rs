//! The futures of a call.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::response::Parts;
use http::uri::PathAndQuery;
use magicbell_middleware::timeout::{Limit, TimeoutError};
use magicbell_middleware::{Attempt, Attempts, Body, CallContext, Safety};
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

use super::client_type::Shared;
use super::stack::StackFuture;
use super::{Client, Response};
use crate::endpoint::Answer;
use crate::error::{DecodeError, Error, Failure};

/// Reads a success.
type Decode<T> = fn(&Answer<'_>) -> Result<T, DecodeError>;

pin_project! {
    /// The future of [`Call::send`](super::Call::send): the whole answer.
    ///
    /// Dropping it cancels the call; whether the request was applied is then unknown.
    #[must_use = "futures do nothing unless polled"]
    pub struct SendCall<T> {
        #[pin]
        sending: Sending,
        decode: Decode<T>,
    }
}

pin_project! {
    /// The future of [`Client::execute`]: what was read from the answer.
    ///
    /// Dropping it cancels the call; whether the request was applied is then unknown.
    #[must_use = "futures do nothing unless polled"]
    pub struct Execute<T> {
        #[pin]
        inner: SendCall<T>,
    }
}

impl<T> SendCall<T> {
    pub(super) fn new(sending: Sending, decode: Decode<T>) -> Self {
        Self { sending, decode }
    }

    /// Says whether the request can't be sent as it is: then the first poll says why, and nothing is sent.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.sending.state, State::Failed(_))
    }

    /// Returns what is known of a call that hasn't ended: its attempts, the one in flight among them, and the time that it has
    /// taken.
    pub(crate) fn so_far(&self) -> (Vec<Attempt>, Duration) {
        let attempts = self.sending.context.as_ref().map(CallContext::attempts);
        let elapsed = self.sending.start.map(|start| start.elapsed());
        (attempts.unwrap_or_default(), elapsed.unwrap_or_default())
    }

    /// Polls for the parts that a [`Response`] is made of, which not everybody needs.
    pub(crate) fn poll_parts(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(Parts, T, Duration), Error>> {
        let mut this = self.project();
        let result = ready!(this.sending.as_mut().poll_answer(cx));
        Poll::Ready(result.and_then(|response| this.sending.read(response, *this.decode)))
    }
}

impl<T> Execute<T> {
    pub(super) fn new(inner: SendCall<T>) -> Self {
        Self { inner }
    }
}

impl<T> Future for SendCall<T> {
    type Output = Result<Response<T>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_parts(cx).map_ok(|(parts, data, elapsed)| Response::new(parts, data, elapsed))
    }
}

impl<T> Future for Execute<T> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().inner.poll_parts(cx).map_ok(|(_, data, _)| data)
    }
}

impl<T> fmt::Debug for SendCall<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendCall").field("operation", &self.sending.operation).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Execute<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execute").field("operation", &self.inner.sending.operation).finish_non_exhaustive()
    }
}

pin_project! {
    /// A call in flight, whatever its answer is read into.
    pub(super) struct Sending {
        shared: Arc<Shared>,
        operation: &'static str,
        template: &'static str,
        safety: Safety,
        // When it was first polled.
        start: Option<Instant>,
        path: Option<PathAndQuery>,
        context: Option<CallContext>,
        state: State,
        // For the caller's layers around the call; what is beneath them keeps the same deadline itself. In a box, so that a call
        // without such layers doesn't carry its room about.
        deadline: Option<Pin<Box<Sleep>>>,
    }
}

enum State {
    Failed(Option<Error>),
    InFlight(StackFuture),
}

impl Sending {
    pub(super) fn new(client: &Client, operation: &'static str, template: &'static str, safety: Safety) -> Self {
        Self {
            shared: Arc::clone(&client.shared),
            operation,
            template,
            safety,
            start: None,
            path: None,
            context: None,
            state: State::Failed(None),
            deadline: None,
        }
    }

    pub(super) fn failed(&mut self, error: Error) {
        self.state = State::Failed(Some(error));
    }

    pub(super) fn start(&mut self, future: StackFuture, path: Option<PathAndQuery>, context: Option<CallContext>) {
        self.state = State::InFlight(future);
        self.path = path;
        self.context = context;
    }

    fn poll_answer(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<http::Response<Body>, Error>> {
        let this = self.project();
        if this.start.is_none() {
            let now = Instant::now();
            *this.start = Some(now);
            this.context.as_ref().map(|context| context.begin(now.into_std()));
        }
        let start = *this.start;
        let result = match this.state {
            State::Failed(error) => {
                let error = error.take().unwrap_or_else(|| Error::configuration("polled after completion"));
                return Poll::Ready(Err(error));
            }
            State::InFlight(future) => match future.poll(cx) {
                Poll::Ready(result) => result,
                Poll::Pending => match this.context.as_ref().and_then(CallContext::deadline) {
                    Some(deadline) if this.shared.has_outer_layers => {
                        let deadline = Instant::from_std(deadline);
                        let timer = this.deadline.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
                        ready!(timer.as_mut().poll(cx));
                        let after = start.map(|start| deadline.saturating_duration_since(start));
                        Err(TimeoutError::new(Limit::Operation, after.unwrap_or_default()).into())
                    }
                    _ => return Poll::Pending,
                },
            },
        };
        // What is in flight is dropped before the answer is out.
        *this.state = State::Failed(None);
        let result = match (result, &this.context) {
            (Ok(response), Some(context)) => Ok(with_record(response, context)),
            (result, _) => result,
        };
        let failed = match result {
            Ok(response) if response.status().is_success() => return Poll::Ready(Ok(response)),
            failed => failed,
        };
        let failure = Failure {
            operation: this.operation,
            safety: *this.safety,
            elapsed: elapsed_since(start),
            redactor: &this.shared.redactor,
            record: this.context.as_ref().map(CallContext::attempts),
        };
        Poll::Ready(Err(match failed {
            Ok(response) => failure.by_status(response),
            Err(error) => failure.without_answer(error),
        }))
    }

    fn read<T>(
        self: Pin<&mut Self>,
        response: http::Response<Body>,
        decode: Decode<T>,
    ) -> Result<(Parts, T, Duration), Error> {
        let elapsed = elapsed_since(self.start);
        let path = self.path.as_ref().map_or("", PathAndQuery::as_str);
        let path = path.get(self.shared.base_url.path_len()..).unwrap_or_default();
        match decode(&Answer::new(self.template, path, &response)) {
            Ok(data) => Ok((response.into_parts().0, data, elapsed)),
            Err(error) => {
                let redactor = &self.shared.redactor;
                let (operation, safety) = (self.operation, self.safety);
                Err(Failure { operation, safety, elapsed, redactor, record: None }.unreadable(response, error))
            }
        }
    }
}

/// Returns how long a call has taken since its first poll.
fn elapsed_since(start: Option<Instant>) -> Duration {
    start.map_or(Duration::ZERO, |start| start.elapsed())
}

/// Has the answer carry all attempts of its call: a layer of the caller's may have made the call more than once, or have
/// answered itself, after an attempt had failed or without any.
fn with_record(mut response: http::Response<Body>, context: &CallContext) -> http::Response<Body> {
    if !context.was_answered_at_once(response.status()) {
        response.extensions_mut().insert(Attempts(context.attempts()));
    }
    response
}

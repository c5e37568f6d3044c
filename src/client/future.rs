//! The futures of a call.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::uri::PathAndQuery;
use magicbell_middleware::retry::InFlight;
use magicbell_middleware::{Attempt, Body, Operation};
use pin_project_lite::pin_project;

use super::client_type::Shared;
use super::stack::StackFuture;
use super::{Client, Response};
use crate::error::{DecodeError, Error, Failure};

/// Reads a success, given the path that was sent, below the base URL and without its query.
type Decode<T> = fn(&str, &http::Response<Body>) -> Result<T, DecodeError>;

pin_project! {
    /// The future of [`Call::send`](super::Call::send): the whole answer.
    ///
    /// Dropping it cancels the call; whether the request was applied is then unknown.
    ///
    /// It borrows neither client nor request, so calls of any kind can be awaited together:
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use magicbell::jwt::{FetchProjectTokens, FetchUserTokens};
    /// use magicbell::testing::Server;
    ///
    /// let server = Server::start().await?;
    /// let client = server.client();
    /// server.add_user_tokens("hana", 2);
    ///
    /// let project = client.request(FetchProjectTokens::builder().build()).send();
    /// let hana = client.request(FetchUserTokens::builder().user_id("hana").build()).send();
    /// let (project, hana) = tokio::try_join!(project, hana)?;
    /// assert_eq!((project.data().data.len(), hana.data().data.len()), (1, 2));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "futures do nothing unless polled"]
    pub struct SendCall<T> {
        sending: Sending,
        decode: Decode<T>,
    }
}

pin_project! {
    /// The future of [`Client::execute`]: what was read from the answer.
    ///
    /// Dropping it cancels the call; whether the request was applied is then unknown.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use magicbell::{jwt::CreateUserJwt, testing::Server};
    ///
    /// let server = Server::start().await?;
    /// let creating = server.client().execute(CreateUserJwt::builder().external_id("hana").build());
    /// assert_eq!(server.request_count(), 0, "nothing is sent until it is polled");
    ///
    /// // It borrows nothing, so it can be a task.
    /// tokio::spawn(creating).await??;
    /// assert_eq!(server.user_tokens("hana").len(), 1);
    /// # Ok(())
    /// # }
    /// ```
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
    pub(crate) fn so_far(self: Pin<&mut Self>) -> (Vec<Attempt>, Duration) {
        let in_flight = self.project().sending.in_flight();
        in_flight.map(|call| (call.attempts(), call.elapsed())).unwrap_or_default()
    }

    /// Polls, and makes what is wanted of a success before the call is dropped. What isn't taken out of the answer goes with it.
    pub(crate) fn poll_with<R>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        make: impl FnOnce(&mut http::Response<Body>, T, &mut Sending) -> R,
    ) -> Poll<Result<R, Error>> {
        let this = self.project();
        let sending = this.sending;
        // Taken apart where it is: each function that passes it on would move it.
        let mut result = match &mut sending.state {
            State::InFlight(future) => ready!(future.poll(cx)),
            State::Failed(error) => {
                let error = error.take().unwrap_or_else(|| Error::configuration("polled after completion"));
                return Poll::Ready(Err(error));
            }
        };
        let result = match result {
            // By reference: what isn't taken out of a success is moved nowhere.
            Ok(ref mut response) if response.status().is_success() => match sending.read(response, *this.decode) {
                Ok(data) => Ok(make(response, data, sending)),
                Err(error) => {
                    let failure = Failure { record: None, ..sending.failure() };
                    Err(failure.unreadable(std::mem::take(response), error))
                }
            },
            Ok(response) => Err(sending.failure().by_status(response)),
            Err(error) => Err(sending.failure().without_answer(error)),
        };
        // What is in flight is dropped before the answer is out.
        sending.state = State::Failed(None);
        Poll::Ready(result)
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
        self.poll_with(cx, |response, data, sending| Response::new(response, data, sending.elapsed()))
    }
}

impl<T> Future for Execute<T> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().inner.poll_with(cx, |_, data, _| data)
    }
}

impl<T> fmt::Debug for SendCall<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendCall").field("operation", &self.sending.operation.name()).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Execute<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execute").field("operation", &self.inner.sending.operation.name()).finish_non_exhaustive()
    }
}

/// A call in flight, whatever its answer is read into.
pub(crate) struct Sending {
    shared: Arc<Shared>,
    operation: &'static Operation,
    state: State,
}

enum State {
    Failed(Option<Error>),
    InFlight(StackFuture),
}

impl Sending {
    pub(super) fn new(client: &Client, operation: &'static Operation, prepared: Result<StackFuture, Error>) -> Self {
        let state = prepared.map_or_else(|error| State::Failed(Some(error)), State::InFlight);
        Self { shared: Arc::clone(&client.shared), operation, state }
    }

    fn read<T>(&mut self, response: &http::Response<Body>, decode: Decode<T>) -> Result<T, DecodeError> {
        let base_len = self.shared.base_url.path_len();
        let path = self.in_flight().and_then(InFlight::path_and_query).map_or("", PathAndQuery::path);
        decode(path.get(base_len..).unwrap_or_default(), response)
    }

    /// Returns what is known of the call, until it is dropped.
    fn in_flight(&mut self) -> Option<&dyn InFlight> {
        match &mut self.state {
            State::InFlight(future) => Some(future.in_flight()),
            State::Failed(_) => None,
        }
    }

    pub(crate) fn elapsed(&mut self) -> Duration {
        self.in_flight().map(InFlight::elapsed).unwrap_or_default()
    }

    fn failure(&mut self) -> Failure<'_> {
        let elapsed = self.elapsed();
        // Retry's own error tells what it did; a layer of the caller's may have had it do more than that, or less.
        let has_record = self.shared.has_outer_layers;
        let record = self.in_flight().filter(|_| has_record).map(InFlight::attempts);
        let (operation, safety) = (self.operation.name(), self.operation.safety());
        Failure { operation, safety, elapsed, redactor: &self.shared.redactor, record }
    }
}

//! The future: ask, send, and look at a 401.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response, StatusCode};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::Credentials;
use super::bearer::sensitive;
use crate::{AttemptError, BoxError, find_source};
#[cfg(feature = "collect")]
use crate::{collect::ResponseBodyError, outcome::lost_answer};

pin_project! {
    /// The future of [`Auth`].
    pub struct ResponseFuture<C, S, B>
    where
        C: Credentials,
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<C, S, B>,
        credentials: Arc<C>,
        sent: Option<HeaderValue>,
    }
}

pin_project! {
    #[project = StateProj]
    pub(super) enum State<C, S, B>
    where
        C: Credentials,
        S: Service<Request<B>>,
    {
        Asking { #[pin] future: C::Future, next: Option<(S, Request<B>)> },
        Calling { #[pin] future: S::Future },
    }
}

impl<C: Credentials, S: Service<Request<B>>, B> ResponseFuture<C, S, B> {
    pub(super) fn new(state: State<C, S, B>, credentials: Arc<C>) -> Self {
        Self { state, credentials, sent: None }
    }
}

impl<C: Credentials, S: Service<Request<B>>, B> fmt::Debug for ResponseFuture<C, S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

impl<C, S, B, R> Future for ResponseFuture<C, S, B>
where
    C: Credentials,
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
{
    type Output = Result<Response<R>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProj::Asking { future, next } => {
                    let value = sensitive(ready!(future.poll(cx)).map_err(not_sent)?);
                    let Some((mut service, mut request)) = next.take() else {
                        return Poll::Ready(Err("polled after completion".into()));
                    };
                    // The 401 that this one follows stands: the same value would meet it again.
                    if request.extensions().get::<Refused>().is_some_and(|refused| refused.0 == value) {
                        return Poll::Ready(Err(AttemptError::not_sent(RefusedAgain).permanent().into()));
                    }
                    *this.sent = Some(value.clone());
                    request.headers_mut().insert(AUTHORIZATION, value);
                    this.state.set(State::Calling { future: service.call(request) });
                }
                StateProj::Calling { future } => {
                    let mut result = ready!(future.poll(cx)).map_err(Into::into);
                    let is_refused = status_of(&result) == Some(StatusCode::UNAUTHORIZED);
                    let refused = this.sent.take().filter(|sent| is_refused && this.credentials.refused(sent));
                    if let (Ok(response), Some(refused)) = (&mut result, refused) {
                        response.extensions_mut().insert(Refused(refused));
                    }
                    return Poll::Ready(result);
                }
            }
        }
    }
}

/// Returns the status, where one arrived, even if the body didn't.
fn status_of<R>(result: &Result<Response<R>, BoxError>) -> Option<StatusCode> {
    match result {
        Ok(response) => Some(response.status()),
        #[cfg(feature = "collect")]
        Err(error) => lost_answer(&**error).map(ResponseBodyError::status),
        #[cfg(not(feature = "collect"))]
        Err(_) => None,
    }
}

/// The value that was refused: in the extensions of a 401 after which the next attempt would carry another, and in those of the
/// request that follows it.
#[derive(Debug, Clone)]
pub(crate) struct Refused(HeaderValue);

/// The value would be the one that was refused, and so nothing was sent.
#[derive(Debug)]
pub(crate) struct RefusedAgain;

impl fmt::Display for RefusedAgain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the credentials gave what had been refused")
    }
}

impl Error for RefusedAgain {}

/// Without credentials nothing is sent. Credentials that failed for good stay so.
fn not_sent(error: BoxError) -> AttemptError {
    let is_permanent = find_source::<AttemptError>(&*error).is_some_and(|error| !error.is_transient());
    let error = AttemptError::not_sent(error);
    if is_permanent { error.permanent() } else { error }
}

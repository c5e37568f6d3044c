//! Authorizes each attempt.
//!
//! [`AuthLayer`] asks its [`Credentials`] for every attempt, so that a token that was rotated in between is used at once. It
//! belongs innermost, where no other layer sees the token. The header is inserted, never appended, and marked sensitive.
//!
//! # Differences from tower-http's `AddAuthorizationLayer`
//!
//! Its `bearer` panics on a token that is no header value; [`bearer`] returns an error, and also refuses what a header could
//! carry but no server would take: a pasted `Bearer ` prefix, spaces, letters outside ASCII.
//!
//! ```
//! use http::{Request, Response, header::AUTHORIZATION};
//! use magicbell_middleware::{Body, auth::{AuthLayer, RotatingCredentials, bearer}};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), magicbell_middleware::BoxError> {
//! let credentials = RotatingCredentials::new(bearer("first")?);
//! let service = ServiceBuilder::new()
//!     .layer(AuthLayer::new(credentials.clone()))
//!     .service_fn(async |request: Request<Body>| {
//!         assert_eq!(request.headers()[AUTHORIZATION], "Bearer second");
//!         Ok::<_, std::io::Error>(Response::new(Body::empty()))
//!     });
//! credentials.set(bearer("second")?);
//! service.oneshot(Request::new(Body::empty())).await?;
//! # Ok(())
//! # }
//! ```

use std::error::Error;
use std::fmt;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll, ready};

use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::{AttemptError, BoxError};

/// Makes the value of an `Authorization: Bearer` header, marked sensitive.
///
/// # Errors
///
/// [`InvalidToken`] where the token is empty, has anything but visible ASCII in it, or begins with the scheme's name.
pub fn bearer(token: &str) -> Result<HeaderValue, InvalidToken> {
    if token.is_empty() {
        return Err(InvalidToken::Empty);
    }
    if token.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("bearer ")) {
        return Err(InvalidToken::Prefix);
    }
    if let Some(position) = token.bytes().position(|byte| !byte.is_ascii_graphic()) {
        return Err(InvalidToken::Character { position });
    }
    let mut value =
        HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| InvalidToken::Character { position: 0 })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Why a token can't be sent. No variant holds any of its characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidToken {
    /// It is empty.
    Empty,
    /// It begins with `Bearer `, which is the scheme and not part of the token.
    Prefix,
    /// A byte of it isn't visible ASCII: a space, a line break, a letter outside ASCII.
    Character {
        /// Where the first such byte is, counted from 0.
        position: usize,
    },
}

impl fmt::Display for InvalidToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the token is empty"),
            Self::Prefix => f.write_str("the token begins with 'Bearer ': leave that out, it is added"),
            Self::Character { position } => write!(f, "byte {position} of the token is not visible ASCII"),
        }
    }
}

impl Error for InvalidToken {}

/// Gives the value of the `Authorization` header, for each attempt anew.
///
/// A closure that returns a future is one too.
pub trait Credentials: Send + Sync + 'static {
    /// The future of [`authorization`](Self::authorization).
    type Future: Future<Output = Result<HeaderValue, BoxError>> + Send + 'static;

    /// Returns the value for the next attempt; [`bearer`] makes one of a token. An error ends the attempt before it is sent.
    fn authorization(&self) -> Self::Future;
}

impl<F, R> Credentials for F
where
    F: Fn() -> R + Send + Sync + 'static,
    R: Future<Output = Result<HeaderValue, BoxError>> + Send + 'static,
{
    type Future = R;

    fn authorization(&self) -> R {
        self()
    }
}

/// Credentials that can be replaced while calls are in flight: the next attempt uses the new ones. Clones share them.
#[derive(Debug, Clone)]
pub struct RotatingCredentials {
    current: Arc<RwLock<HeaderValue>>,
}

impl RotatingCredentials {
    /// Starts with a value; [`bearer`] makes one of a token.
    #[must_use]
    pub fn new(value: HeaderValue) -> Self {
        Self { current: Arc::new(RwLock::new(sensitive(value))) }
    }

    /// Replaces the value.
    pub fn set(&self, value: HeaderValue) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = sensitive(value);
    }
}

impl Credentials for RotatingCredentials {
    type Future = Ready<Result<HeaderValue, BoxError>>;

    fn authorization(&self) -> Self::Future {
        ready(Ok(self.current.read().unwrap_or_else(PoisonError::into_inner).clone()))
    }
}

fn sensitive(mut value: HeaderValue) -> HeaderValue {
    value.set_sensitive(true);
    value
}

/// Authorizes each attempt with what its [`Credentials`] give.
pub struct AuthLayer<C> {
    credentials: Arc<C>,
}

impl<C> AuthLayer<C> {
    /// Makes the layer.
    pub fn new(credentials: C) -> Self {
        Self { credentials: Arc::new(credentials) }
    }
}

impl<C> Clone for AuthLayer<C> {
    fn clone(&self) -> Self {
        Self { credentials: Arc::clone(&self.credentials) }
    }
}

impl<C> fmt::Debug for AuthLayer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthLayer").finish_non_exhaustive()
    }
}

impl<C, S> Layer<S> for AuthLayer<C> {
    type Service = Auth<C, S>;

    fn layer(&self, inner: S) -> Auth<C, S> {
        Auth { inner, credentials: Arc::clone(&self.credentials) }
    }
}

/// The service of [`AuthLayer`].
pub struct Auth<C, S> {
    inner: S,
    credentials: Arc<C>,
}

impl<C, S: Clone> Clone for Auth<C, S> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), credentials: Arc::clone(&self.credentials) }
    }
}

impl<C, S: fmt::Debug> fmt::Debug for Auth<C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<C, S, B> Service<Request<B>> for Auth<C, S>
where
    C: Credentials,
    S: Service<Request<B>> + Clone,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = ResponseFuture<C::Future, S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let clone = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, clone);
        let state = State::Asking { future: self.credentials.authorization(), next: Some((ready, request)) };
        ResponseFuture { state }
    }
}

pin_project! {
    /// The future of [`Auth`].
    pub struct ResponseFuture<A, S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<A, S, B>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<A, S, B>
    where
        S: Service<Request<B>>,
    {
        Asking { #[pin] future: A, next: Option<(S, Request<B>)> },
        Calling { #[pin] future: S::Future },
    }
}

impl<A, S: Service<Request<B>>, B> fmt::Debug for ResponseFuture<A, S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

impl<A, S, B> Future for ResponseFuture<A, S, B>
where
    A: Future<Output = Result<HeaderValue, BoxError>>,
    S: Service<Request<B>>,
    S::Error: Into<BoxError>,
{
    type Output = Result<S::Response, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProj::Asking { future, next } => {
                    let value = ready!(future.poll(cx)).map_err(AttemptError::not_sent)?;
                    let Some((mut service, mut request)) = next.take() else {
                        return Poll::Ready(Err("polled after completion".into()));
                    };
                    request.headers_mut().insert(AUTHORIZATION, sensitive(value));
                    this.state.set(State::Calling { future: service.call(request) });
                }
                StateProj::Calling { future } => return future.poll(cx).map_err(Into::into),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tower::{ServiceExt as _, service_fn};

    use super::*;
    use crate::Outcome;

    #[test]
    fn tokens_that_no_server_would_take_are_refused_without_an_echo() {
        assert_eq!(bearer(""), Err(InvalidToken::Empty));
        assert_eq!(bearer("Bearer abc"), Err(InvalidToken::Prefix));
        assert_eq!(bearer("bearer abc"), Err(InvalidToken::Prefix));
        for (token, position) in [("a b", 1), ("ab\r\nx", 2), (" a", 0), ("a\t", 1), ("aé", 1), ("a\u{7f}", 1)] {
            assert_eq!(bearer(token), Err(InvalidToken::Character { position }), "{token:?}");
        }
    }

    #[test]
    fn the_value_is_sensitive() {
        let value = bearer("eyJ").unwrap();
        assert!(value.is_sensitive());
        assert!(!format!("{value:?}").contains("eyJ"));
    }

    #[tokio::test]
    async fn a_second_authorization_header_is_never_sent() {
        let service = AuthLayer::new(RotatingCredentials::new(bearer("mine").unwrap())).layer(service_fn(
            async |request: Request<()>| {
                let all = request.headers().get_all(AUTHORIZATION).iter().cloned().collect::<Vec<_>>();
                Ok::<_, Infallible>(all)
            },
        ));
        let request = Request::builder().header(AUTHORIZATION, "Bearer theirs").body(()).unwrap();
        let sent = service.oneshot(request).await.unwrap();
        assert_eq!(sent, ["Bearer mine"]);
        assert!(sent[0].is_sensitive());
    }

    #[tokio::test]
    async fn credentials_that_fail_mean_not_sent() {
        let service = AuthLayer::new(|| async { Err::<HeaderValue, BoxError>("vault sealed".into()) })
            .layer(service_fn(async |_: Request<()>| Ok::<_, Infallible>(())));
        let error = service.oneshot(Request::new(())).await.unwrap_err();
        assert_eq!(Outcome::of(&*error), Outcome::NotSent);
    }
}

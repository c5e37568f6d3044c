//! What the builder holds whose types are the caller's: erased when it is given.

use std::any::Any;
use std::fmt;
use std::future::Ready;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::{HeaderValue, Request, Response};
use magicbell_middleware::auth::{Credentials, FetchedFuture};
use magicbell_middleware::timeout::{Limit, TimeoutError};
use magicbell_middleware::{Body, BoxError};
use tokio::time::{Timeout, timeout};
use tower::Service;

use super::headers::Headers;
use super::layered::BoxLayer;
use super::stack::{Settings, Stack, assemble};
use crate::error::{CredentialsError, Redactor};
#[cfg(feature = "_transport")]
use crate::transport::RootCertificates;

/// Puts the stack over a transport of the caller's.
type Assemble = Box<dyn FnOnce(Settings) -> Box<dyn Stack> + Send + Sync>;

/// What the builder holds whose types are the caller's, and what may be given more than once.
#[derive(Default)]
pub(super) struct Extra {
    pub(super) layers: Vec<BoxLayer>,
    pub(super) attempt_layers: Vec<BoxLayer>,
    pub(super) headers: Headers,
    pub(super) transport: Option<Assemble>,
    #[cfg(feature = "_transport")]
    pub(super) roots: RootCertificates,
}

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extra")
            .field("layers", &self.layers.len())
            .field("attempt_layers", &self.attempt_layers.len())
            .finish_non_exhaustive()
    }
}

/// Erases a transport.
pub(super) fn erase_transport<T, B>(transport: T) -> Assemble
where
    T: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
    T::Error: Into<BoxError>,
    T::Future: Send + 'static,
    B: http_body::Body<Error: Into<BoxError>> + Send + 'static,
{
    Box::new(move |settings| assemble(settings, transport))
}

/// Credentials of the caller's, erased. They have to be given in time, and the redactor is told of each value.
#[derive(Clone)]
pub(super) struct ErasedCredentials {
    inner: Arc<dyn DynCredentials>,
    redactor: Redactor,
    timeout: Duration,
}

trait DynCredentials: Send + Sync {
    /// Asks, and returns at once what is there at once.
    fn ask(&self, cx: &mut Context<'_>) -> Asked;
    fn refused(&self, authorization: &HeaderValue) -> bool;
}

type Given = Result<HeaderValue, BoxError>;
type BoxedFuture = Pin<Box<dyn Future<Output = Given> + Send>>;

enum Asked {
    Given(Given),
    Waiting(BoxedFuture),
}

impl<C: Credentials> DynCredentials for C {
    fn ask(&self, cx: &mut Context<'_>) -> Asked {
        let mut future = Credentials::authorization(self);
        let known = poll_known(&mut future, cx);
        if let Some(Poll::Ready(given)) = known {
            return Asked::Given(given);
        }
        let mut future = Box::pin(future);
        match known.unwrap_or_else(|| future.as_mut().poll(cx)) {
            Poll::Ready(given) => Asked::Given(given),
            Poll::Pending => Asked::Waiting(future),
        }
    }

    fn refused(&self, authorization: &HeaderValue) -> bool {
        Credentials::refused(self, authorization)
    }
}

/// Polls a future of this library's own kinds of credentials, which may be moved afterwards: of these, nearly all have what is
/// asked for, and need no box.
fn poll_known<F: 'static>(future: &mut F, cx: &mut Context<'_>) -> Option<Poll<Given>> {
    let future = future as &mut dyn Any;
    if let Some(kept) = future.downcast_mut::<Ready<Given>>() {
        return Some(Pin::new(kept).poll(cx));
    }
    future.downcast_mut::<FetchedFuture>().map(|fetched| Pin::new(fetched).poll(cx))
}

impl ErasedCredentials {
    pub(super) fn new(credentials: impl Credentials) -> Self {
        Self { inner: Arc::new(credentials), redactor: Redactor::default(), timeout: Duration::MAX }
    }

    pub(super) fn with(self, redactor: Redactor, timeout: Duration) -> Self {
        Self { redactor, timeout, ..self }
    }
}

impl Credentials for ErasedCredentials {
    type Future = Authorization;

    fn authorization(&self) -> Authorization {
        Authorization { credentials: self.clone(), waiting: None }
    }

    fn refused(&self, authorization: &HeaderValue) -> bool {
        self.inner.refused(authorization)
    }
}

/// What was asked for, in time, and told to the redactor.
pub(super) struct Authorization {
    credentials: ErasedCredentials,
    waiting: Option<Pin<Box<Timeout<BoxedFuture>>>>,
}

impl Future for Authorization {
    type Output = Given;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Given> {
        let Self { credentials: ErasedCredentials { inner, redactor, timeout: limit }, waiting } = &mut *self;
        let given = match waiting {
            Some(waiting) => ready!(waiting.as_mut().poll(cx)),
            None => match inner.ask(cx) {
                Asked::Given(given) => Ok(given),
                // A limit of its own, which ends before the attempt's: that one can't tell that nothing was sent. No timer is armed
                // for what is there at once.
                Asked::Waiting(future) => ready!(waiting.insert(Box::pin(timeout(*limit, future))).as_mut().poll(cx)),
            },
        };
        let given = given.map_err(|_| BoxError::from(TimeoutError::new(Limit::Credentials, *limit)))?;
        let value = given.map_err(CredentialsError)?;
        if redactor.learn(&value) {
            return Poll::Ready(Ok(value));
        }
        // No server would take it, so it is told what one would say: what is kept is given up.
        inner.refused(&value);
        Poll::Ready(Err(CredentialsError("their value is empty, or a scheme alone".into()).into()))
    }
}

//! What the builder holds whose types are the caller's: erased when it is given.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::{HeaderValue, Request, Response};
use magicbell_middleware::auth::Credentials;
use magicbell_middleware::timeout::{Limit, TimeoutError};
use magicbell_middleware::{Body, BoxError};
use tokio::time::timeout;
use tower::Service;

use super::headers::Headers;
use super::layered::BoxLayer;
use super::stack::{Settings, Stack, assemble};
use crate::error::{CredentialsError, Redactor};
#[cfg(feature = "_transport")]
use crate::transport::RootCertificates;

/// Puts the stack over a transport of the caller's.
type Assemble = Box<dyn FnOnce(Settings) -> Box<dyn Stack> + Send + Sync>;
type AuthorizationFuture = Pin<Box<dyn Future<Output = Result<HeaderValue, BoxError>> + Send>>;

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
    fn authorization(&self) -> AuthorizationFuture;
    fn refused(&self, authorization: &HeaderValue) -> bool;
}

impl<C: Credentials> DynCredentials for C {
    fn authorization(&self) -> AuthorizationFuture {
        Box::pin(Credentials::authorization(self))
    }

    fn refused(&self, authorization: &HeaderValue) -> bool {
        Credentials::refused(self, authorization)
    }
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
    type Future = AuthorizationFuture;

    fn authorization(&self) -> AuthorizationFuture {
        let (mut authorization, redactor, limit) = (self.inner.authorization(), self.redactor.clone(), self.timeout);
        Box::pin(async move {
            // A limit of its own, which ends before the attempt's: that one can't tell that nothing was sent. No timer is armed for
            // what is there at once.
            let given = match poll_fn(|cx| Poll::Ready(authorization.as_mut().poll(cx))).await {
                Poll::Ready(given) => given,
                Poll::Pending => match timeout(limit, authorization).await {
                    Ok(given) => given,
                    Err(_) => return Err(TimeoutError::new(Limit::Credentials, limit).into()),
                },
            };
            let value = given.map_err(CredentialsError)?;
            redactor.learn(&value);
            Ok(value)
        })
    }

    fn refused(&self, authorization: &HeaderValue) -> bool {
        self.inner.refused(authorization)
    }
}

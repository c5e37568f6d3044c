//! Credentials that can be replaced.

use std::future::{Ready, ready};
use std::sync::{Arc, PoisonError, RwLock};

use http::HeaderValue;

use super::Credentials;
use super::bearer::sensitive;
use crate::BoxError;

/// Credentials that can be replaced while calls are in flight: the next attempt uses the new ones. Clones share them.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), magicbell_middleware::BoxError> {
/// use magicbell_middleware::auth::{Credentials, RotatingCredentials, bearer};
///
/// let credentials = RotatingCredentials::new(bearer("old")?);
/// let sent = credentials.authorization().await?;
/// credentials.clone().set(bearer("new")?); // by whoever rotates it
/// // So a 401 to what was sent is worth another attempt, and a 401 to the new one isn't.
/// assert!(credentials.refused(&sent) && !credentials.refused(&bearer("new")?));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct RotatingCredentials {
    current: Arc<RwLock<HeaderValue>>,
}

impl RotatingCredentials {
    /// Starts with a value; [`bearer`](super::bearer) makes one of a token.
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

    /// Another one has been set since.
    fn refused(&self, authorization: &HeaderValue) -> bool {
        *self.current.read().unwrap_or_else(PoisonError::into_inner) != *authorization
    }
}

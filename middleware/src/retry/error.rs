//! What a call failed with, and all that it tried.

use std::error::Error;
use std::fmt;

use crate::{Attempt, BoxError, Outcome};

/// A call got no whole answer: the last error, and what each attempt met.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), magicbell_middleware::BoxError> {
/// # use http::Request;
/// # use magicbell_middleware::Body;
/// # use tower::{ServiceBuilder, ServiceExt};
/// use magicbell_middleware::retry::{RetryError, RetryLayer, RetryPolicy};
/// use magicbell_middleware::{AttemptError, Outcome};
///
/// let service = ServiceBuilder::new()
///     .layer(RetryLayer::new(RetryPolicy::default()))
///     .service_fn(async |_: Request<Body>| Err::<http::Response<Body>, _>(AttemptError::not_sent("refused")));
/// let error = service.oneshot(Request::post("/tokens").body(Body::empty())?).await.unwrap_err();
/// let error = error.downcast_ref::<RetryError>().ok_or("retry says what it tried")?;
/// assert_eq!((error.attempts().len(), error.outcome()), (3, Outcome::NotSent));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RetryError {
    attempts: Vec<Attempt>,
    source: BoxError,
}

impl RetryError {
    pub(super) fn new(attempts: Vec<Attempt>, source: BoxError) -> Self {
        Self { attempts, source }
    }

    /// Returns what each attempt met, the first one first. Where the deadline passed before any was sent, there is none.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// Takes the attempts and the last error apart.
    #[must_use]
    pub fn into_parts(self) -> (Vec<Attempt>, BoxError) {
        (self.attempts, self.source)
    }

    /// Returns what is known of the request after all of its attempts: see [`Outcome::after`].
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        Outcome::after(&self.attempts)
    }
}

impl fmt::Display for RetryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.attempts.len() {
            1 => f.write_str("the attempt failed"),
            count => write!(f, "the call failed after {count} attempts"),
        }
    }
}

impl Error for RetryError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

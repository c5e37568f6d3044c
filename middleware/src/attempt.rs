//! What each attempt of a call met.

use std::borrow::Cow;
use std::time::Duration;

use http::StatusCode;

use crate::Outcome;

/// What one attempt of a call met.
///
/// ```
/// use std::time::Duration;
/// use http::StatusCode;
/// use magicbell_middleware::Attempt;
///
/// let [lost, refused] = [StatusCode::BAD_GATEWAY, StatusCode::TOO_MANY_REQUESTS];
/// assert!(Attempt::answered(lost, Duration::ZERO).may_have_been_applied());
/// assert!(!Attempt::answered(refused, Duration::ZERO).may_have_been_applied());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// What is known of the request after it.
    pub outcome: Outcome,
    /// The status, where one arrived.
    pub status: Option<StatusCode>,
    /// What went wrong, where no whole answer arrived: the error's own words, without its sources.
    pub cause: Option<Cow<'static, str>>,
    /// How long it took, from its first poll to its answer or error. Waits before it don't count.
    pub elapsed: Duration,
    /// How long was waited, or would have been, before the next one; `None` where there was no next.
    pub delay: Option<Duration>,
}

impl Attempt {
    /// Makes a record of an attempt with a status.
    #[must_use]
    pub const fn answered(status: StatusCode, elapsed: Duration) -> Self {
        Self { outcome: Outcome::Answered, status: Some(status), cause: None, elapsed, delay: None }
    }

    /// Makes a record of an attempt that ended without a status.
    #[must_use]
    pub fn failed(outcome: Outcome, cause: impl Into<Cow<'static, str>>, elapsed: Duration) -> Self {
        Self { outcome, status: None, cause: Some(cause.into()), elapsed, delay: None }
    }

    /// Says whether the server may have applied the request in this attempt: no status arrived, or a success, 408 or a 5xx did.
    /// After any other status it was not applied.
    #[must_use]
    pub fn may_have_been_applied(&self) -> bool {
        let by_status = |status: StatusCode| {
            status.is_success() || status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT
        };
        self.outcome == Outcome::Unknown || self.status.is_some_and(by_status)
    }
}

/// The attempts of one call, the first one first: in a response's extensions where there was more than one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attempts(pub Vec<Attempt>);

/// Which attempt of its call a request is, counted from 1: in a request's extensions from the second on.
///
/// An extension costs three allocations, so the first attempt goes without; [`AttemptNumber::of`] knows that.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), magicbell_middleware::BoxError> {
/// # use http::{Request, Response};
/// # use magicbell_middleware::{Body, retry::{RetryLayer, RetryPolicy}};
/// # use tower::{ServiceBuilder, ServiceExt};
/// use magicbell_middleware::AttemptNumber;
///
/// let service = ServiceBuilder::new()
///     .layer(RetryLayer::new(RetryPolicy::default()))
///     .service_fn(async |request: Request<Body>| {
///         let status = if AttemptNumber::of(&request) < 3 { 503 } else { 200 };
///         Response::builder().status(status).body(Body::empty())
///     });
/// assert_eq!(service.oneshot(Request::new(Body::empty())).await?.status(), 200);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptNumber(pub(crate) u32);

impl AttemptNumber {
    /// Returns which attempt a request is: 1 for the first.
    #[must_use]
    pub fn of<B>(request: &http::Request<B>) -> u32 {
        request.extensions().get::<Self>().map_or(1, |number| number.0)
    }
}

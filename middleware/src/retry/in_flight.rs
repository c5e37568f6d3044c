//! What is known of a call that hasn't ended.

use std::time::Duration;

use http::uri::PathAndQuery;

use crate::Attempt;

/// What is known of a call that hasn't ended, told by its future: the one of [`Retry`](super::Retry), and those of the layers of this
/// crate that stand around it.
///
/// For a caller that gives a call up, or whose call ends in a panic, and who has put no [`CallContext`](crate::CallContext) into the
/// request, which costs an allocation.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), magicbell_middleware::BoxError> {
/// # use std::time::Duration;
/// # use http::{Request, Response};
/// # use magicbell_middleware::{Body, retry::{RetryLayer, RetryPolicy}};
/// # use tower::{ServiceBuilder, ServiceExt};
/// use magicbell_middleware::{Outcome, retry::InFlight};
///
/// # let mut service = ServiceBuilder::new().layer(RetryLayer::new(RetryPolicy::default())).service_fn(async |_: Request<Body>| {
/// #     std::future::pending::<()>().await;
/// #     Ok::<_, std::io::Error>(Response::new(Body::empty()))
/// # });
/// # let request = Request::delete("/tokens/1").body(Body::empty())?;
/// let mut call = std::pin::pin!(tower::Service::call(&mut service, request));
/// tokio::time::timeout(Duration::from_secs(5), &mut call).await.unwrap_err();
/// // Given up, in the middle of its first attempt.
/// assert_eq!(call.attempts().iter().map(|attempt| attempt.outcome).collect::<Vec<_>>(), [Outcome::Unknown]);
/// assert_eq!(call.elapsed().as_secs(), 5);
/// # Ok(())
/// # }
/// ```
pub trait InFlight {
    /// Returns what the attempts up to now met. One that is in flight is there too, with an unknown outcome.
    fn attempts(&self) -> Vec<Attempt>;

    /// Returns how long the call has taken since its first poll; no time before that.
    fn elapsed(&self) -> Duration;

    /// Returns the path and query that are asked for.
    fn path_and_query(&self) -> Option<&PathAndQuery>;
}

/// Has the future of a layer tell what the one beneath it, in its field `inner`, knows.
#[cfg(any(feature = "metrics", feature = "trace"))]
macro_rules! tells_what_is_beneath {
    ($future:ident) => {
        impl<F: $crate::retry::InFlight> $crate::retry::InFlight for $future<F> {
            fn attempts(&self) -> Vec<$crate::Attempt> {
                self.inner.attempts()
            }

            fn elapsed(&self) -> ::std::time::Duration {
                self.inner.elapsed()
            }

            fn path_and_query(&self) -> Option<&::http::uri::PathAndQuery> {
                self.inner.path_and_query()
            }
        }
    };
}

#[cfg(any(feature = "metrics", feature = "trace"))]
pub(crate) use tells_what_is_beneath;

//! A request that was not sent, since its turn would have come too late.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// A request was not sent, since its turn would have come after the deadline.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), magicbell_middleware::BoxError> {
/// # use std::time::Duration;
/// # use http::{Request, Response};
/// # use magicbell_middleware::{Body, find_source, pace::Pace, retry::{RetryLayer, RetryPolicy}};
/// # use tower::{ServiceBuilder, ServiceExt};
/// use magicbell_middleware::pace::HeldBack;
///
/// let pace = Pace::unlimited();
/// let service = ServiceBuilder::new()
///     .layer(RetryLayer::new(RetryPolicy::default()).pace(pace.clone()).timeout(Duration::from_secs(10)))
///     .service_fn(async |_: Request<Body>| Ok::<_, std::io::Error>(Response::new(Body::empty())));
/// pace.pause(Duration::from_secs(60));
/// let error = service.oneshot(Request::new(Body::empty())).await.unwrap_err(); // at once, not in 10 s
/// let held_back = find_source::<HeldBack>(&*error).ok_or("its turn would come too late")?;
/// assert!(held_back.wait() > Duration::from_secs(59));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldBack {
    wait: Duration,
}

impl HeldBack {
    #[cfg(feature = "retry")]
    pub(crate) const fn new(wait: Duration) -> Self {
        Self { wait }
    }

    /// Returns how long it would have had to wait.
    #[must_use]
    pub const fn wait(&self) -> Duration {
        self.wait
    }
}

impl fmt::Display for HeldBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "held back: its turn would come in {:?}, after the deadline", self.wait)
    }
}

impl Error for HeldBack {}

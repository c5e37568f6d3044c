//! Sends a request again where that is safe and may help.
//!
//! What decides is the [outcome](crate::Outcome) of the attempt and the [safety](crate::Safety) of the operation: a request
//! that was not sent may always be sent again; one whose fate is unknown only where sending it twice does no harm. Waits are
//! full jitter over an exponential backoff, or what `Retry-After` asks for. Retries are paid from a [`RetryBudget`], so that an
//! outage isn't made worse. One deadline covers everything, and a wait that would go past it isn't begun.
//!
//! | an attempt's end | safe or idempotent | neither | neither, keys trusted |
//! |---|---|---|---|
//! | not sent ([`AttemptError::not_sent`](crate::AttemptError::not_sent)) | again | again | again |
//! | an error [`permanent`](crate::AttemptError::permanent), or a 2xx whose body is over the cap | no | no | no |
//! | unknown: any other error | again | no | again |
//! | 2xx whose body broke off | again | no | again |
//! | 408, 500, 502, 503, 504 | again | no | again |
//! | 429 | waits, again | waits, again | waits, again |
//! | 401, where the [credentials](crate::auth::Credentials::refused) would be others | again, once | again, once | again, once |
//! | any other status | no | no | no |
//!
//! # Differences from tower's `Retry`
//!
//! tower's knows neither outcomes nor deadlines, takes a lock for its budget, and its backoff's jitter repeats in each clone.
//! This one is always ready: each attempt waits for the inner service in its own future, so that a permit of a concurrency
//! limit beneath isn't held during a wait. It knows the [`Pace`](crate::pace::Pace) that it has to keep.
//!
//! ```
//! use std::sync::atomic::{AtomicU32, Ordering};
//! use http::{Request, Response};
//! use magicbell_middleware::{Body, Attempts, retry::{RetryLayer, RetryPolicy}};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), magicbell_middleware::BoxError> {
//! static SENT: AtomicU32 = AtomicU32::new(0);
//! let service = ServiceBuilder::new()
//!     .layer(RetryLayer::new(RetryPolicy::default()))
//!     .service_fn(async |_: Request<Body>| {
//!         let status = if SENT.fetch_add(1, Ordering::Relaxed) == 0 { 503 } else { 200 };
//!         Response::builder().status(status).body(Body::empty())
//!     });
//! let response = service.oneshot(Request::delete("/tokens/1").body(Body::empty())?).await?;
//! assert_eq!(response.status(), 200);
//! assert_eq!(response.extensions().get::<Attempts>().map(|attempts| attempts.0.len()), Some(2));
//! # Ok(())
//! # }
//! ```

mod backoff;
mod budget;
mod call;
mod decision;
mod error;
mod events;
mod future;
mod in_flight;
mod layer;
mod policy;

pub use crate::pace::retry_after;
pub use backoff::{Backoff, Jitter};
pub use budget::RetryBudget;
pub use decision::{AttemptResult, Verdict};
pub use error::RetryError;
pub use future::ResponseFuture;
pub use in_flight::InFlight;
#[cfg(any(feature = "metrics", feature = "trace"))]
pub(crate) use in_flight::tells_what_is_beneath;
pub use layer::{Retry, RetryLayer};
pub use policy::{RetryPolicy, RetryPolicyBuilder};

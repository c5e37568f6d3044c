//! Holds requests back: for a quota that is known, and while a server has asked for a pause.
//!
//! A [`Pace`] is shared by all clones of a service, and can be shared by several services. [`retry`](crate::retry) asks it
//! before each attempt, so that the wait uses up neither the attempt's time nor a permit, and tells it of each `Retry-After`, so
//! that one 429 pauses everybody. [`PaceLayer`] does the same in a stack without retry.
//!
//! # Differences from tower's `RateLimit`
//!
//! tower's can't be cloned, lets a whole window's requests go at once, and knows nothing of what the server says.
//!
//! ```
//! use std::time::Duration;
//! use magicbell_middleware::{Safety, pace::{Pace, Quota}};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let writes = Quota::per(200, Duration::from_secs(60));
//! let pace = Pace::new(Quota::unlimited(), writes);
//! let start = tokio::time::Instant::now();
//! for _ in 0..200 {
//!     pace.admit(Safety::Idempotent).await;
//! }
//! assert!(start.elapsed() > Duration::from_secs(50));
//! # }
//! ```

mod held_back;
mod lane;
mod layer;
mod quota;
mod rate_limit_headers;
mod retry_after;
mod returned;
mod shared;

pub use held_back::HeldBack;
pub use layer::{PaceLayer, Paced, ResponseFuture};
pub use quota::Quota;
pub use retry_after::retry_after;
pub use shared::Pace;

#[cfg(feature = "retry")]
pub(crate) use lane::Ticket;

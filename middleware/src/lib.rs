// The example needs these; without them it would not compile.
#![cfg_attr(all(feature = "idempotency-key", feature = "retry"), doc = include_str!("../README.md"))]
#![cfg_attr(
    not(all(feature = "idempotency-key", feature = "retry")),
    doc = "Tower layers for clients of HTTP APIs; its front page is shown with the features `idempotency-key` and `retry`."
)]
// A link to a layer leads nowhere where the layer is left out.
#![cfg_attr(
    not(all(
        feature = "auth",
        feature = "headers",
        feature = "idempotency-key",
        feature = "metrics",
        feature = "retry",
        feature = "trace"
    )),
    allow(rustdoc::broken_intra_doc_links)
)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// A library neither panics on what it is given nor prints; its tests, its examples and its benches may.
#![warn(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::todo,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod attempt;
mod body;
#[cfg(any(feature = "retry", feature = "timeout"))]
mod clock;
mod context;
mod operation;
mod outcome;

#[cfg(feature = "auth")]
pub mod auth;
#[cfg(feature = "collect")]
pub mod collect;
#[cfg(feature = "headers")]
pub mod headers;
#[cfg(feature = "idempotency-key")]
pub mod idempotency_key;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(feature = "pace")]
pub mod pace;
#[cfg(feature = "retry")]
pub mod retry;
#[cfg(feature = "timeout")]
pub mod timeout;
#[cfg(feature = "trace")]
pub mod trace;

pub use attempt::{Attempt, AttemptNumber, Attempts};
pub use body::Body;
pub use context::CallContext;
pub use operation::{Operation, Safety};
pub use outcome::{AttemptError, Outcome, find_source, own_sources};

/// An error of any type, as tower's own layers return it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

#[doc = include_str!("../GUIDE.md")]
#[cfg(feature = "retry")]
pub mod guide {}

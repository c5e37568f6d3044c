//! Many revocations: ids in, exactly one outcome out for each.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use futures_util::StreamExt;
//! use magicbell::{revocation::RevocationOutcome, testing::Server};
//!
//! let server = Server::start().await?;
//! let client = server.client();
//! let ids = server.add_user_tokens("hana", 100);
//!
//! let mut outcomes = client.jwt().discard_user_jwts(ids).concurrency(16).stream();
//! while let Some(revocation) = outcomes.next().await {
//!     assert_eq!(revocation.outcome, RevocationOutcome::Revoked);
//! }
//! # Ok(())
//! # }
//! ```

mod batch;
mod classify;
mod concurrency;
mod describe;
mod in_flight;
mod journal;
mod outcome;
mod own;
mod progress;
mod recording;
mod report;
mod run;
mod selection;
mod stop;
mod stream;
mod words;

pub use batch::{OwnToken, Revocations};
pub use journal::{Journal, JournalError, JournalErrorKind, JournalOptions, JournalSync};
pub use outcome::{Revocation, RevocationOutcome, StopReason};
pub use progress::{Basis, Estimate, Progress};
pub use report::{FailureGroup, RevocationReport};
pub use selection::{ListError, RevocationPlan, SelectedToken, Selection, Verification, Verify};
pub use stop::StopHandle;
pub use stream::RevocationStream;

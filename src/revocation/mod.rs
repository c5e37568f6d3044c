//! Many revocations: select, plan, revoke, verify; and exactly one outcome for each id.
//!
//! | step | |
//! |---|---|
//! | select | [`JwtService::select_user_tokens`], [`select_project_tokens`]: by time, by name, but for some |
//! | plan | [`Selection::plan`] lists until two passes agree; the [`RevocationPlan`] shows counts, names and ages, and nothing is sent |
//! | revoke | [`RevocationPlan::revocations`], or [`JwtService::discard_user_jwts`] for ids from elsewhere; [`Progress`] knows the time left |
//! | report | [`RevocationReport`]: in a line, in several, as JSON |
//! | verify | [`RevocationPlan::verify`] lists again: what has survived, and what was made meanwhile |
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use futures_util::StreamExt;
//! use magicbell::{revocation::RevocationReport, testing::Server};
//! use std::time::SystemTime;
//!
//! let server = Server::start().await?;
//! let client = server.client();
//! server.add_user_tokens("hana", 100);
//!
//! let plan = client.jwt().select_user_tokens("hana").created_before(SystemTime::now()).plan().await?;
//! println!("{plan}");
//!
//! let mut progress = plan.progress();
//! let mut report = RevocationReport::keeping(1_000);
//! let mut outcomes = plan.revocations(&client).concurrency(16).stream();
//! while let Some(revocation) = outcomes.next().await {
//!     progress.record(&revocation);
//!     println!("{progress}");
//!     report.record(revocation);
//! }
//! report.stopped = outcomes.stopped();
//! println!("{report:#}");
//!
//! let verification = plan.verify(&client).await?;
//! assert!(verification.is_clean(), "{verification}");
//! # Ok(())
//! # }
//! ```
//!
//! # Not while listing
//!
//! A stream of [`Client::paginate`](crate::Client::paginate) could be revoked as it is read. Don't: each token that is gone moves
//! those behind it up, and where pages are counted by position, or a cursor is the id of a token that is no longer there, the next
//! page begins too late. What happens then isn't documented. A plan of 40,000 tokens takes 12 MB and 800 reads. Where others make
//! tokens faster than they can be planned, plan again until nothing is left:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use magicbell::{revocation::ListError, testing::Server};
//! # let server = Server::start().await?;
//! # let client = server.client();
//! # server.add_user_tokens("hana", 100);
//! let select = client.jwt().select_user_tokens("hana");
//! loop {
//!     let plan = match select.plan().await {
//!         Ok(plan) => plan,
//!         // No quiet: revoke what was seen, and look again.
//!         Err(ListError::Unsettled(seen)) => *seen,
//!         Err(error) => return Err(error.into()),
//!     };
//!     if plan.is_empty() {
//!         break;
//!     }
//!     let report = plan.revocations(&client).run().await;
//!     assert!(report.is_complete(), "{report:#}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`JwtService::select_user_tokens`]: crate::jwt::JwtService::select_user_tokens
//! [`select_project_tokens`]: crate::jwt::JwtService::select_project_tokens
//! [`JwtService::discard_user_jwts`]: crate::jwt::JwtService::discard_user_jwts

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

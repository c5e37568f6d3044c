//! Many revocations: select, plan, revoke, verify; and exactly one outcome for each id.
//!
//! | step | |
//! |---|---|
//! | select | [`JwtService::select_user_tokens`], [`select_project_tokens`]: by time, by name, but for some |
//! | plan | [`Selection::plan`] lists until two passes agree; the [`RevocationPlan`] shows counts, names and ages, and nothing is sent |
//! | revoke | [`RevocationPlan::revocations`], or [`JwtService::discard_user_jwts`] for ids from elsewhere; [`Progress`] knows the time left |
//! | report | [`RevocationReport`]: in a line, in several, as JSON; of a stream, with [`finish`](RevocationReport::finish) at its end |
//! | verify | [`RevocationPlan::verify`] lists again: what has survived ([`is_clean`](Verification::is_clean)), and what was made meanwhile ([`is_over`](Verification::is_over)) |
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
//! report.finish(&outcomes);
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
//! # A journal
//!
//! With a [`Journal`] a batch survives its process. That an id is going to be sent is written before it is, and what became of it
//! before anybody is told. Where the process died, the same ids are given to a batch with the same journal again: what is settled
//! (revoked, already revoked, not found) isn't sent again, and its outcome comes out of the journal, so that each input has one
//! outcome still; everything else is sent. Where nothing is written of what became of an id that may have been sent, and the API
//! now says 404, it is [`AlreadyRevoked`](RevocationOutcome::AlreadyRevoked), [presumably](Revocation::is_presumed).
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use futures_util::StreamExt;
//! use magicbell::{revocation::Journal, testing::Server};
//!
//! let server = Server::start().await?;
//! let client = server.client();
//! let ids = server.add_user_tokens("hana", 100);
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("revocation.jsonl");
//!
//! let journal = Journal::options().project("acme").open(&path)?;
//! let mut outcomes = client.jwt().discard_user_jwts(ids.clone()).journal(journal)?.stream();
//! for _ in 0..40 {
//!     outcomes.next().await;
//! }
//! drop(outcomes); // the process is killed, say
//!
//! let journal = Journal::options().project("acme").open(&path)?;
//! assert!(journal.settled() >= 40);
//! let report = client.jwt().discard_user_jwts(ids).journal(journal)?.run().await;
//! assert_eq!(report.total(), 100);
//! assert!(report.is_complete());
//! # Ok(())
//! # }
//! ```
//!
//! It is a file of JSON lines, to which lines are only ever added. The first one says what it is about, `{"intent":"…"}` that an id
//! is going to be sent, `{"outcome":"revoked","id":"…","index":0,"attempts":1,"status":200,…}` what became of it. No text of a
//! token is in it: an id that looks like a token, or can't be sent, has a line with its index and outcome alone.
//!
//! - **What is lost when?** Nothing by the death of the process. By the machine's: nothing where [each](JournalSync::Each) write is
//!   synced, as it is by default; otherwise [what was sent since](JournalSync::Every).
//! - **Torn and broken lines.** A last line without its end was being written when the process died: it is cut off. Any other line
//!   that can't be read is an error that names it, and nothing is sent.
//! - **One at a time.** The file is locked while it is in use, and a second batch is refused. It is refused too for another host,
//!   another project ([by name](JournalOptions::project)) or the other kind of token.
//! - **A disk that is full** stops the batch: [`StopReason::JournalFailed`]. Nothing more is sent, what was sent has the
//!   [drain time](Revocations::drain_timeout) to end, and each id has its true outcome, written or not.
//! - **What it costs.** Writing and syncing block the thread that polls the batch, for as long as the disk takes; what falls due
//!   together is written together. Each id that the journal knows takes 29 to 57 bytes of memory, and up to half as much again
//!   while the table grows; in the file it takes about 200. So do those of the run itself: an id that is given again later is
//!   answered from there.
//!
//! [`JwtService::select_user_tokens`]: crate::jwt::JwtService::select_user_tokens
//! [`select_project_tokens`]: crate::jwt::JwtService::select_project_tokens
//! [`JwtService::discard_user_jwts`]: crate::jwt::JwtService::discard_user_jwts

mod batch;
mod classify;
mod concurrency;
mod describe;
mod ids;
mod in_flight;
mod journal;
mod outcome;
mod own;
mod progress;
mod ready;
mod recording;
mod report;
mod run;
mod selection;
mod stop;
mod stream;
mod watch;
mod words;

#[cfg(all(test, feature = "testing"))]
mod failing_disk;

pub use batch::{OwnToken, Revocations};
pub use ids::Ids;
pub use journal::{Journal, JournalError, JournalErrorKind, JournalOptions, JournalSync};
pub use outcome::{Revocation, RevocationOutcome, StopReason};
pub use progress::{Basis, Estimate, Progress};
pub use report::{FailureGroup, RevocationReport};
pub use selection::{ListError, RevocationPlan, SelectedToken, Selection, Verification, Verify};
pub use stop::StopHandle;
pub use stream::RevocationStream;

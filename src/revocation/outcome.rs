//! What became of one token.

use std::fmt;
use std::time::Duration;

use http::{HeaderValue, StatusCode};

use super::classify::Doubt;
use crate::error::Error;
use crate::timestamp::Timestamp;

/// What became of one id of a batch.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use futures_util::StreamExt;
/// use magicbell::testing::{Fault, Server};
///
/// let server = Server::start().await?;
/// let client = server.client();
/// // The token is revoked and the answer lost; so the next attempt finds none.
/// server.fail_next(Fault::reset().after_processing());
///
/// let mut outcomes = client.jwt().discard_user_jwts(server.add_user_tokens("hana", 1)).stream();
/// let revocation = outcomes.next().await.ok_or("each id has an outcome")?;
/// assert_eq!((revocation.index, revocation.attempts), (0, 2));
/// assert!(revocation.outcome.is_revoked() && revocation.is_presumed());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Revocation {
    /// Which input it was, counted from 0.
    pub index: u64,
    /// The token's id, as it was given.
    pub token_id: String,
    /// What became of the token.
    pub outcome: RevocationOutcome,
    /// How often the request was sent, as far as is known.
    pub attempts: u32,
    /// How many of the attempts were answered by 429, and waited out.
    pub rate_limited: u32,
    /// The last status, where one arrived.
    pub status: Option<StatusCode>,
    /// When the service says that it discarded the token.
    pub discarded_at: Option<Timestamp>,
    /// How long it took, waits included.
    pub elapsed: Duration,
    /// Why it isn't revoked, or isn't known to be. `None` where it is; where nothing was sent; where the batch ended while it was
    /// in flight; where a layer of the caller's panicked; and for all but one of several inputs that named the id at once.
    pub error: Option<Error>,
    /// Whether it is told from the batch's journal: by an earlier run, or for an id that this run had settled before.
    pub from_journal: bool,
    pub(super) request_id: Option<HeaderValue>,
    /// Whether another input that named the same id at the same time has the request to its account.
    pub(super) is_shared: bool,
    /// What its attempts may have done.
    pub(super) attempted: Doubt,
}

impl Revocation {
    pub(super) fn new(index: u64, token_id: String, outcome: RevocationOutcome) -> Self {
        Self {
            index,
            token_id,
            outcome,
            attempts: 0,
            rate_limited: 0,
            status: None,
            discarded_at: None,
            elapsed: Duration::ZERO,
            error: None,
            from_journal: false,
            request_id: None,
            is_shared: false,
            attempted: Doubt::None,
        }
    }

    /// Makes the outcome of another input that named the same id at the same time: all but the error, of which there is one.
    pub(super) fn share(&self, index: u64) -> Self {
        Self {
            index,
            token_id: self.token_id.clone(),
            discarded_at: self.discarded_at.clone(),
            error: None,
            request_id: self.request_id.clone(),
            is_shared: true,
            ..*self
        }
    }

    /// Says whether [`AlreadyRevoked`](RevocationOutcome::AlreadyRevoked) is presumed: the API answered 404 after an attempt that
    /// may have revoked the token. That is what it answers then; but it answers the same where it never had such a token. An attempt
    /// that was answered by 503 or 408 is none of those: after it a 404 is [`NotFound`](RevocationOutcome::NotFound).
    #[must_use]
    pub fn is_presumed(&self) -> bool {
        self.outcome == RevocationOutcome::AlreadyRevoked && self.status == Some(StatusCode::NOT_FOUND)
    }

    /// Returns what is in doubt: nothing, where the outcome says what became of the token.
    pub(super) fn doubt(&self) -> Doubt {
        match self.outcome {
            RevocationOutcome::Unknown | RevocationOutcome::Unverified => self.attempted,
            _ => Doubt::None,
        }
    }

    /// Returns the service's own id of the last request, `x-request-id`, where it sent one.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_ref()?.to_str().ok()
    }
}

/// What became of a token.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{revocation::RevocationOutcome, testing::Server};
///
/// let server = Server::start().await?;
/// let client = server.client();
/// let mut ids = server.add_user_tokens("hana", 5);
/// ids.extend(["never-there".into(), "..".into()]);
///
/// let report = client.jwt().discard_user_jwts(ids).run().await;
/// let counts = RevocationOutcome::ALL.map(|outcome| (outcome.as_str(), report.count(outcome)));
/// let met = counts.into_iter().filter(|(_, count)| *count > 0);
/// assert!(met.eq([("revoked", 5), ("not_found", 1), ("invalid_id", 1)]));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RevocationOutcome {
    /// The service says that it revoked this very token.
    Revoked,
    /// It is gone: the API answered 410; or it answered 404 after an attempt that may have revoked the token without its answer
    /// arriving. After a 404 that is presumed, not certain: see [`Revocation::is_presumed`].
    AlreadyRevoked,
    /// The API knows no such token: a wrong id, another project's, the other kind of token, or one that was discarded before, be
    /// it by an attempt just before that was answered by a 503.
    NotFound,
    /// The service refused: 401, 403, 422, 429 and the like. The token is as it was.
    Refused,
    /// No answer arrived, or a 5xx to the end; or the batch stopped before its turn, and an earlier run with the same journal may
    /// have revoked it. Take the token as still live.
    Unknown,
    /// The answer isn't to be trusted: it names another token, or doesn't come from the API. Take the token as still live.
    Unverified,
    /// The id can't be sent. Nothing was.
    InvalidId,
    /// The batch stopped before its turn, or before there was a connection. Nothing was sent.
    NotAttempted,
}

impl RevocationOutcome {
    /// All of them, in the order in which a report lists them.
    pub const ALL: [Self; 8] = [
        Self::Revoked,
        Self::AlreadyRevoked,
        Self::NotFound,
        Self::Refused,
        Self::Unknown,
        Self::Unverified,
        Self::InvalidId,
        Self::NotAttempted,
    ];

    /// Says whether the token is revoked: known to be, or [presumed](Revocation::is_presumed).
    #[must_use]
    pub const fn is_revoked(self) -> bool {
        matches!(self, Self::Revoked | Self::AlreadyRevoked)
    }

    /// Returns its name in `snake_case`, for logs and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::AlreadyRevoked => "already_revoked",
            Self::NotFound => "not_found",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::Unverified => "unverified",
            Self::InvalidId => "invalid_id",
            Self::NotAttempted => "not_attempted",
        }
    }
}

impl fmt::Display for RevocationOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a batch stopped before its ids were through.
///
/// Whatever the reason, it stops at once, as by a [`StopHandle`](super::StopHandle): what was never sent is
/// [`NotAttempted`](RevocationOutcome::NotAttempted), and what was sent has the
/// [drain time](super::Revocations::drain_timeout) to end.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{revocation::StopReason, testing::{Fault, Server}};
///
/// let server = Server::start().await?;
/// let client = server.client();
/// server.fail_next(Fault::status(401));
///
/// let report = client.jwt().discard_user_jwts(server.add_user_tokens("hana", 100)).concurrency(1).run().await;
/// assert_eq!(report.stopped, Some(StopReason::Unauthorized));
/// assert_eq!(report.not_attempted().count(), 99); // for the next run, with another token
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopReason {
    /// The service refused the credentials: 401. No other id would fare better.
    Unauthorized,
    /// The first ids were all answered by 404: another project's token, or the other kind of tokens?
    AllNotFound,
    /// A [`StopHandle`](super::StopHandle) asked for it.
    Requested,
    /// The journal can't be used or written: without it nothing is sent.
    JournalFailed,
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unauthorized => "the service refused the credentials (401)",
            Self::AllNotFound => "the first ids were all not found: wrong project, or the other kind of token?",
            Self::Requested => "it was asked to",
            Self::JournalFailed => "its journal can't be used or written",
        })
    }
}

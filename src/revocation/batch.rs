//! The settings of a batch.

use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

use futures_core::Stream;

use super::ids::Ids;
use super::journal::{Journal, JournalError, Subject};
use super::report::RevocationReport;
use super::stop::StopHandle;
use super::stream::RevocationStream;
use crate::client::{Client, SendCall};
use crate::jwt::{DiscardByRef, DiscardProjectJwt, DiscardTokenResponse, DiscardUserJwt, JwtService};
use crate::secret::SecretToken;

/// How many requests are in flight at once, unless said otherwise.
const CONCURRENCY: usize = 64;
/// How long what is in flight has to end after a stop, unless said otherwise.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);
/// How many ids have to be not found, before any is found, for a batch to stop.
const NOT_FOUND_LIMIT: usize = 20;

/// The claims of a token that name its project, where it has one of them.
const PROJECT_CLAIMS: [&str; 2] = ["project_id", "project"];

/// Which kind of token a batch revokes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    User,
    Project,
}

impl Kind {
    pub(super) fn discard(self, client: &Client, token_id: &str) -> SendCall<DiscardTokenResponse> {
        match self {
            Self::User => client.request(DiscardByRef::<DiscardUserJwt>::new(token_id)).patient().send(),
            Self::Project => client.request(DiscardByRef::<DiscardProjectJwt>::new(token_id)).patient().send(),
        }
    }
}

impl Kind {
    /// Says what a journal of such a batch is about.
    pub(super) fn subject(self, client: &Client) -> Subject {
        let named = PROJECT_CLAIMS.into_iter().find_map(|claim| client.own_claim(claim));
        Subject {
            base_url: client.base_url().to_text(),
            kind: match self {
                Self::User => "user",
                Self::Project => "project",
            },
            token_project: named.filter(|project| project.len() <= 255 && !SecretToken::is_in(project)),
        }
    }
}

impl<'a> JwtService<'a> {
    /// Revokes many tokens of users: exactly one outcome for each id, as they come.
    ///
    /// The ids are read as places come free, so that a million of them take no more memory than a thousand. An id that is
    /// given again while it is in flight is sent once, and each input gets the outcome. So that this holds for one id a million
    /// times too, at most 16 such inputs wait for each request that [may be in flight](Revocations::concurrency); those after them
    /// are read when some have their outcome, and sent again.
    ///
    /// Waiting for the rate limit, and for what a 429 asks for, uses up neither an id's attempts nor its time: the client's
    /// `timeout` doesn't hold here, each attempt's does.
    pub fn discard_user_jwts<I>(&self, ids: I) -> Revocations<Ids<I::IntoIter>>
    where
        I: IntoIterator<Item: Into<String>>,
    {
        Revocations::new(self.client().clone(), Kind::User, Ids::new(ids.into_iter()))
    }

    /// Revokes many project tokens, as [`discard_user_jwts`](Self::discard_user_jwts) does users'.
    ///
    /// The token that the client itself uses is held back, where it is among them: see [`Revocations::own_token`].
    pub fn discard_project_jwts<I>(&self, ids: I) -> Revocations<Ids<I::IntoIter>>
    where
        I: IntoIterator<Item: Into<String>>,
    {
        Revocations::new(self.client().clone(), Kind::Project, Ids::new(ids.into_iter()))
    }

    /// Revokes the tokens of users whose ids a stream gives.
    pub fn discard_user_jwts_from<S>(&self, ids: S) -> Revocations<S>
    where
        S: Stream<Item: Into<String>>,
    {
        Revocations::new(self.client().clone(), Kind::User, ids)
    }

    /// Revokes the project tokens whose ids a stream gives.
    pub fn discard_project_jwts_from<S>(&self, ids: S) -> Revocations<S>
    where
        S: Stream<Item: Into<String>>,
    {
        Revocations::new(self.client().clone(), Kind::Project, ids)
    }
}

/// Many revocations, not begun yet: [`stream`](Self::stream) or [`run`](Self::run) begins them.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::testing::Server;
///
/// let server = Server::start().await?;
/// let client = server.client();
/// // One at a time, and so over one connection: slow, and easy on whoever shares the quota.
/// let report = client.jwt().discard_user_jwts(server.add_user_tokens("hana", 20)).concurrency(1).run().await;
/// assert!(report.is_complete(), "{report:#}");
/// assert_eq!(server.connections(), 1);
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is revoked until it is streamed or run"]
pub struct Revocations<S> {
    pub(super) client: Client,
    pub(super) kind: Kind,
    pub(super) ids: S,
    pub(super) concurrency: NonZeroUsize,
    pub(super) not_found_limit: Option<NonZeroUsize>,
    pub(super) drain_timeout: Duration,
    pub(super) stop: StopHandle,
    pub(super) own_token: OwnToken,
    pub(super) own_ids: Vec<String>,
    pub(super) journal: Option<Journal>,
}

/// What becomes of the token that the client itself uses, where it is among those to revoke.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{revocation::OwnToken, testing::Server};
///
/// let server = Server::start().await?;
/// let client = server.client();
/// let mut ids = server.add_project_tokens(3);
/// ids.push(server.token_id().to_owned());
///
/// // All but the token that does it.
/// let report = client.jwt().discard_project_jwts(ids).own_token(OwnToken::Skip).run().await;
/// assert_eq!(report.not_attempted().collect::<Vec<_>>(), [server.token_id()]);
/// assert_eq!(server.is_discarded(server.token_id()), Some(false));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum OwnToken {
    /// It is revoked last, when all others have their outcomes. Nothing can be done with the client after that.
    #[default]
    Last,
    /// It is not revoked: its outcome is [`NotAttempted`](super::RevocationOutcome::NotAttempted).
    Skip,
}

impl<S> Revocations<S> {
    fn new(client: Client, kind: Kind, ids: S) -> Self {
        let at_least_one = |number| NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN);
        Self {
            client,
            kind,
            ids,
            concurrency: at_least_one(CONCURRENCY),
            not_found_limit: NonZeroUsize::new(NOT_FOUND_LIMIT),
            drain_timeout: DRAIN_TIMEOUT,
            stop: StopHandle::default(),
            own_token: OwnToken::default(),
            own_ids: Vec::new(),
            journal: None,
        }
    }

    /// Sets how many requests are in flight at once, at most: 64 by default. 0 counts as 1.
    ///
    /// Where a 429 was met it is half of that, and half again after the next, down to 1, but at most once for what is in flight
    /// together; and one more for each time that as many as may be in flight were answered without one.
    /// [`RevocationStream::concurrency`] says where it stands.
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = NonZeroUsize::new(concurrency).unwrap_or(NonZeroUsize::MIN);
        self
    }

    /// Sets how many of the first ids have to be not found, all of them, for the batch to stop: 20 by default, never for 0.
    ///
    /// Ids of another project, or of the other kind of token, are all not found; that is better known early. A 404 counts also
    /// where an earlier attempt may have revoked the token, since nothing says then that there was one; what was refused, or
    /// has no answer, doesn't count.
    pub fn stop_after_not_found(mut self, limit: usize) -> Self {
        self.not_found_limit = NonZeroUsize::new(limit);
        self
    }
}

impl<S> Revocations<S> {
    /// Returns what stops the batch from outside.
    #[must_use]
    pub fn stop_handle(&self) -> StopHandle {
        self.stop.clone()
    }

    /// Sets how long what was sent has to end once the batch has stopped, by a [`StopHandle`] or [by itself](super::StopReason): 30 s
    /// by default. What hasn't ended then is given up, as after a second stop. Ids are read on as after one too, but to their end
    /// where the batch stopped by itself.
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.drain_timeout = timeout;
        self
    }

    /// Sets what becomes of the token that the client itself uses, where it is among those to revoke: it is revoked last by
    /// default, since with it the client loses its access.
    ///
    /// It is known by any claim of its own that is text, where it is a JWT; otherwise by
    /// [`own_token_id`](Self::own_token_id) alone. Where neither says which it is, it is revoked in its turn, and the batch stops
    /// with a 401. Of users' tokens it is never one.
    ///
    /// Where the client has [credentials](crate::ClientBuilder::credentials) that haven't been used yet, they are asked before
    /// the first id is sent. Of those that rotate, the token that they gave last is the client's own: a new one is known from
    /// its first use on, and the one before it is a token like others then. An id that was sent before its token came into use
    /// can't be held back any more. Credentials that give no token when they are asked are asked again for the next id; the one
    /// in hand goes unchecked, as far as it can go without a token.
    pub fn own_token(mut self, own_token: OwnToken) -> Self {
        self.own_token = own_token;
        self
    }

    /// Writes a journal: what is going to be sent before it is, and what became of it before that is handed out. What the journal
    /// says already isn't done again, so that a batch that died is resumed by giving it the same ids and the same journal. See
    /// [the module's documentation](super#a-journal).
    ///
    /// # Errors
    ///
    /// [`JournalErrorKind::OtherBatch`](super::JournalErrorKind::OtherBatch) where the journal is of another host, another project
    /// or the other kind of token, as far as is known by now. What is found out later, and what can't be written, stops the batch:
    /// [`StopReason::JournalFailed`](super::StopReason::JournalFailed).
    pub fn journal(mut self, journal: Journal) -> Result<Self, JournalError> {
        journal.check(&self.kind.subject(&self.client))?;
        self.journal = Some(journal);
        Ok(self)
    }

    /// Says which id is that of the token that the client itself uses.
    pub fn own_token_id(mut self, token_id: impl Into<String>) -> Self {
        self.own_ids.push(token_id.into());
        self
    }
}

impl<S> Revocations<S>
where
    S: Stream<Item: Into<String>>,
{
    /// Begins, and returns the outcomes as they come, not in the order of the ids.
    ///
    /// It runs in place, while it is polled, and spawns nothing. Dropping it cancels what is in flight; what has had no outcome
    /// then is unknown.
    pub fn stream(self) -> RevocationStream<S> {
        RevocationStream::new(self)
    }

    /// Runs to the end, and reports.
    ///
    /// The report keeps what isn't revoked, so its memory grows with that, not with what is.
    pub async fn run(self) -> RevocationReport {
        RevocationReport::collect(self.stream()).await
    }
}

impl<S> fmt::Debug for Revocations<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocations")
            .field("kind", &self.kind)
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}

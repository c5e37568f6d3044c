//! The settings of a batch.

use std::time::Duration;

use super::{Client, Outcomes};
use crate::error::Error;
use crate::revocation::{self, Ids, Journal, JournalError, OwnToken, RevocationReport, StopHandle};

/// Many revocations, not begun yet: [`run`](Self::run) or [`outcomes`](Self::outcomes) begins them.
///
/// Its settings are those of [`revocation::Revocations`], and so is what they mean.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = tokio::runtime::Runtime::new()?;
/// # let server = runtime.block_on(magicbell::testing::Server::start())?;
/// # let client = magicbell::Client::builder().token(server.token()).base_url(server.url()).build_blocking()?;
/// use magicbell::revocation::RevocationOutcome;
///
/// // An old list: most of it is gone by now, and that is no reason to stop.
/// # let mut ids = server.add_user_tokens("hana", 30);
/// # client.jwt().discard_user_jwts(ids.clone()).run()?;
/// # ids.extend(server.add_user_tokens("hana", 10));
/// let report = client.jwt().discard_user_jwts(ids).stop_after_not_found(0).run()?;
/// assert_eq!(report.count(RevocationOutcome::NotFound), 30);
/// assert_eq!(report.count(RevocationOutcome::Revoked), 10);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is revoked until it is run or iterated"]
pub struct Revocations<'a, I> {
    client: &'a Client,
    batch: revocation::Revocations<Ids<I>>,
}

impl<'a, I> Revocations<'a, I>
where
    I: Iterator<Item: Into<String>>,
{
    pub(super) fn new(client: &'a Client, batch: revocation::Revocations<Ids<I>>) -> Self {
        Self { client, batch }
    }

    /// Sets how many requests are in flight at once, at most: 64 by default. See
    /// [`concurrency`](revocation::Revocations::concurrency).
    pub fn concurrency(self, concurrency: usize) -> Self {
        Self { batch: self.batch.concurrency(concurrency), ..self }
    }

    /// Sets how many of the first ids have to be not found for the batch to stop: 20 by default, never for 0. See
    /// [`stop_after_not_found`](revocation::Revocations::stop_after_not_found).
    pub fn stop_after_not_found(self, limit: usize) -> Self {
        Self { batch: self.batch.stop_after_not_found(limit), ..self }
    }

    /// Returns what stops the batch from outside: from another thread, or a signal's handler.
    #[must_use]
    pub fn stop_handle(&self) -> StopHandle {
        self.batch.stop_handle()
    }

    /// Sets how long what was sent has to end after a stop: 30 s by default. See
    /// [`drain_timeout`](revocation::Revocations::drain_timeout).
    pub fn drain_timeout(self, timeout: Duration) -> Self {
        Self { batch: self.batch.drain_timeout(timeout), ..self }
    }

    /// Sets what becomes of the token that the client itself uses: see [`own_token`](revocation::Revocations::own_token).
    pub fn own_token(self, own_token: OwnToken) -> Self {
        Self { batch: self.batch.own_token(own_token), ..self }
    }

    /// Says which id is that of the token that the client itself uses.
    pub fn own_token_id(self, token_id: impl Into<String>) -> Self {
        Self { batch: self.batch.own_token_id(token_id), ..self }
    }

    /// Writes a journal: see [`journal`](revocation::Revocations::journal).
    ///
    /// # Errors
    ///
    /// As of that.
    pub fn journal(self, journal: Journal) -> Result<Self, JournalError> {
        Ok(Self { client: self.client, batch: self.batch.journal(journal)? })
    }

    /// Begins, and returns the outcomes as they come, not in the order of the ids.
    ///
    /// The ids are asked for on the thread that asks for outcomes. While they take their time, no outcome comes.
    pub fn outcomes(self) -> Outcomes<I> {
        Outcomes::new(self.client, self.batch.stream())
    }

    /// Runs to the end, and reports.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) [in async code](super#how-it-runs), where nothing is sent.
    /// What became of the ids is in the report.
    pub fn run(self) -> Result<RevocationReport, Error> {
        self.client.block_on(self.batch.run())
    }
}

impl<I> IntoIterator for Revocations<'_, I>
where
    I: Iterator<Item: Into<String>>,
{
    type Item = Result<revocation::Revocation, Error>;
    type IntoIter = Outcomes<I>;

    fn into_iter(self) -> Outcomes<I> {
        self.outcomes()
    }
}

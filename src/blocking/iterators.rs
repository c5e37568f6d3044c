//! What comes one by one.

use std::fmt;
use std::iter::FusedIterator;

use futures_core::Stream;
use futures_util::StreamExt as _;

use super::Client;
use crate::error::Error;
use crate::pagination::{self, Paginate};
use crate::revocation::{Ids, JournalError, Revocation, RevocationStream, StopReason};

/// The iterator of [`Client::paginate`].
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = tokio::runtime::Runtime::new()?;
/// # let server = runtime.block_on(magicbell::testing::Server::start())?;
/// # let client = magicbell::Client::builder().token(server.token()).base_url(server.url()).build_blocking()?;
/// use magicbell::{Error, jwt::FetchUserTokens};
///
/// server.add_user_tokens("hana", 250);
/// let request = FetchUserTokens::builder().user_id("hana").limit(100).build();
/// // The first error ends it, so that half of a list is never taken for the whole.
/// let tokens = client.paginate(request).collect::<Result<Vec<_>, Error>>()?;
/// assert_eq!(tokens.len(), 250);
/// # Ok(())
/// # }
/// ```
#[must_use = "iterators are lazy"]
pub struct Paginated<E: Paginate>(Waiting<pagination::Paginated<E>>);

/// The outcomes of a batch, as they come: one for each id.
///
/// The batch runs while it is asked for the next one. Where that is [in async code](super#how-it-runs), the one item is an `Err`,
/// and the batch is at its end; what is in flight then is cancelled. Nothing else is an `Err`: what became of an id is in its
/// [`Revocation`].
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = tokio::runtime::Runtime::new()?;
/// # let server = runtime.block_on(magicbell::testing::Server::start())?;
/// # let client = magicbell::Client::builder().token(server.token()).base_url(server.url()).build_blocking()?;
/// use magicbell::revocation::{RevocationOutcome, StopReason};
///
/// // Project tokens, by a slip: none of them is found among those of users.
/// let ids = server.add_project_tokens(100);
/// let mut outcomes = client.jwt().discard_user_jwts(ids).concurrency(4).outcomes();
/// let mut never_sent = 0;
/// while let Some(revocation) = outcomes.next().transpose()? {
///     never_sent += u32::from(revocation.outcome == RevocationOutcome::NotAttempted);
/// }
/// assert_eq!(outcomes.stopped(), Some(StopReason::AllNotFound));
/// assert!(never_sent > 70);
/// # Ok(())
/// # }
/// ```
#[must_use = "iterators are lazy"]
pub struct Outcomes<I: Iterator>(Waiting<RevocationStream<Ids<I>>>);

/// A stream that is waited for.
struct Waiting<S> {
    // Before what drives it.
    stream: S,
    client: Client,
    is_over: bool,
}

impl<S> Waiting<S> {
    fn new(client: &Client, stream: S) -> Self {
        Self { stream, client: client.clone(), is_over: false }
    }
}

impl<S: Stream + Unpin> Waiting<S> {
    fn next(&mut self) -> Option<Result<S::Item, Error>> {
        if self.is_over {
            return None;
        }
        let next = self.client.block_on(self.stream.next()).transpose();
        // Whoever asks on and on, in async code, comes to an end too.
        self.is_over = !matches!(next, Some(Ok(_)));
        next
    }
}

impl<E: Paginate> Paginated<E> {
    pub(super) fn new(client: &Client, stream: pagination::Paginated<E>) -> Self {
        Self(Waiting::new(client, stream))
    }
}

impl<E> Iterator for Paginated<E>
where
    E: Paginate + Unpin,
    E::Item: Unpin,
{
    type Item = Result<E::Item, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|next| next.and_then(|item| item))
    }
}

impl<I> Outcomes<I>
where
    I: Iterator<Item: Into<String>>,
{
    pub(super) fn new(client: &Client, stream: RevocationStream<Ids<I>>) -> Self {
        Self(Waiting::new(client, stream))
    }

    /// Returns why the batch has stopped, if it has: see [`RevocationStream::stopped`].
    #[must_use]
    pub fn stopped(&self) -> Option<StopReason> {
        self.0.stream.stopped()
    }

    /// Returns why the journal can't be used or written, where it can't.
    #[must_use]
    pub fn journal_error(&self) -> Option<&JournalError> {
        self.0.stream.journal_error()
    }

    /// Returns the stream that is waited for: it says the same, and [`RevocationReport::finish`] takes it.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let runtime = tokio::runtime::Runtime::new()?;
    /// # let server = runtime.block_on(magicbell::testing::Server::start())?;
    /// # let client = magicbell::Client::builder().token(server.token()).base_url(server.url()).build_blocking()?;
    /// use magicbell::revocation::{RevocationReport, StopReason};
    ///
    /// let mut report = RevocationReport::keeping(10);
    /// let mut outcomes = client.jwt().discard_user_jwts(server.add_project_tokens(100)).outcomes();
    /// for revocation in &mut outcomes {
    ///     report.record(revocation?);
    /// }
    /// report.finish(outcomes.stream());
    /// assert_eq!(report.stopped, Some(StopReason::AllNotFound));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`RevocationReport::finish`]: crate::revocation::RevocationReport::finish
    pub fn stream(&self) -> &RevocationStream<Ids<I>> {
        &self.0.stream
    }

    /// Returns how many requests may be in flight by now.
    #[must_use]
    pub fn concurrency(&self) -> usize {
        self.0.stream.concurrency()
    }

    /// Returns how many requests are in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.0.stream.in_flight()
    }
}

impl<I> Iterator for Outcomes<I>
where
    I: Iterator<Item: Into<String>>,
{
    type Item = Result<Revocation, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

impl<E> FusedIterator for Paginated<E>
where
    E: Paginate + Unpin,
    E::Item: Unpin,
{
}

impl<I: Iterator<Item: Into<String>>> FusedIterator for Outcomes<I> {}

impl<E: Paginate> fmt::Debug for Paginated<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Paginated").field(&self.0.stream).finish()
    }
}

impl<I: Iterator> fmt::Debug for Outcomes<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Outcomes").field(&self.0.stream).finish()
    }
}

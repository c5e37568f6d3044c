//! Ids from an iterator, as a stream.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

/// The ids of an iterator, as the stream that a batch reads: [`JwtService::discard_user_jwts`] makes one.
///
/// It asks the iterator when the batch has room for another id, and no sooner.
///
/// [`JwtService::discard_user_jwts`]: crate::jwt::JwtService::discard_user_jwts
///
/// To name a batch, in a field or in what a function returns:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::revocation::{Ids, Revocations};
/// use magicbell::{Client, testing::Server};
///
/// fn incident(client: &Client, leaked: Vec<String>) -> Revocations<Ids<std::vec::IntoIter<String>>> {
///     client.jwt().discard_user_jwts(leaked).concurrency(8)
/// }
/// # let server = Server::start().await?;
/// # let client = server.client();
/// let report = incident(&client, server.add_user_tokens("hana", 3)).run().await;
/// assert_eq!(report.total(), 3);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Ids<I> {
    iter: I,
}

impl<I> Ids<I> {
    pub(crate) fn new(iter: I) -> Self {
        Self { iter }
    }
}

/// The iterator is never pinned.
impl<I> Unpin for Ids<I> {}

impl<I: Iterator> Stream for Ids<I> {
    type Item = I::Item;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<I::Item>> {
        Poll::Ready(self.iter.next())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.iter.size_hint()
    }
}

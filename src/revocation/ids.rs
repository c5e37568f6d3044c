//! Ids from an iterator, as a stream.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

/// The ids of an iterator, as the stream that a batch reads: [`JwtService::discard_user_jwts`] makes one.
///
/// It asks the iterator when the batch has room for another id, and no sooner.
///
/// [`JwtService::discard_user_jwts`]: crate::jwt::JwtService::discard_user_jwts
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

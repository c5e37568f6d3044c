//! What is in flight: one request an id, however often the id was given.

use std::any::Any;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::CatchUnwind;
use http::response::Parts;
use pin_project_lite::pin_project;

use crate::client::Send;
use crate::error::Error;
use crate::jwt::DiscardTokenResponse;

/// How a discard ended; an `Err` outside is a panic of a layer of the caller's.
pub(super) type Discarded =
    Result<Result<(Parts, DiscardTokenResponse, Duration), Error>, Box<dyn Any + std::marker::Send>>;

pin_project! {
    /// One request in flight.
    pub(super) struct Discarding {
        slot: usize,
        #[pin]
        inner: CatchUnwind<AssertUnwindSafe<PartsFuture>>,
    }
}

pin_project! {
    struct PartsFuture {
        #[pin]
        send: Send<DiscardTokenResponse>,
    }
}

impl Future for PartsFuture {
    type Output = Result<(Parts, DiscardTokenResponse, Duration), Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().send.poll_parts(cx)
    }
}

impl Discarding {
    pub(super) fn new(slot: usize, send: Send<DiscardTokenResponse>) -> Self {
        Self { slot, inner: AssertUnwindSafe(PartsFuture { send }).catch_unwind() }
    }
}

impl Future for Discarding {
    type Output = (usize, Discarded);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        Poll::Ready((*this.slot, ready!(this.inner.poll(cx))))
    }
}

/// An id in flight, and the inputs that wait for its outcome.
#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) token_id: String,
    pub(super) first: u64,
    /// Empty, and so without an allocation, unless the id was given more than once.
    pub(super) others: Vec<u64>,
}

/// The ids in flight. There is no allocation an id: places are used again.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    free: Vec<usize>,
    by_hash: HashMap<u64, usize>,
    hasher: RandomState,
}

impl Slots {
    /// Takes an id up; `None` where it is in flight already, and the input waits for that one's outcome.
    pub(super) fn insert(&mut self, index: u64, token_id: String) -> Option<usize> {
        let hash = self.hasher.hash_one(&token_id);
        if let Some(slot) = self.by_hash.get(&hash).map(|slot| &mut self.slots[*slot])
            && slot.token_id == token_id
        {
            slot.others.push(index);
            return None;
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() - 1
        });
        self.slots[slot] = Slot { token_id, first: index, others: Vec::new() };
        self.by_hash.insert(hash, slot);
        Some(slot)
    }

    pub(super) fn token_id(&self, slot: usize) -> &str {
        &self.slots[slot].token_id
    }

    /// Gives an id's place free.
    pub(super) fn remove(&mut self, slot: usize) -> Slot {
        let removed = std::mem::take(&mut self.slots[slot]);
        self.free.push(slot);
        let hash = self.hasher.hash_one(&removed.token_id);
        // Two ids with one hash: the later one has the entry.
        if self.by_hash.get(&hash) == Some(&slot) {
            self.by_hash.remove(&hash);
        }
        removed
    }
}

impl Slots {
    /// Gives every place free, and returns the ids that were in flight.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Slot> + use<> {
        let Self { slots, free, .. } = std::mem::take(self);
        slots.into_iter().enumerate().filter(move |(slot, _)| !free.contains(slot)).map(|(_, slot)| slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_is_in_flight_is_not_taken_up_again() {
        let mut slots = Slots::default();
        let slot = slots.insert(0, "a".into()).unwrap();
        assert_eq!(slots.insert(1, "a".into()), None);
        assert_ne!(slots.insert(2, "b".into()), Some(slot));
        let removed = slots.remove(slot);
        assert_eq!((removed.first, removed.others), (0, vec![1]));
        assert_eq!(slots.insert(3, "a".into()), Some(slot), "its place is used again");
    }
}

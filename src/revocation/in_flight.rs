//! What is in flight: one request an id, however often the id was given.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::{HeaderValue, Response, StatusCode};
use magicbell_middleware::{Attempt, Attempts, Body, Outcome};
use pin_project_lite::pin_project;

use super::classify::Doubt;
use crate::client::SendCall;
use crate::error::{Error, REQUEST_ID};
use crate::jwt::DiscardTokenResponse;
use crate::timestamp::Timestamp;

/// How a discard ended; an `Err` outside is a panic of a layer of the caller's.
pub(super) type Discarded = Result<Result<Answered, Error>, SoFar>;

/// What is wanted of a success.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) request_id: Option<HeaderValue>,
    /// `None` where there was one alone.
    pub(super) attempts: Option<Attempts>,
    pub(super) elapsed: Duration,
    pub(super) discarded_at: Option<Timestamp>,
}

impl Answered {
    fn new(answer: &mut Response<Body>, discarded: DiscardTokenResponse, elapsed: Duration) -> Self {
        Self {
            status: answer.status(),
            request_id: answer.headers().get(REQUEST_ID).cloned(),
            attempts: answer.extensions_mut().remove(),
            elapsed,
            discarded_at: discarded.discarded_at,
        }
    }
}

/// What is known of a discard that has no end of its own.
#[derive(Debug)]
pub(super) struct SoFar {
    /// The one in flight is among them.
    pub(super) attempts: Vec<Attempt>,
    pub(super) elapsed: Duration,
}

impl SoFar {
    /// Says whether nothing was sent: it never had its turn, or no attempt got as far as the server.
    pub(super) fn is_unsent(&self) -> bool {
        self.attempts.iter().all(|attempt| attempt.outcome == Outcome::NotSent)
    }
}

pin_project! {
    /// One request in flight.
    pub(super) struct Discarding {
        slot: usize,
        #[pin]
        send: SendCall<DiscardTokenResponse>,
    }
}

impl Discarding {
    pub(super) fn new(slot: usize, send: SendCall<DiscardTokenResponse>) -> Self {
        Self { slot, send }
    }

    /// Says whether the id can't be sent as it is.
    pub(super) fn is_refused(&self) -> bool {
        self.send.is_refused()
    }

    pub(super) fn slot(&self) -> usize {
        self.slot
    }

    pub(super) fn so_far(self: Pin<&mut Self>) -> SoFar {
        let (attempts, elapsed) = self.project().send.so_far();
        SoFar { attempts, elapsed }
    }
}

impl Future for Discarding {
    type Output = (usize, Discarded);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // After a panic it is polled no more.
        let polled = catch_unwind(AssertUnwindSafe(|| {
            let send = self.as_mut().project().send;
            send.poll_with(cx, |answer, discarded, sending| Answered::new(answer, discarded, sending.elapsed()))
        }));
        let ended = match polled {
            Ok(polled) => Ok(ready!(polled)),
            Err(_) => Err(self.as_mut().so_far()),
        };
        Poll::Ready((self.slot, ended))
    }
}

/// An id in flight, and the inputs that wait for its outcome.
#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) token_id: String,
    hash: u64,
    pub(super) first: u64,
    /// What an earlier batch may have done.
    pub(super) before: Doubt,
    /// Empty, and so without an allocation, unless the id was given more than once.
    pub(super) others: Vec<u64>,
}

/// The ids in flight. There is no allocation an id: places are used again.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    free: Vec<usize>,
    by_hash: HashMap<u64, usize, BuildHasherDefault<Hashed>>,
    hasher: RandomState,
    /// How many inputs wait besides the first ones.
    others: usize,
}

/// Takes what is a hash already, of a [`RandomState`], for its own.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    /// A hash is written as a `u64`; what else is, byte by byte, counts too.
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Slots {
    /// Takes an id up; `None` where it is in flight already, and the input waits for that one's outcome.
    pub(super) fn insert(&mut self, index: u64, token_id: String, before: Doubt) -> Option<usize> {
        let hash = self.hasher.hash_one(&token_id);
        let entry = self.by_hash.entry(hash);
        if let Entry::Occupied(entry) = &entry
            && let Some(slot) = self.slots.get_mut(*entry.get())
            && slot.token_id == token_id
        {
            slot.others.push(index);
            self.others += 1;
            return None;
        }
        let free = self.free.pop();
        let slot = free.unwrap_or(self.slots.len());
        entry.insert_entry(slot);
        let taken = Slot { token_id, hash, first: index, before, others: Vec::new() };
        match free {
            Some(slot) => self.slots[slot] = taken,
            None => {
                self.slots.push(taken);
                // Half empty, the table takes ids up and lets them go without ever being allocated anew.
                self.by_hash.reserve(2 * self.slots.len() - self.by_hash.len());
            }
        }
        Some(slot)
    }

    /// Returns how many inputs wait for an id that another one gave.
    pub(super) fn others(&self) -> usize {
        self.others
    }

    pub(super) fn token_id(&self, slot: usize) -> &str {
        &self.slots[slot].token_id
    }

    /// Gives an id's place free.
    pub(super) fn remove(&mut self, slot: usize) -> Slot {
        let removed = std::mem::take(&mut self.slots[slot]);
        self.others -= removed.others.len();
        self.free.push(slot);
        // Two ids with one hash: the later one has the entry.
        if let Entry::Occupied(entry) = self.by_hash.entry(removed.hash)
            && *entry.get() == slot
        {
            entry.remove();
        }
        removed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_it_is_as_large_as_it_gets_the_table_stays_as_it_is() {
        let mut slots = Slots::default();
        let mut in_flight =
            (0..64).map(|id| slots.insert(id, id.to_string(), Doubt::None).unwrap()).collect::<Vec<_>>();
        let capacity = slots.by_hash.capacity();
        for id in 64..100_000 {
            slots.remove(in_flight.remove(0));
            in_flight.push(slots.insert(id, id.to_string(), Doubt::None).unwrap());
            assert!(slots.by_hash.capacity() <= capacity, "{id}");
        }
        assert_eq!(slots.slots.len(), 64);
    }

    #[test]
    fn an_id_that_is_in_flight_is_not_taken_up_again() {
        let mut slots = Slots::default();
        let slot = slots.insert(0, "a".into(), Doubt::None).unwrap();
        assert_eq!(slots.insert(1, "a".into(), Doubt::None), None);
        assert_ne!(slots.insert(2, "b".into(), Doubt::None), Some(slot));
        assert_eq!(slots.others(), 1);
        let removed = slots.remove(slot);
        assert_eq!((removed.first, removed.others), (0, vec![1]));
        assert_eq!(slots.others(), 0);
        assert_eq!(slots.insert(3, "a".into(), Doubt::None), Some(slot), "its place is used again");
    }
}

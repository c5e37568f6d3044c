//! A batch under way, wherever its ids come from.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream as _;
use futures_util::stream::FuturesUnordered;

use super::batch::{Kind, OwnToken, Revocations};
use super::concurrency::Concurrency;
use super::in_flight::{Discarded, Discarding, Slot, Slots};
use super::own::OwnIds;
use super::stop::StopHandle;
use super::{Revocation, RevocationOutcome, StopReason, describe};
use crate::client::Client;
use crate::error::Error;

/// A batch under way.
pub(super) struct Run {
    client: Client,
    kind: Kind,
    pub(super) concurrency: Concurrency,
    /// How many more ids have to be answered by 404, before one is known to be found, to stop.
    not_found_left: Option<usize>,
    pub(super) read: u64,
    slots: Slots,
    pub(super) in_flight: FuturesUnordered<Discarding>,
    ready: VecDeque<Revocation>,
    pub(super) stopped: Option<StopReason>,
    pub(super) stop: StopHandle,
    pub(super) drain_timeout: Duration,
    own_token: OwnToken,
    own_ids: OwnIds,
    /// The inputs that named the client's own token.
    held_back: Vec<(u64, String)>,
}

impl Run {
    /// Takes the settings of a batch, and leaves its ids.
    pub(super) fn new<S>(batch: Revocations<S>) -> (Self, S) {
        let run = Self {
            client: batch.client,
            kind: batch.kind,
            concurrency: Concurrency::new(batch.concurrency.get()),
            not_found_left: batch.not_found_limit.map(usize::from),
            read: 0,
            slots: Slots::default(),
            in_flight: FuturesUnordered::new(),
            ready: VecDeque::new(),
            stopped: None,
            stop: batch.stop,
            drain_timeout: batch.drain_timeout,
            own_token: batch.own_token,
            own_ids: OwnIds::new(batch.kind, batch.own_ids),
            held_back: Vec::new(),
        };
        (run, batch.ids)
    }

    /// Returns an outcome that is there to be handed out.
    pub(super) fn next_ready(&mut self) -> Option<Revocation> {
        self.ready.pop_front()
    }

    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Asks whether another id can be read: there is a place in flight, nothing waits to be handed out, and it is known which id
    /// must not be sent yet.
    pub(super) fn poll_place(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if self.has_ready() || self.in_flight.len() >= self.concurrency.now() {
            return Poll::Ready(false);
        }
        match self.stopped {
            Some(_) => Poll::Ready(true),
            None => self.own_ids.poll_known(&self.client, cx).map(|()| true),
        }
    }

    /// Polls what is in flight; ready with `false` where nothing is.
    pub(super) fn poll_in_flight(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        Pin::new(&mut self.in_flight).poll_next(cx).map(|ended| match ended {
            Some((slot, discarded)) => {
                self.settle(slot, discarded);
                true
            }
            None => false,
        })
    }

    pub(super) fn take_up(&mut self, token_id: String) {
        let index = self.read;
        self.read += 1;
        if self.own_ids.contains(&self.client, &token_id) {
            self.held_back.push((index, token_id));
        } else {
            self.send(index, token_id);
        }
    }

    /// Takes up what was held back, when there is nothing else left; `false` where nothing was. What the client doesn't use any
    /// more, since its credentials have given another token, goes before what it uses.
    pub(super) fn release(&mut self) -> bool {
        let held_back = std::mem::take(&mut self.held_back);
        let (own, others): (Vec<_>, Vec<_>) =
            held_back.into_iter().partition(|(_, token_id)| self.own_ids.contains(&self.client, token_id));
        if !others.is_empty() {
            self.held_back = own;
            others.into_iter().for_each(|(index, token_id)| self.send(index, token_id));
            return true;
        }
        let is_any = !own.is_empty();
        for (index, token_id) in own {
            match self.own_token {
                OwnToken::Last => self.send(index, token_id),
                OwnToken::Skip => self.not_attempted(index, token_id),
            }
        }
        is_any
    }

    fn send(&mut self, index: u64, token_id: String) {
        if self.stopped.is_some() {
            self.not_attempted(index, token_id);
        } else if let Some(slot) = self.slots.insert(index, token_id) {
            let send = self.kind.discard(&self.client, self.slots.token_id(slot));
            self.in_flight.push(Discarding::new(slot, send));
        }
    }

    fn not_attempted(&mut self, index: u64, token_id: String) {
        self.ready.push_back(Revocation::new(index, token_id, RevocationOutcome::NotAttempted));
    }

    /// Drops what is in flight: whether it is revoked isn't known.
    pub(super) fn give_up(&mut self) {
        let in_flight = std::mem::take(&mut self.in_flight);
        for discarding in Pin::new(&in_flight).iter_pin_ref() {
            let so_far = discarding.so_far();
            let Slot { token_id, first, others } = self.slots.remove(discarding.slot());
            for index in others {
                let shared = describe::given_up(index, token_id.clone(), &so_far);
                self.ready.push_back(Revocation { is_shared: true, ..shared });
            }
            self.ready.push_back(describe::given_up(first, token_id, &so_far));
        }
    }

    /// Hands the outcome out to each input that waited for it.
    fn settle(&mut self, slot: usize, discarded: Discarded) {
        let Slot { token_id, first, others } = self.slots.remove(slot);
        for index in others {
            let shared = describe::ended(index, token_id.clone(), &discarded);
            self.ready.push_back(Revocation { is_shared: true, ..shared });
        }
        let mut revocation = describe::ended(first, token_id, &discarded);
        if let Ok(Err(error)) = discarded {
            revocation.error = Some(error);
        }
        self.watch(&revocation);
        self.ready.push_front(revocation);
    }

    /// Learns from an outcome how many may be in flight, and stops the batch where no other id would fare better.
    fn watch(&mut self, revocation: &Revocation) {
        match revocation {
            Revocation { rate_limited: 1.., index, .. } => self.concurrency.rate_limited(*index, self.read),
            Revocation { status: Some(status), index, .. } if !status.is_server_error() => {
                self.concurrency.answered(*index)
            }
            _ => {}
        }
        if revocation.error.as_ref().is_some_and(Error::is_unauthorized) {
            self.stopped.get_or_insert(StopReason::Unauthorized);
        }
        let Some(left) = self.not_found_left else { return };
        // Of an id that was sent more than once and then got 404, nobody knows that it was ever found: it counts as well. What
        // says nothing of the id doesn't count.
        self.not_found_left = match revocation.outcome {
            RevocationOutcome::NotFound => Some(left - 1),
            RevocationOutcome::AlreadyRevoked if revocation.is_presumed() => Some(left - 1),
            RevocationOutcome::Revoked | RevocationOutcome::AlreadyRevoked => None,
            _ => Some(left),
        };
        if self.not_found_left == Some(0) {
            self.not_found_left = None;
            self.stopped.get_or_insert(StopReason::AllNotFound);
        }
    }
}

//! A batch under way, wherever its ids come from.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream as _;
use futures_util::stream::FuturesUnordered;

use super::batch::{Kind, OwnToken, Revocations};
use super::classify::Doubt;
use super::in_flight::{Discarded, Discarding, Slot, Slots, SoFar};
use super::journal::Known;
use super::own::OwnIds;
use super::ready::Ready;
use super::recording::Recording;
use super::stop::StopHandle;
use super::watch::Watch;
use super::{Revocation, RevocationOutcome, StopReason, describe};
use crate::client::Client;

/// How many inputs that repeat an id wait for its outcome, at most, for each request that may be in flight.
const REPEATS: usize = 16;

/// A batch under way.
pub(super) struct Run {
    client: Client,
    kind: Kind,
    pub(super) watch: Watch,
    pub(super) read: u64,
    slots: Slots,
    pub(super) in_flight: FuturesUnordered<Discarding>,
    ready: Ready,
    pub(super) stopped: Option<StopReason>,
    pub(super) stop: StopHandle,
    pub(super) drain_timeout: Duration,
    own_token: OwnToken,
    own_ids: OwnIds,
    /// The inputs that named the client's own token.
    held_back: Vec<(u64, String)>,
    pub(super) recording: Recording,
    /// What waits for its intent to be written.
    fresh: Vec<Discarding>,
}

impl Run {
    /// Takes the settings of a batch, and leaves its ids.
    pub(super) fn new<S>(batch: Revocations<S>) -> (Self, S) {
        let run = Self {
            client: batch.client,
            kind: batch.kind,
            watch: Watch::new(batch.concurrency, batch.not_found_limit),
            read: 0,
            slots: Slots::default(),
            in_flight: FuturesUnordered::new(),
            ready: Ready::default(),
            stopped: None,
            stop: batch.stop,
            drain_timeout: batch.drain_timeout,
            own_token: batch.own_token,
            own_ids: OwnIds::new(batch.kind, batch.own_ids, batch.journal.is_some()),
            held_back: Vec::new(),
            recording: Recording::new(batch.journal),
            fresh: Vec::new(),
        };
        (run, batch.ids)
    }

    /// Returns an outcome that may be handed out: what becomes of an id is written first.
    pub(super) fn next_ready(&mut self) -> Option<Revocation> {
        if self.recording.is_dirty() { None } else { self.ready.pop() }
    }

    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Asks whether another id can be read: there is a place in flight, and one to wait for what is in flight already, nothing waits
    /// to be handed out, and it is known which id must not be sent yet.
    pub(super) fn poll_place(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let most = self.watch.concurrency();
        // While something is going to be written, what is sent next may be written with it.
        let waiting = if self.recording.is_dirty() { 2 * most } else { 1 };
        let is_full =
            self.in_flight.len() + self.fresh.len() >= most || self.slots.others() >= REPEATS.saturating_mul(most);
        if is_full || self.ready.len() >= waiting {
            return Poll::Ready(false);
        }
        if self.stopped.is_none() {
            ready!(self.own_ids.poll_known(&self.client, cx));
        }
        if !self.recording.begin(|| self.kind.subject(&self.client)) {
            self.stop_for(StopReason::JournalFailed);
        }
        Poll::Ready(true)
    }

    /// Writes what has to be written before anything else is done, and lets go what waited for it.
    pub(super) fn commit(&mut self) {
        if !self.recording.commit() {
            self.stop_for(StopReason::JournalFailed);
            for discarding in std::mem::take(&mut self.fresh) {
                self.end(discarding.slot(), describe::not_attempted);
            }
        }
        self.in_flight.extend(self.fresh.drain(..));
    }

    /// Syncs the journal when that is due; ready where it fails.
    pub(super) fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Poll::Ready(synced) = self.recording.poll_due(cx) {
            if !synced {
                self.stop_for(StopReason::JournalFailed);
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }

    /// Ends the journal: everything is written, and has its outcome.
    pub(super) fn finish(&mut self) {
        if !self.recording.finish() {
            self.stop_for(StopReason::JournalFailed);
        }
    }

    /// Polls what is in flight; ready with `false` where nothing is. With a journal, everything that has ended is taken together,
    /// so that it is written together.
    pub(super) fn poll_in_flight(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let Some((slot, discarded)) = ready!(Pin::new(&mut self.in_flight).poll_next(cx)) else {
            return Poll::Ready(false);
        };
        self.settle(slot, discarded);
        while self.recording.is_on()
            && let Poll::Ready(Some((slot, discarded))) = Pin::new(&mut self.in_flight).poll_next(cx)
        {
            self.settle(slot, discarded);
        }
        Poll::Ready(true)
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
        let known = self.recording.known(&token_id);
        let before = known.map_or(Doubt::None, Known::doubt);
        if let Some((known, outcome)) = known.and_then(|known| Some((known, known.settled()?))) {
            let revocation = describe::from_journal(index, token_id, outcome, known);
            self.watch.recall(&revocation);
            self.ready.push(revocation);
        } else if self.stopped.is_some() {
            self.ready.push(describe::not_attempted(index, token_id, before));
        } else if self.recording.is_on() && self.client.is_own_token(&token_id) {
            let revocation = Revocation::new(index, token_id, RevocationOutcome::InvalidId);
            self.recording.end(&revocation);
            self.ready.push(revocation);
        } else if let Some(slot) = self.slots.insert(index, token_id, before) {
            self.begin(slot);
        }
    }

    /// Begins a request, or with a journal gets it ready until its intent is written.
    fn begin(&mut self, slot: usize) {
        let token_id = self.slots.token_id(slot);
        let discarding = Discarding::new(slot, self.kind.discard(&self.client, token_id));
        if !self.recording.is_on() {
            self.in_flight.push(discarding);
            return;
        }
        // What can't be sent has no intent: who knows what is in that text?
        if !discarding.is_refused() {
            self.recording.intend(token_id);
        }
        self.fresh.push(discarding);
    }

    fn not_attempted(&mut self, index: u64, token_id: String) {
        self.ready.push(describe::not_attempted(index, token_id, Doubt::None));
    }

    /// Stops: nothing is sent any more that hasn't been.
    pub(super) fn stop_for(&mut self, reason: StopReason) {
        if self.stopped.replace(reason).is_none() {
            self.give_up_unsent();
        }
    }

    /// Drops what waits for its turn and was never sent, and leaves the rest to its end. What follows an attempt may be owed to it,
    /// so it counts as sent, also while it waits to be sent again, but where no attempt got as far as the server; and what a layer
    /// around the call has in hand may be sent by that after all.
    fn give_up_unsent(&mut self) {
        if self.client.has_outer_layers() {
            return;
        }
        for mut discarding in std::mem::take(&mut self.in_flight) {
            let (slot, so_far) = (discarding.slot(), Pin::new(&mut discarding).so_far());
            // What can't be sent says so itself.
            if discarding.is_refused() || !so_far.is_unsent() {
                self.in_flight.push(discarding);
            } else {
                self.end_unfinished(slot, &so_far);
            }
        }
    }

    /// Drops what is in flight: whether it is revoked isn't known, unless each attempt was turned away, or got nowhere.
    pub(super) fn give_up(&mut self) {
        let mut in_flight = std::mem::take(&mut self.in_flight);
        for discarding in Pin::new(&mut in_flight).iter_pin_mut() {
            let (slot, so_far) = (discarding.slot(), discarding.so_far());
            self.end_unfinished(slot, &so_far);
        }
    }

    /// Ends what a slot holds, whose request was given up.
    fn end_unfinished(&mut self, slot: usize, so_far: &SoFar) {
        let may_go_on = self.client.has_outer_layers();
        self.end(slot, |index, token_id, before| describe::given_up(index, token_id, so_far, before, may_go_on));
    }

    /// Hands the outcome out to each input that waited for it.
    fn settle(&mut self, slot: usize, discarded: Discarded) {
        let before = self.end(slot, |index, token_id, before| describe::ended(index, token_id, discarded, before));
        let reason = self.ready.last().and_then(|last| self.watch.learn(last, self.read, before));
        if let (None, Some(reason)) = (self.stopped, reason) {
            self.stop_for(reason);
        }
    }

    /// Ends what a slot holds: the first input's outcome is written, and is handed out before those of the others. Returns what an
    /// earlier batch may have done.
    fn end(&mut self, slot: usize, describe: impl FnOnce(u64, String, Doubt) -> Revocation) -> Doubt {
        let Slot { token_id, first, others, before, .. } = self.slots.remove(slot);
        let revocation = describe(first, token_id, before);
        self.recording.end(&revocation);
        self.ready.push_shared(revocation, others);
        before
    }
}

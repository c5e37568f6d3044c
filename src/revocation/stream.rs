//! The outcomes, as they come.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use futures_util::stream::FuturesUnordered;
use http::StatusCode;
use magicbell_middleware::{Attempt, Attempts};
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};

use super::batch::{Kind, OwnToken, Revocations};
use super::classify::classify;
use super::in_flight::{Discarded, Discarding, Slot, Slots};
use super::stop::{Requested, StopHandle};
use super::{Revocation, RevocationOutcome, StopReason};
use crate::client::Client;
use crate::error::{Error, REQUEST_ID};

pin_project! {
    /// The outcomes of a batch, as they come: one for each id.
    #[must_use = "streams do nothing unless polled"]
    pub struct RevocationStream<S> {
        #[pin]
        ids: S,
        ids_ended: bool,
        run: Run,
        // In a box, of which there is at most one a batch, so that the stream can be polled without being pinned.
        drain: Option<Pin<Box<Sleep>>>,
    }
}

/// What doesn't depend on where the ids come from.
struct Run {
    client: Client,
    kind: Kind,
    concurrency: usize,
    /// How many more ids have to be not found, before any other outcome, to stop.
    not_found_left: Option<usize>,
    read: u64,
    slots: Slots,
    in_flight: FuturesUnordered<Discarding>,
    ready: VecDeque<Revocation>,
    stopped: Option<StopReason>,
    stop: StopHandle,
    drain_timeout: Duration,
    own_token: OwnToken,
    /// What the client's own token may be called; empty where that needn't be known.
    own_ids: Vec<String>,
    /// The inputs that named it.
    held_back: Vec<(u64, String)>,
}

impl<S> RevocationStream<S> {
    pub(super) fn new(batch: Revocations<S>) -> Self {
        let mut own_ids = batch.own_ids;
        match batch.kind {
            Kind::Project => own_ids.extend(batch.client.own_claims()),
            Kind::User => own_ids.clear(),
        }
        let run = Run {
            client: batch.client,
            kind: batch.kind,
            concurrency: batch.concurrency.get(),
            not_found_left: batch.not_found_limit.map(usize::from),
            read: 0,
            slots: Slots::default(),
            in_flight: FuturesUnordered::new(),
            ready: VecDeque::new(),
            stopped: None,
            stop: batch.stop,
            drain_timeout: batch.drain_timeout,
            own_token: batch.own_token,
            own_ids,
            held_back: Vec::new(),
        };
        Self { ids: batch.ids, ids_ended: false, run, drain: None }
    }

    /// Returns why the batch has stopped, if it has; the ids that are left come out as
    /// [`NotAttempted`](RevocationOutcome::NotAttempted).
    #[must_use]
    pub fn stopped(&self) -> Option<StopReason> {
        self.run.stopped
    }

    /// Returns how many requests are in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.run.in_flight.len()
    }
}

impl<S> Stream for RevocationStream<S>
where
    S: Stream<Item: Into<String>>,
{
    type Item = Revocation;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Revocation>> {
        let mut this = self.project();
        let requested = this.run.stop.poll(cx.waker());
        if requested != Requested::Nothing {
            this.run.stopped.get_or_insert(StopReason::Requested);
            let drain = this.drain.get_or_insert_with(|| Box::pin(sleep(this.run.drain_timeout)));
            let is_over = drain.as_mut().poll(cx).is_ready();
            if is_over || requested == Requested::End {
                this.run.give_up();
            }
        }
        loop {
            if let Some(revocation) = this.run.ready.pop_front() {
                return Poll::Ready(Some(revocation));
            }
            while !*this.ids_ended && this.run.has_place() {
                match this.ids.as_mut().poll_next(cx) {
                    Poll::Ready(Some(id)) => this.run.take_up(id.into()),
                    Poll::Ready(None) => *this.ids_ended = true,
                    Poll::Pending => break,
                }
            }
            if !this.run.ready.is_empty() {
                continue;
            }
            match ready!(Pin::new(&mut this.run.in_flight).poll_next(cx)) {
                Some((slot, discarded)) => this.run.settle(slot, discarded),
                None if *this.ids_ended && this.run.held_back.is_empty() => return Poll::Ready(None),
                None if *this.ids_ended => this.run.release(),
                None => return Poll::Pending,
            }
        }
    }
}

impl Run {
    /// Says whether another id can be read: there is a place in flight, and nothing waits to be handed out.
    fn has_place(&self) -> bool {
        self.in_flight.len() < self.concurrency && self.ready.is_empty()
    }

    fn take_up(&mut self, token_id: String) {
        let index = self.read;
        self.read += 1;
        if self.own_ids.iter().any(|own| own.eq_ignore_ascii_case(&token_id)) {
            self.held_back.push((index, token_id));
        } else {
            self.send(index, token_id);
        }
    }

    /// Takes the client's own token up, when there is nothing else left.
    fn release(&mut self) {
        for (index, token_id) in std::mem::take(&mut self.held_back) {
            match self.own_token {
                OwnToken::Last => self.send(index, token_id),
                OwnToken::Skip => {
                    self.ready.push_back(Revocation::new(index, token_id, RevocationOutcome::NotAttempted));
                }
            }
        }
    }

    fn send(&mut self, index: u64, token_id: String) {
        if self.stopped.is_some() {
            self.ready.push_back(Revocation::new(index, token_id, RevocationOutcome::NotAttempted));
            return;
        }
        if let Some(slot) = self.slots.insert(index, token_id) {
            let send = self.kind.discard(&self.client, self.slots.token_id(slot));
            self.in_flight.push(Discarding::new(slot, send));
        }
    }

    /// Drops what is in flight: whether it is revoked isn't known.
    fn give_up(&mut self) {
        self.in_flight = FuturesUnordered::new();
        for Slot { token_id, first, others } in self.slots.drain() {
            for index in std::iter::once(first).chain(others) {
                self.ready.push_back(Revocation::new(index, token_id.clone(), RevocationOutcome::Unknown));
            }
        }
    }

    /// Hands the outcome out to each input that waited for it.
    fn settle(&mut self, slot: usize, discarded: Discarded) {
        let Slot { token_id, first, others } = self.slots.remove(slot);
        for index in others {
            let shared = describe(index, token_id.clone(), &discarded);
            self.ready.push_back(Revocation { is_shared: true, ..shared });
        }
        let mut revocation = describe(first, token_id, &discarded);
        if let Ok(Err(error)) = discarded {
            revocation.error = Some(error);
        }
        self.watch(&revocation);
        self.ready.push_front(revocation);
    }

    /// Stops the batch where no other id would fare better.
    fn watch(&mut self, revocation: &Revocation) {
        if revocation.error.as_ref().is_some_and(Error::is_unauthorized) {
            self.stopped.get_or_insert(StopReason::Unauthorized);
        }
        match (revocation.outcome, self.not_found_left) {
            (RevocationOutcome::NotFound, Some(1)) => {
                self.stopped.get_or_insert(StopReason::AllNotFound);
            }
            (RevocationOutcome::NotFound, Some(left)) => self.not_found_left = Some(left - 1),
            (RevocationOutcome::InvalidId, _) | (_, None) => {}
            _ => self.not_found_left = None,
        }
    }
}

/// Says what became of an input, but for the error, of which there is one however many inputs named the id.
fn describe(index: u64, token_id: String, discarded: &Discarded) -> Revocation {
    let mut revocation = Revocation::new(index, token_id, RevocationOutcome::Unknown);
    match discarded {
        Ok(Ok((parts, answer, elapsed))) => {
            revocation.outcome = RevocationOutcome::Revoked;
            let attempts = parts.extensions.get::<Attempts>().map(|attempts| &attempts.0[..]);
            revocation.attempts = attempts.map_or(1, |attempts| count(attempts.len()));
            revocation.rate_limited = attempts.map_or(0, rate_limited);
            revocation.status = Some(parts.status);
            revocation.discarded_at = answer.discarded_at.clone();
            revocation.elapsed = *elapsed;
            revocation.request_id = parts.headers.get(REQUEST_ID).cloned();
        }
        Ok(Err(error)) => {
            revocation.outcome = classify(error);
            revocation.attempts = count(error.attempts().len());
            revocation.rate_limited = rate_limited(error.attempts());
            revocation.status = error.status();
            revocation.elapsed = error.elapsed();
            revocation.request_id = error.headers().and_then(|headers| headers.get(REQUEST_ID)).cloned();
        }
        // A layer of the caller's panicked: how far the request got isn't known.
        Err(_) => {}
    }
    revocation
}

fn count(attempts: usize) -> u32 {
    u32::try_from(attempts).unwrap_or(u32::MAX)
}

fn rate_limited(attempts: &[Attempt]) -> u32 {
    count(attempts.iter().filter(|attempt| attempt.status == Some(StatusCode::TOO_MANY_REQUESTS)).count())
}

impl<S> fmt::Debug for RevocationStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationStream")
            .field("read", &self.run.read)
            .field("in_flight", &self.run.in_flight.len())
            .field("stopped", &self.run.stopped)
            .finish_non_exhaustive()
    }
}

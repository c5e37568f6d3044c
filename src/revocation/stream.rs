//! The outcomes, as they come.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};

use super::batch::Revocations;
use super::run::Run;
use super::stop::Requested;
use super::{JournalError, Revocation, StopReason};

/// How many outcomes are handed out in a row before others on the thread get their turn: a signal's handler, say. Ids that aren't
/// sent need no waiting, so nothing else would give it to them.
const IN_A_ROW: u32 = 128;

pin_project! {
    /// The outcomes of a batch, as they come: one for each id.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use futures_util::{StreamExt, future::ready};
    /// use magicbell::testing::{Fault, Server};
    ///
    /// let server = Server::start().await?;
    /// let client = server.client();
    /// server.fail_next(Fault::status(403).times(2));
    ///
    /// let outcomes = client.jwt().discard_user_jwts(server.add_user_tokens("hana", 50)).stream();
    /// let left = outcomes.filter(|revocation| ready(!revocation.outcome.is_revoked()));
    /// let left = left.map(|revocation| revocation.token_id).collect::<Vec<_>>().await;
    /// assert_eq!(left.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "streams do nothing unless polled"]
    pub struct RevocationStream<S> {
        #[pin]
        ids: S,
        ids_ended: bool,
        run: Run,
        // In a box, of which there is at most one a batch, so that the stream can be polled without being pinned.
        drain: Option<Pin<Box<Sleep>>>,
        in_a_row: u32,
    }
}

impl<S> RevocationStream<S> {
    pub(super) fn new(batch: Revocations<S>) -> Self {
        let (run, ids) = Run::new(batch);
        Self { ids, ids_ended: false, run, drain: None, in_a_row: 0 }
    }

    /// Returns why the batch has stopped, if it has; the ids that are left come out as
    /// [`NotAttempted`](super::RevocationOutcome::NotAttempted).
    ///
    /// What was sent and is in flight has the [drain time](Revocations::drain_timeout) to end, whatever the reason. Ids are read
    /// to their end, also where the batch stopped by itself. Where they have none, a [`StopHandle`](super::StopHandle) ends it.
    #[must_use]
    pub fn stopped(&self) -> Option<StopReason> {
        self.run.stopped
    }

    /// Returns why the journal can't be used or written, where it can't.
    #[must_use]
    pub fn journal_error(&self) -> Option<&JournalError> {
        self.run.recording.error()
    }

    #[cfg(test)]
    pub(super) fn set_recording(&mut self, recording: super::recording::Recording) {
        self.run.recording = recording;
    }

    /// Returns how many requests may be in flight by now: see [`Revocations::concurrency`].
    #[must_use]
    pub fn concurrency(&self) -> usize {
        self.run.watch.concurrency()
    }

    /// Returns how many requests are in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.run.in_flight.len()
    }
}

impl<S> RevocationStream<S>
where
    S: Stream<Item: Into<String>>,
{
    /// Drains, or ends, where it has stopped. Returns whether ids are read no more unless they are at hand.
    fn poll_stop(self: Pin<&mut Self>, cx: &mut Context<'_>) -> bool {
        let this = self.project();
        let requested = this.run.stop.poll(cx.waker());
        if requested != Requested::Nothing && this.run.stopped.is_none() {
            this.run.stop_for(StopReason::Requested);
        }
        let is_waiting = requested != Requested::Nothing || !this.run.in_flight.is_empty();
        let is_drained = this.run.stopped.is_some() && is_waiting && {
            let drain = this.drain.get_or_insert_with(|| Box::pin(sleep(this.run.drain_timeout)));
            drain.as_mut().poll(cx).is_ready() || requested == Requested::End
        };
        if is_drained {
            this.run.give_up();
        }
        // Where it stopped by itself, each id still has its outcome.
        let is_over = is_drained && requested != Requested::Nothing;
        if is_over {
            // Nobody says that these ever end.
            *this.ids_ended |= this.ids.size_hint().1.is_none();
        }
        is_over
    }

    /// Reads ids while there are places for them. After many that need none, as those that are in flight already, others on the
    /// thread get their turn.
    fn read(self: Pin<&mut Self>, is_over: bool, cx: &mut Context<'_>) {
        let mut this = self.project();
        let mut left = this.run.watch.concurrency().saturating_add(IN_A_ROW as usize);
        while !*this.ids_ended && this.run.poll_place(cx) == Poll::Ready(true) {
            if left == 0 {
                cx.waker().wake_by_ref();
                return;
            }
            left -= 1;
            match this.ids.as_mut().poll_next(cx) {
                Poll::Ready(Some(id)) => this.run.take_up(id.into()),
                Poll::Ready(None) => *this.ids_ended = true,
                Poll::Pending => {
                    *this.ids_ended = is_over;
                    return;
                }
            }
        }
    }
}

impl<S> Stream for RevocationStream<S>
where
    S: Stream<Item: Into<String>>,
{
    type Item = Revocation;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Revocation>> {
        let in_a_row = std::mem::take(self.as_mut().project().in_a_row);
        if in_a_row >= IN_A_ROW {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let is_over = self.as_mut().poll_stop(cx);
        loop {
            if let Some(revocation) = self.as_mut().project().run.next_ready() {
                *self.as_mut().project().in_a_row = in_a_row + 1;
                return Poll::Ready(Some(revocation));
            }
            self.as_mut().read(is_over, cx);
            let this = self.as_mut().project();
            this.run.commit();
            if this.run.has_ready() {
                continue;
            }
            match this.run.poll_in_flight(cx) {
                Poll::Ready(true) => {}
                Poll::Ready(false) if *this.ids_ended => {
                    if !this.run.release() {
                        this.run.finish();
                        return Poll::Ready(None);
                    }
                }
                Poll::Ready(false) | Poll::Pending => {
                    if this.run.poll_due(cx).is_ready() {
                        // It has stopped, and what is in flight has its time to end from now on.
                        cx.waker().wake_by_ref();
                    }
                    return Poll::Pending;
                }
            }
        }
    }
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

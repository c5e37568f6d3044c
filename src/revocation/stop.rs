//! Stopping a batch from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;

use futures_util::task::AtomicWaker;

/// Stops a batch from outside: from a signal handler, say. Clones stop the same batch.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{revocation::StopReason, testing::Server};
///
/// let server = Server::start().await?;
/// let client = server.client();
/// let batch = client.jwt().discard_user_jwts(server.add_user_tokens("hana", 10_000));
/// let stop = batch.stop_handle();
/// tokio::spawn(async move {
///     // … tokio::signal::ctrl_c().await
///     stop.stop();
/// });
/// let report = batch.run().await;
/// assert_eq!(report.stopped, Some(StopReason::Requested));
/// assert_eq!(report.total(), 10_000, "every id has an outcome");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct StopHandle {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    requests: AtomicUsize,
    waker: AtomicWaker,
}

/// What has been asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Requested {
    Nothing,
    Drain,
    End,
}

impl StopHandle {
    /// Stops: no other id is sent, and what was sent and is in flight has the batch's
    /// [drain time](super::Revocations::drain_timeout) to end. What still waits for its turn, or to try again after no connection was
    /// made, and ids that are read on, are [`NotAttempted`](super::RevocationOutcome::NotAttempted). Where the client has
    /// [layers](crate::ClientBuilder::layer) around its calls, one of them may go on with a call that is given up, so what waits has
    /// the drain time too.
    ///
    /// The second time it ends at once. What is in flight, or in such a layer's hands, is
    /// [`Unknown`](super::RevocationOutcome::Unknown); what a 429 has turned away each time is
    /// [`Refused`](super::RevocationOutcome::Refused). Ids are read on only where their iterator or stream says how many are left, by
    /// the upper bound of its `size_hint`, and has them at hand. Those of any other are read no more, as they may never end: what
    /// wasn't read has no outcome.
    pub fn stop(&self) {
        self.shared.requests.fetch_add(1, Ordering::AcqRel);
        self.shared.waker.wake();
    }

    /// Asks what has been asked for, and to be woken when that changes.
    pub(super) fn poll(&self, waker: &Waker) -> Requested {
        // Registered first: a stop between the two is seen, or wakes.
        self.shared.waker.register(waker);
        match self.shared.requests.load(Ordering::Acquire) {
            0 => Requested::Nothing,
            1 => Requested::Drain,
            _ => Requested::End,
        }
    }
}

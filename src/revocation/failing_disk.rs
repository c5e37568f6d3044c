//! What becomes of a batch whose journal can't be written.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use http::{Request, Response};
use magicbell_middleware::Body;

use super::journal::{JournalErrorKind, JournalSync, Sink};
use super::recording::Recording;
use super::{Revocation, RevocationOutcome, StopReason};
use crate::client::Client;
use crate::testing::{Fault, Server};

/// A disk that is full after some writes, or fails to sync after some.
struct Disk {
    writes: usize,
    syncs: usize,
    /// How often it was asked after it had failed.
    in_vain: Arc<AtomicUsize>,
    has_failed: bool,
}

impl Disk {
    fn new(writes: usize, syncs: usize) -> (Self, Arc<AtomicUsize>) {
        let in_vain = Arc::<AtomicUsize>::default();
        (Self { writes, syncs, in_vain: Arc::clone(&in_vain), has_failed: false }, in_vain)
    }

    fn use_up(&mut self, left: fn(&mut Self) -> &mut usize) -> io::Result<()> {
        if self.has_failed {
            self.in_vain.fetch_add(1, Ordering::Relaxed);
        }
        match left(self) {
            0 => {
                self.has_failed = true;
                Err(io::ErrorKind::StorageFull.into())
            }
            left => {
                *left -= 1;
                Ok(())
            }
        }
    }
}

impl Sink for Disk {
    fn append(&mut self, _: &[u8]) -> io::Result<()> {
        self.use_up(|disk| &mut disk.writes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.use_up(|disk| &mut disk.syncs)
    }
}

/// Revokes 100 tokens, 4 at a time, with what a journal is written to. Returns what came out, and the server.
async fn revoke(
    server: &Server,
    sink: impl Sink + 'static,
    sync: JournalSync,
) -> (Vec<Revocation>, Option<StopReason>) {
    let ids = server.add_user_tokens("u", 100);
    let batch = server.client().jwt().discard_user_jwts(ids).concurrency(4).drain_timeout(Duration::from_millis(50));
    let mut stream = batch.stream();
    stream.set_recording(Recording::to(Box::new(sink), sync));
    let mut revocations = Vec::new();
    while let Some(revocation) = stream.next().await {
        revocations.push(revocation);
    }
    if stream.stopped().is_some() {
        assert_eq!(stream.journal_error().map(|error| error.kind()), Some(JournalErrorKind::Io));
    }
    (revocations, stream.stopped())
}

fn count(revocations: &[Revocation], outcome: RevocationOutcome) -> usize {
    revocations.iter().filter(|revocation| revocation.outcome == outcome).count()
}

#[tokio::test]
async fn a_disk_that_fills_up_stops_the_sending_and_each_id_has_its_true_outcome() {
    for (writes, syncs) in [(0, 0), (1, 99), (5, 99), (99, 0), (99, 1), (99, 7)] {
        let server = Server::start().await.unwrap();
        let (disk, in_vain) = Disk::new(writes, syncs);
        let (revocations, stopped) = revoke(&server, disk, JournalSync::Each).await;
        let told = format!("{writes} writes, {syncs} syncs");
        assert_eq!((revocations.len(), stopped), (100, Some(StopReason::JournalFailed)), "{told}");
        for revocation in &revocations {
            let is_revoked = revocation.outcome == RevocationOutcome::Revoked;
            assert_eq!(server.is_discarded(&revocation.token_id), Some(is_revoked), "{told}: {revocation:?}");
        }
        // What could be written was sent, at most 4 of it a time, and nothing after that.
        let sent = server.request_count();
        assert_eq!(sent, count(&revocations, RevocationOutcome::Revoked), "{told}");
        assert!(sent <= 4 * writes.min(syncs), "{told}: {sent}");
        assert_eq!(in_vain.load(Ordering::Relaxed), 0, "{told}: it was asked again");
    }
}

#[tokio::test]
async fn what_is_in_flight_when_the_disk_fails_has_its_time_to_end() {
    let server = Server::start().await.unwrap();
    server.fail_next(Fault::delay(Duration::ZERO).times(3));
    server.fail_next(Fault::stall().always());
    let (disk, _) = Disk::new(1, 1);
    let (revocations, stopped) = revoke(&server, disk, JournalSync::Each).await;
    assert_eq!((revocations.len(), stopped), (100, Some(StopReason::JournalFailed)));
    assert_eq!(count(&revocations, RevocationOutcome::Revoked), 3);
    assert_eq!(count(&revocations, RevocationOutcome::Unknown), 1);
    assert_eq!(count(&revocations, RevocationOutcome::NotAttempted), 96);
}

#[tokio::test]
async fn a_sync_that_fails_between_two_outcomes_stops_the_batch_as_well() {
    let server = Server::start().await.unwrap();
    server.fail_next(Fault::stall().always());
    let (disk, _) = Disk::new(99, 0);
    let (revocations, stopped) = revoke(&server, disk, JournalSync::Every(Duration::from_millis(5))).await;
    assert_eq!((revocations.len(), stopped), (100, Some(StopReason::JournalFailed)));
    assert_eq!(count(&revocations, RevocationOutcome::Unknown), 4);
}

#[tokio::test]
async fn a_sync_that_fails_at_the_end_is_told() {
    let server = Server::start().await.unwrap();
    let (disk, _) = Disk::new(999, 0);
    let (revocations, stopped) = revoke(&server, disk, JournalSync::Every(Duration::from_secs(3600))).await;
    assert_eq!(count(&revocations, RevocationOutcome::Revoked), 100);
    assert_eq!(stopped, Some(StopReason::JournalFailed));
}

#[tokio::test]
async fn what_ends_together_is_written_together_with_what_takes_its_place() {
    let transport = tower::service_fn(|request: Request<Body>| {
        let id = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
        let answer = Response::builder().header("content-type", "application/json");
        std::future::ready(answer.body(Body::from(format!(r#"{{"token_id":"{id}"}}"#))))
    });
    let client = Client::builder().token("t").transport(transport).build().unwrap();
    let ids = (0..200).map(|number| format!("id-{number}"));
    let mut stream = client.jwt().discard_user_jwts(ids).concurrency(50).stream();
    // The first intents; three times outcomes and intents; the last outcomes.
    let (disk, in_vain) = Disk::new(5, 5);
    stream.set_recording(Recording::to(Box::new(disk), JournalSync::Each));
    assert_eq!(stream.by_ref().count().await, 200);
    assert_eq!((stream.stopped(), in_vain.load(Ordering::Relaxed)), (None, 0));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_real_disk_without_room_and_a_file_that_is_not_open_for_writing_stop_it_too() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for sink in [full, File::open("Cargo.toml").unwrap()] {
        let server = Server::start().await.unwrap();
        let (revocations, stopped) = revoke(&server, sink, JournalSync::Each).await;
        assert_eq!((revocations.len(), stopped), (100, Some(StopReason::JournalFailed)));
        assert_eq!((count(&revocations, RevocationOutcome::NotAttempted), server.request_count()), (100, 0));
    }
}

/// Nobody says how many they are, and still each has its outcome.
#[tokio::test]
async fn ids_without_a_known_number_are_read_to_their_end_when_the_disk_fails() {
    let server = Server::start().await.unwrap();
    server.fail_next(Fault::stall().always());
    let mut left = server.add_user_tokens("u", 100).into_iter();
    let ids = std::iter::from_fn(move || left.next());
    let batch = server.client().jwt().discard_user_jwts(ids).concurrency(4).drain_timeout(Duration::ZERO);
    let mut stream = batch.stream();
    let (disk, _) = Disk::new(99, 0);
    stream.set_recording(Recording::to(Box::new(disk), JournalSync::Every(Duration::from_millis(5))));
    assert_eq!(stream.by_ref().count().await, 100);
    assert_eq!(stream.stopped(), Some(StopReason::JournalFailed));
}

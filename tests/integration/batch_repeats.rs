//! Ids that are given again and again: how far they are read, and what each input gets.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{FutureExt as _, StreamExt as _};
use magicbell::Client;
use magicbell::revocation::{Revocation, RevocationOutcome};
use magicbell::testing::{Fault, Server};

use crate::support::client;

/// How many inputs that repeat an id are read for each request that may be in flight.
const REPEATS: usize = 16;

/// Counts how far it is read.
fn counted(ids: impl Iterator<Item = String>) -> (Arc<AtomicUsize>, impl Iterator<Item = String>) {
    let read = Arc::<AtomicUsize>::default();
    let counter = Arc::clone(&read);
    (read, ids.inspect(move |_| _ = counter.fetch_add(1, Ordering::Relaxed)))
}

/// Says that each input has one outcome, and that those of an id that was in flight are alike.
fn check(revocations: &[Revocation], inputs: usize) {
    let indices = revocations.iter().map(|revocation| revocation.index).collect::<HashSet<_>>();
    assert_eq!((revocations.len(), indices.len()), (inputs, inputs));
}

#[tokio::test]
async fn repeats_of_ids_in_flight_are_read_up_to_a_bound() {
    let server = Server::start().await.unwrap();
    server.fail_next(Fault::stall().always());
    for (different, concurrency) in [(1, 8), (3, 8), (7, 8), (1, 64)] {
        let ids = (0..different).map(|number| format!("id-{number}")).collect::<Vec<_>>();
        let (read, ids) = counted(ids.into_iter().cycle());
        let mut stream = client(&server).jwt().discard_user_jwts(ids).concurrency(concurrency).stream();
        for _ in 0..100 {
            assert!(stream.next().now_or_never().is_none());
        }
        assert_eq!(stream.in_flight(), different);
        assert_eq!(read.load(Ordering::Relaxed), different + REPEATS * concurrency);
    }
}

/// Nobody else has the thread while a batch is polled.
#[tokio::test]
async fn inputs_without_an_end_that_need_no_place_leave_others_their_turn() {
    let server = Server::start().await.unwrap();
    // The client's own token is held back, however often it is given.
    let (read, ids) = counted(std::iter::repeat(server.token_id().to_owned()));
    let mut stream = client(&server).jwt().discard_project_jwts(ids).concurrency(8).stream();
    for poll in 1..=10 {
        assert!(stream.next().now_or_never().is_none());
        assert!(read.load(Ordering::Relaxed) <= poll * 200, "{read:?} after {poll}");
    }
}

#[tokio::test]
async fn one_id_without_an_end_gives_outcomes_without_an_end() {
    for different in [1, 2] {
        let server = Server::start().await.unwrap();
        let ids = server.add_user_tokens("u", different);
        let client = client(&server);
        let batch = client.jwt().discard_user_jwts(ids.into_iter().cycle()).stop_after_not_found(0);
        let revocations = batch.stream().take(5_000).collect::<Vec<_>>().await;
        check(&revocations, 5_000);
        let revoked = revocations.iter().filter(|revocation| revocation.outcome == RevocationOutcome::Revoked).count();
        assert!(revoked > different, "what was in flight together shares an outcome: {revoked}");
    }
}

async fn outcomes(client: &Client, ids: Vec<String>) -> Vec<Revocation> {
    client.jwt().discard_user_jwts(ids).concurrency(4).stream().collect().await
}

#[tokio::test]
async fn each_of_many_repeats_has_its_outcome_and_the_first_has_the_error() {
    let server = Server::start().await.unwrap();
    let mut ids = vec!["twice".to_owned(); 300];
    ids.extend(server.add_user_tokens("u", 300));
    server.fail_next(Fault::status(403).times(600));
    let revocations = outcomes(&client(&server), ids).await;
    check(&revocations, 600);
    assert!(revocations.iter().all(|revocation| revocation.outcome == RevocationOutcome::Refused));
    // Those that waited for the first request, and the first of those that waited for the next one.
    for (position, revocation) in revocations[..=1 + 4 * REPEATS].iter().enumerate() {
        let is_first = position % (1 + 4 * REPEATS) == 0;
        assert_eq!((revocation.index, revocation.error.is_some()), (position as u64, is_first), "{position}");
        assert_eq!(revocation.status.map(|status| status.as_u16()), Some(403));
        let is_of_first = revocation.request_id() == revocations[0].request_id();
        assert_eq!(is_of_first, position <= 4 * REPEATS, "{position}");
    }
    assert_eq!(server.count("discard_user_jwt"), 300 + 300_usize.div_ceil(1 + 4 * REPEATS));
}

//! What a resumed batch does again, and what it doesn't.

use futures_util::StreamExt as _;
use magicbell::revocation::{Journal, RevocationOutcome, StopReason};
use magicbell::testing::{Fault, Server};
use magicbell::{AttemptError, Body, BoxError, Client};

use super::{die_after, folder, outcomes, revoke, sent};
use crate::support::{UNKNOWN_ID, client, quick};

#[tokio::test]
async fn what_is_settled_is_not_sent_again_and_its_outcome_comes_out_again() {
    let (_folder, path) = folder();
    let server = Server::start().await.unwrap();
    let mut ids = server.add_user_tokens("u", 3);
    ids.extend([UNKNOWN_ID.to_owned(), "..".to_owned()]);
    server.fail_next(Fault::reset().after_processing());
    let first = revoke(&client(&server), &ids, &path).await;
    server.clear_requests();
    let again = revoke(&client(&server), &ids, &path).await;
    assert_eq!(server.request_count(), 0);
    assert_eq!(outcomes(&again), outcomes(&first));
    use RevocationOutcome::{AlreadyRevoked, InvalidId, NotFound, Revoked};
    let mut kinds = outcomes(&first);
    kinds.sort();
    assert_eq!(kinds, [Revoked, Revoked, AlreadyRevoked, NotFound, InvalidId]);
    for (before, after) in first.iter().zip(&again) {
        let is_told = before.outcome != InvalidId;
        assert_eq!((before.from_journal, after.from_journal), (false, is_told), "{}", before.outcome);
        assert_eq!((after.attempts, after.status), (before.attempts, before.status));
        assert_eq!((&after.token_id, after.is_presumed()), (&before.token_id, before.is_presumed()));
    }
}

#[tokio::test]
async fn what_is_not_settled_is_sent_again() {
    use RevocationOutcome::{Refused, Revoked, Unknown, Unverified};
    for (fault, outcome) in
        [(Fault::status(500), Unknown), (Fault::html(200), Unverified), (Fault::status(403), Refused)]
    {
        let (_folder, path) = folder();
        let server = Server::start().await.unwrap();
        let ids = server.add_user_tokens("u", 1);
        server.fail_next(fault.always());
        assert_eq!(outcomes(&revoke(&client(&server), &ids, &path).await), [outcome]);
        server.clear_faults();
        assert_eq!(outcomes(&revoke(&client(&server), &ids, &path).await), [Revoked], "after {outcome}");
    }
}

#[tokio::test]
async fn a_404_after_a_run_that_may_have_revoked_it_is_already_revoked() {
    use RevocationOutcome::{AlreadyRevoked, NotFound, Refused, Unknown, Unverified};
    let cases = [
        (Fault::reset().after_processing(), Unknown, AlreadyRevoked),
        (Fault::close().after_processing(), Unknown, AlreadyRevoked),
        (Fault::cut_body(10), Unknown, AlreadyRevoked),
        (Fault::status(500).after_processing(), Unknown, AlreadyRevoked),
        (Fault::html(200).after_processing(), Unverified, AlreadyRevoked),
        // It said that it wasn't done: the 404 may be that of a token of another kind.
        (Fault::status(503).after_processing(), Unknown, NotFound),
        (Fault::status(403).after_processing(), Refused, NotFound),
    ];
    for (fault, first, second) in cases {
        let (_folder, path) = folder();
        let server = Server::start().await.unwrap();
        let ids = server.add_user_tokens("u", 1);
        server.fail_next(fault);
        // What else comes in a retry says no more than the first attempt did.
        let client = Client::builder().token(server.token()).base_url(server.url());
        let client = client.retry(magicbell::RetryPolicy::never()).build().unwrap();
        assert_eq!(outcomes(&revoke(&client, &ids, &path).await), [first]);
        server.clear_faults();
        let again = revoke(&client, &ids, &path).await;
        assert_eq!(outcomes(&again), [second]);
        assert_eq!(again[0].is_presumed(), second == AlreadyRevoked);
    }
}

#[tokio::test]
async fn a_404_after_a_run_that_can_not_have_revoked_it_is_not_found() {
    let server = Server::start().await.unwrap();
    let builder = || Client::builder().token(server.token()).base_url(server.url()).retry(quick());
    let down = tower::service_fn(|_: http::Request<Body>| {
        std::future::ready(Err::<http::Response<Body>, BoxError>(AttemptError::not_sent("down").into()))
    });
    let clients = [builder().build().unwrap(), builder().transport(down).build().unwrap()];
    for first in clients {
        let (_folder, path) = folder();
        let ids = server.add_project_tokens(1);
        server.fail_next(Fault::status(503).always());
        assert_eq!(outcomes(&revoke(&first, &ids, &path).await), [RevocationOutcome::Unknown]);
        server.clear_faults();
        assert_eq!(outcomes(&revoke(&client(&server), &ids, &path).await), [RevocationOutcome::NotFound]);
        assert_eq!(server.is_discarded(&ids[0]), Some(false), "it is of the other kind");
    }
}

#[tokio::test]
async fn a_refusal_after_a_run_that_may_have_revoked_it_is_unknown() {
    let (_folder, path) = folder();
    let server = Server::start().await.unwrap();
    let ids = server.add_user_tokens("u", 1);
    for fault in [Fault::status(500), Fault::status(403)] {
        server.clear_faults();
        server.fail_next(fault.always());
        let revocations = revoke(&client(&server), &ids, &path).await;
        assert_eq!(outcomes(&revocations), [RevocationOutcome::Unknown]);
    }
    server.clear_faults();
    assert_eq!(outcomes(&revoke(&client(&server), &ids, &path).await), [RevocationOutcome::Revoked]);
}

#[tokio::test]
async fn what_was_in_flight_when_a_batch_died_is_sent_again_and_was_maybe_revoked() {
    let (_folder, path) = folder();
    let server = Server::start().await.unwrap();
    let ids = server.add_user_tokens("u", 200);
    let first = die_after(&client(&server), &ids, &path, 100).await;
    let journal = Journal::open(&path).unwrap();
    assert!(
        journal.settled() >= 100 && (1..=8).contains(&journal.unknown()),
        "{} {}",
        journal.settled(),
        journal.unknown()
    );
    drop(journal);
    let again = revoke(&client(&server), &ids, &path).await;
    let report = client(&server).jwt().discard_user_jwts(ids.clone()).journal(Journal::open(&path).unwrap()).unwrap();
    let report = report.run().await;
    assert_eq!((report.total(), report.is_complete(), report.stopped), (200, true, None), "{report}");
    assert_eq!(
        (report.from_journal(), report.tried(), report.attempts()),
        (200, 0, 0),
        "all of it is told by the journal"
    );
    assert!(first.iter().all(|revocation| again[revocation.index as usize].from_journal));
    assert!(ids.iter().all(|id| server.is_discarded(id) == Some(true)));
    // Those that had no outcome were sent twice, and no other.
    assert!(sent(&server).len() <= 200 + 8, "{}", sent(&server).len());
}

#[tokio::test]
async fn many_that_a_dead_run_had_revoked_do_not_stop_the_next_one() {
    let (_folder, path) = folder();
    let server = Server::start().await.unwrap();
    let ids = server.add_user_tokens("u", 64);
    // Applied, and never answered: then the process dies.
    server.fail_next(Fault::stall().after_processing().always());
    let batch = client(&server).jwt().discard_user_jwts(ids.clone()).journal(Journal::open(&path).unwrap()).unwrap();
    let mut stream = batch.stream();
    let applied = async {
        while server.request_count() < 64 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! { _ = stream.next() => unreachable!(), () = applied => {} }
    drop(stream);
    server.clear_faults();
    let batch = client(&server).jwt().discard_user_jwts(ids).journal(Journal::open(&path).unwrap()).unwrap();
    let report = batch.run().await;
    assert_eq!((report.stopped, report.count(RevocationOutcome::AlreadyRevoked)), (None, 64), "{report}");
}

#[tokio::test]
async fn ids_of_the_wrong_kind_still_stop_a_batch_with_a_journal() {
    let (_folder, path) = folder();
    let server = Server::start().await.unwrap();
    let ids = server.add_project_tokens(200);
    let batch = client(&server).jwt().discard_user_jwts(ids).journal(Journal::open(&path).unwrap()).unwrap();
    assert_eq!(batch.run().await.stopped, Some(StopReason::AllNotFound));
}

#[tokio::test]
async fn an_id_that_is_given_again_in_a_run_is_sent_once() {
    let (_folder, path) = folder();
    let server = Server::start().await.unwrap();
    let id = server.add_user_tokens("u", 1).remove(0);
    let mut ids = server.add_user_tokens("u", 40);
    ids.insert(0, id.clone());
    ids.push(id.clone());
    let revocations = revoke(&client(&server), &ids, &path).await;
    assert_eq!(
        (revocations[0].outcome, revocations[41].outcome),
        (RevocationOutcome::Revoked, RevocationOutcome::Revoked)
    );
    assert!(revocations[41].from_journal && !revocations[0].from_journal);
    assert_eq!(sent(&server).iter().filter(|sent| **sent == id).count(), 1);
}

#[tokio::test]
async fn a_stopped_batch_says_what_its_journal_knows() {
    let (_folder, path) = folder();
    let server = Server::start().await.unwrap();
    let ids = server.add_user_tokens("u", 3);
    revoke(&client(&server), &ids[..1], &path).await;
    server.fail_next(Fault::status(500).always());
    revoke(&client(&server), &ids[1..2], &path).await;
    let batch = client(&server).jwt().discard_user_jwts(ids).journal(Journal::open(&path).unwrap()).unwrap();
    batch.stop_handle().stop();
    let found =
        batch.stream().map(|revocation| (revocation.outcome, revocation.from_journal)).collect::<Vec<_>>().await;
    use RevocationOutcome::{NotAttempted, Revoked, Unknown};
    assert_eq!(found, [(Revoked, true), (Unknown, true), (NotAttempted, false)]);
}

/// That nothing was sent leaves no doubt, and takes none away: where an earlier run may have revoked it, that still counts.
#[tokio::test]
async fn what_was_never_connected_when_a_batch_stopped_is_sent_by_the_next_one() {
    use RevocationOutcome::{AlreadyRevoked, NotAttempted, NotFound, Unknown};
    for (is_in_doubt, stopped, resumed) in [(false, NotAttempted, NotFound), (true, Unknown, AlreadyRevoked)] {
        let (_folder, path) = folder();
        let server = Server::start().await.unwrap();
        let builder = || Client::builder().token(server.token()).base_url(server.url());
        // Of the other kind: the API says 404.
        let ids = server.add_project_tokens(1);
        if is_in_doubt {
            server.fail_next(Fault::reset().always());
            let client = builder().retry(magicbell::RetryPolicy::never()).build().unwrap();
            assert_eq!(outcomes(&revoke(&client, &ids, &path).await), [Unknown]);
            server.clear_faults();
        }
        let down = tower::service_fn(|_: http::Request<Body>| {
            std::future::ready(Err::<http::Response<Body>, BoxError>(AttemptError::not_sent("down").into()))
        });
        let client = builder().transport(down).build().unwrap();
        let batch = client.jwt().discard_user_jwts(ids.clone()).journal(Journal::open(&path).unwrap()).unwrap();
        let (stop, mut stream) = (batch.stop_handle(), batch.stream());
        assert!(futures_util::FutureExt::now_or_never(stream.next()).is_none(), "it waits to be tried again");
        stop.stop();
        assert_eq!(outcomes(&stream.collect::<Vec<_>>().await), [stopped]);
        assert_eq!(Journal::open(&path).unwrap().unknown(), usize::from(is_in_doubt));
        assert_eq!(outcomes(&revoke(&self::client(&server), &ids, &path).await), [resumed]);
    }
}

//! One input, one outcome, and never one that isn't so.

use std::collections::HashSet;

use futures_util::StreamExt;
use http::Request;
use magicbell::revocation::{OwnToken, Revocation, RevocationOutcome, StopReason};
use magicbell::testing::{Fault, Server};
use magicbell::{Body, BoxError, Client};

use crate::support::{UNKNOWN_ID, client, quick};

async fn outcomes(client: &Client, ids: Vec<String>) -> Vec<Revocation> {
    client.jwt().discard_user_jwts(ids).concurrency(8).stream().collect().await
}

/// Revokes one token under a fault: what came out, and what the server did.
async fn one(fault: Fault) -> (RevocationOutcome, bool) {
    let server = Server::start().await.unwrap();
    let id = server.add_user_tokens("u", 1).remove(0);
    server.fail_next(fault);
    let revocation = outcomes(&client(&server), vec![id.clone()]).await.remove(0);
    assert_eq!((revocation.index, &revocation.token_id), (0, &id));
    (revocation.outcome, server.is_discarded(&id).unwrap())
}

#[tokio::test]
async fn each_outcome_is_what_is_known() {
    use RevocationOutcome::*;
    let other = format!(r#"{{"token_id":"{UNKNOWN_ID}"}}"#);
    for (fault, outcome, is_discarded) in [
        (Fault::delay(std::time::Duration::ZERO), Revoked, true),
        (Fault::status(503), Revoked, true),
        (Fault::reset(), Revoked, true),
        (Fault::empty(204).after_processing(), Revoked, true),
        (Fault::reset().after_processing(), AlreadyRevoked, true),
        (Fault::close().after_processing(), AlreadyRevoked, true),
        (Fault::cut_body(10), AlreadyRevoked, true),
        (Fault::cut_body_without_length(10), AlreadyRevoked, true),
        (Fault::html(502).after_processing(), AlreadyRevoked, true),
        (Fault::body(410, r#"{"errors":[{"code":"gone","message":"gone"}]}"#), AlreadyRevoked, false),
        (Fault::status(404), NotFound, false),
        (Fault::status(403), Refused, false),
        (Fault::status(422), Refused, false),
        (Fault::status(429).times(5), Revoked, true),
        (Fault::reset().always(), Unknown, false),
        (Fault::status(500).always(), Unknown, false),
        (Fault::html(503).always(), Unknown, false),
        // The second answer is a 404 whose envelope was cut: nothing says that it came from the API.
        (Fault::cut_body(10).always(), Unverified, true),
        (Fault::html(404), Unverified, false),
        (Fault::html(410), Unverified, false),
        (Fault::html(200), Revoked, true),
        (Fault::html(200).after_processing(), AlreadyRevoked, true),
        (Fault::html(200).always(), Unverified, false),
        (Fault::body(200, other), Unverified, false),
        (Fault::body(200, "{}"), Unverified, false),
    ] {
        let told = format!("{fault:?}");
        assert_eq!(one(fault).await, (outcome, is_discarded), "{told}");
    }
}

#[tokio::test]
async fn a_refusal_after_an_unknown_attempt_leaves_it_unknown() {
    let server = Server::start().await.unwrap();
    let id = server.add_user_tokens("u", 1).remove(0);
    server.fail_next(Fault::reset().after_processing());
    server.fail_next(Fault::status(403));
    assert_eq!(outcomes(&client(&server), vec![id]).await[0].outcome, RevocationOutcome::Unknown);
}

#[tokio::test]
async fn every_input_has_one_outcome_under_random_faults() {
    for seed in 0..8 {
        let server = Server::start().await.unwrap();
        let mut ids = server.add_user_tokens("u", 300);
        ids.extend(["".to_owned(), "a\nb".to_owned(), UNKNOWN_ID.to_owned(), ids[0].clone(), ids[0].clone()]);
        let faults = [
            Fault::reset(),
            Fault::reset().after_processing(),
            Fault::close(),
            Fault::status(503),
            Fault::status(500).after_processing(),
            Fault::cut_body(9),
            Fault::html(502),
            Fault::status(429),
        ];
        server.fail_randomly(seed, 4, faults[seed as usize].clone());
        let client = Client::builder().token(server.token()).base_url(server.url()).retry(quick()).build().unwrap();
        let revocations = outcomes(&client, ids.clone()).await;
        let indices = revocations.iter().map(|revocation| revocation.index).collect::<HashSet<_>>();
        assert_eq!((revocations.len(), indices.len()), (ids.len(), ids.len()));
        for revocation in revocations {
            assert_eq!(revocation.token_id, ids[revocation.index as usize]);
            if revocation.outcome == RevocationOutcome::Revoked {
                assert_eq!(server.is_discarded(&revocation.token_id), Some(true), "{revocation:?}");
            }
            if server.is_discarded(&revocation.token_id) == Some(false) {
                assert!(!revocation.outcome.is_revoked(), "{revocation:?}");
            }
        }
    }
}

#[tokio::test]
async fn an_id_given_twice_while_it_is_in_flight_is_sent_once_and_answered_twice() {
    let server = Server::start().await.unwrap();
    let id = server.add_user_tokens("u", 1).remove(0);
    let revocations = outcomes(&client(&server), vec![id.clone(), id.clone(), id]).await;
    assert_eq!(server.count("discard_user_jwt"), 1);
    let indices = revocations.iter().map(|revocation| revocation.index).collect::<HashSet<_>>();
    assert_eq!(indices, HashSet::from([0, 1, 2]));
    assert!(revocations.iter().all(|revocation| revocation.outcome == RevocationOutcome::Revoked));
}

#[tokio::test]
async fn a_401_stops_the_batch_and_the_rest_is_not_attempted() {
    let server = Server::start().await.unwrap();
    let ids = server.add_user_tokens("u", 1_000);
    server.fail_next(Fault::status(401).always());
    let report = client(&server).jwt().discard_user_jwts(ids).concurrency(8).run().await;
    assert_eq!(report.stopped, Some(StopReason::Unauthorized));
    assert_eq!(report.total(), 1_000);
    let refused = report.count(RevocationOutcome::Refused);
    assert!((1..=8).contains(&refused), "{refused}");
    assert_eq!(report.count(RevocationOutcome::NotAttempted), 1_000 - refused);
    assert_eq!(report.not_attempted().count() as u64, 1_000 - refused);
    assert_eq!(server.count("discard_user_jwt") as u64, refused);
    assert!(report.to_string().contains("stopped: the service refused the credentials"), "{report}");
}

#[tokio::test]
async fn ids_that_are_all_not_found_stop_the_batch_unless_told_otherwise() {
    let server = Server::start().await.unwrap();
    let wrong_kind = server.add_project_tokens(200);
    let client = client(&server);
    let report = client.jwt().discard_user_jwts(wrong_kind.clone()).concurrency(4).stop_after_not_found(10).run().await;
    assert_eq!(report.stopped, Some(StopReason::AllNotFound));
    assert!((10..=14).contains(&report.count(RevocationOutcome::NotFound)));
    let report = client.jwt().discard_user_jwts(wrong_kind).stop_after_not_found(0).run().await;
    assert_eq!((report.stopped, report.count(RevocationOutcome::NotFound)), (None, 200));

    let mut mixed = server.add_user_tokens("u", 1);
    mixed.extend(server.add_project_tokens(50));
    let report = client.jwt().discard_user_jwts(mixed).concurrency(1).stop_after_not_found(10).run().await;
    assert_eq!((report.stopped, report.count(RevocationOutcome::NotFound)), (None, 50), "one was found");
}

#[tokio::test]
async fn ids_are_read_as_places_come_free() {
    let server = Server::start().await.unwrap();
    server.fail_next(Fault::stall().always());
    let read = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = std::sync::Arc::clone(&read);
    let ids = (0..).map(move |number| {
        counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        format!("id-{number}")
    });
    let mut stream = Box::pin(client(&server).jwt().discard_user_jwts(ids).concurrency(5).stream());
    for _ in 0..3 {
        assert!(futures_util::FutureExt::now_or_never(stream.next()).is_none());
    }
    assert_eq!(read.load(std::sync::atomic::Ordering::Relaxed), 5);
    assert_eq!(stream.in_flight(), 5);
}

#[tokio::test]
async fn a_stream_of_ids_serves_as_well() {
    let server = Server::start().await.unwrap();
    let ids = futures_util::stream::iter(server.add_project_tokens(10));
    let report = client(&server).jwt().discard_project_jwts_from(ids).run().await;
    assert!(report.is_complete());
    assert_eq!(report.total(), 10);
}

#[tokio::test]
async fn a_panic_in_a_layer_is_that_ids_and_the_batch_goes_on() {
    let server = Server::start().await.unwrap();
    let ids = server.add_user_tokens("u", 20);
    let bad = ids[7].clone();
    let layer = tower::util::MapRequestLayer::new(move |request: Request<Body>| {
        assert!(!request.uri().path().ends_with(&bad), "a layer's bug");
        request
    });
    let client = Client::builder().token(server.token()).base_url(server.url()).attempt_layer(layer).build().unwrap();
    let revocations = outcomes(&client, ids).await;
    assert_eq!(revocations.len(), 20);
    for revocation in revocations {
        let expected = if revocation.index == 7 { RevocationOutcome::Unknown } else { RevocationOutcome::Revoked };
        assert_eq!(revocation.outcome, expected);
    }
}

#[tokio::test]
async fn what_was_not_sent_is_not_called_revoked() {
    let (_, transport) = crate::support::transport(|_| Err::<_, BoxError>("down".into()));
    let client = Client::builder().token("t").retry(quick()).transport(transport).build().unwrap();
    let revocations = outcomes(&client, vec![UNKNOWN_ID.to_owned(), "..".to_owned()]).await;
    let found = revocations.iter().map(|revocation| (revocation.index, revocation.outcome)).collect::<HashSet<_>>();
    assert_eq!(found, HashSet::from([(0, RevocationOutcome::Unknown), (1, RevocationOutcome::InvalidId)]));
}

#[tokio::test]
async fn a_quota_is_waited_out_and_every_token_revoked() {
    let server = Server::builder().rate_limit(1_000, 10, std::time::Duration::from_secs(1)).start().await.unwrap();
    let ids = server.add_user_tokens("u", 30);
    let report = client(&server).jwt().discard_user_jwts(ids).concurrency(16).run().await;
    assert_eq!((report.total(), report.count(RevocationOutcome::Revoked)), (30, 30), "{report}");
    let refused = server.requests().iter().filter(|sent| sent.status == Some(429)).count();
    assert!(refused > 0, "the quota was never met");
    assert!(refused < 60, "{refused} of {} requests were refused", server.request_count());
}

#[tokio::test]
async fn a_long_pause_holds_the_batch_and_loses_none_of_its_ids() {
    let server = Server::start().await.unwrap();
    let ids = server.add_user_tokens("u", 200);
    let client = Client::builder()
        .token(server.token())
        .base_url(server.url())
        .timeout(std::time::Duration::from_millis(500))
        .build()
        .unwrap();
    server.fail_next(Fault::status(429).retry_after(1));
    let report = client.jwt().discard_user_jwts(ids).concurrency(8).run().await;
    assert_eq!(report.count(RevocationOutcome::Revoked), 200, "{report}");
}

#[tokio::test]
async fn the_clients_own_token_is_revoked_last_or_not_at_all() {
    for (own_token, is_discarded) in [(OwnToken::Last, true), (OwnToken::Skip, false)] {
        let server = Server::start().await.unwrap();
        let mut ids = server.add_project_tokens(50);
        ids.insert(3, server.token_id().to_owned());
        let client = client(&server);
        let mut stream = client.jwt().discard_project_jwts(ids).own_token(own_token).concurrency(4).stream();
        let mut outcomes = Vec::new();
        while let Some(revocation) = stream.next().await {
            outcomes.push((revocation.index, revocation.outcome));
        }
        assert_eq!(outcomes.len(), 51);
        let last = if is_discarded { RevocationOutcome::Revoked } else { RevocationOutcome::NotAttempted };
        assert_eq!(outcomes.pop(), Some((3, last)));
        assert!(outcomes.iter().all(|(_, outcome)| *outcome == RevocationOutcome::Revoked));
        assert_eq!(server.is_discarded(server.token_id()), Some(is_discarded));
        assert_eq!(stream.stopped(), None);
    }
}

#[tokio::test]
async fn an_own_token_that_is_no_jwt_is_known_by_the_id_that_the_caller_gives() {
    let (received, transport) = crate::support::transport(|request| {
        let id = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
        Ok(crate::support::json(200, &format!(r#"{{"token_id":"{id}"}}"#)))
    });
    let client = Client::builder().token("opaque").transport(transport).build().unwrap();
    let report = client.jwt().discard_project_jwts(["own", "other"]).own_token_id("own").run().await;
    assert!(report.is_complete());
    let order = received.lock().unwrap().iter().map(|sent| sent.uri().path().to_owned()).collect::<Vec<_>>();
    assert_eq!(order, ["/v2/jwt/project/other", "/v2/jwt/project/own"]);
}

#[tokio::test]
async fn a_stop_drains_what_is_in_flight_and_attempts_no_other() {
    let server = Server::start().await.unwrap();
    let ids = server.add_user_tokens("u", 500);
    let batch = client(&server).jwt().discard_user_jwts(ids.clone()).concurrency(4);
    let stop = batch.stop_handle();
    let mut stream = batch.stream();
    let mut outcomes = vec![stream.next().await.unwrap()];
    stop.stop();
    while let Some(revocation) = stream.next().await {
        outcomes.push(revocation);
    }
    assert_eq!((outcomes.len(), stream.stopped()), (500, Some(StopReason::Requested)));
    for revocation in outcomes {
        let expected = match revocation.outcome {
            RevocationOutcome::Revoked => true,
            RevocationOutcome::NotAttempted => false,
            other => panic!("{other}"),
        };
        assert_eq!(server.is_discarded(&revocation.token_id), Some(expected));
    }
    assert!(server.count("discard_user_jwt") <= 8, "{}", server.count("discard_user_jwt"));
}

#[tokio::test]
async fn what_does_not_drain_in_time_or_is_ended_by_a_second_stop_is_unknown() {
    for stops in [1, 2] {
        let server = Server::start().await.unwrap();
        let ids = server.add_user_tokens("u", 10);
        server.fail_next(Fault::stall().always());
        let drain = std::time::Duration::from_millis(if stops == 1 { 50 } else { 600_000 });
        let batch = client(&server).jwt().discard_user_jwts(ids).concurrency(3).drain_timeout(drain);
        let (stop, mut stream) = (batch.stop_handle(), batch.stream());
        assert!(futures_util::FutureExt::now_or_never(stream.next()).is_none());
        for _ in 0..stops {
            stop.stop();
        }
        let outcomes = stream.map(|revocation| revocation.outcome).collect::<Vec<_>>().await;
        let count = |wanted| outcomes.iter().filter(|outcome| **outcome == wanted).count();
        assert_eq!((count(RevocationOutcome::Unknown), count(RevocationOutcome::NotAttempted)), (3, 7));
    }
}

/// Whether an id is a token of another kind or of none is not told by a proxy that had a bad moment before.
#[tokio::test]
async fn an_id_of_another_kind_is_not_called_revoked_after_a_proxys_page() {
    let server = Server::start().await.unwrap();
    // A project token's id in a list of user tokens.
    let id = server.add_project_tokens(1).remove(0);
    server.fail_next(Fault::html(503));
    let report = client(&server).jwt().discard_user_jwts([id.clone()]).run().await;
    assert_eq!(server.is_discarded(&id), Some(false));
    assert_eq!(report.count(magicbell::revocation::RevocationOutcome::AlreadyRevoked), 0, "it is live: {report:?}");
}

//! The requests, settings and errors of the async client.

use std::time::{Duration, Instant};

use magicbell::jwt::{
    CreateProjectJwt, CreateUserJwt, DiscardProjectJwt, DiscardUserJwt, FetchProjectTokens, FetchUserTokens,
};
use magicbell::revocation::{Journal, OwnToken, RevocationOutcome, StopReason};
use magicbell::testing::{Fault, assert_hidden};
use magicbell::{Client, Error, ErrorKind, Limit, RetryPolicy};

use super::Room;
use crate::support::UNKNOWN_ID;

#[test]
fn the_six_operations_are_executed_and_are_methods() -> Result<(), Error> {
    let room = Room::new();
    let client = room.client();
    let user = client.execute(CreateUserJwt::builder().external_id("hana").build())?;
    let project = client.execute(&CreateProjectJwt::builder().name("ci").build())?;
    assert_eq!(client.execute(FetchUserTokens::builder().user_id("hana").build())?.data.len(), 1);
    assert_eq!(client.execute(FetchProjectTokens::builder().build())?.data.len(), 2);
    client.execute(DiscardUserJwt::new(user.token_id))?;
    client.execute(DiscardProjectJwt::new(project.token_id))?;

    let jwt = client.jwt();
    let user = jwt.create_user_jwt(CreateUserJwt::builder().external_id("hana").build())?;
    let project = jwt.create_project_jwt(CreateProjectJwt::builder().name("ci").build())?;
    assert_eq!(jwt.fetch_user_tokens(FetchUserTokens::builder().user_id("hana").build())?.data.len(), 1);
    assert_eq!(jwt.fetch_project_tokens(FetchProjectTokens::builder().build())?.data.len(), 2);
    jwt.discard_user_jwt(DiscardUserJwt::new(user.token_id))?;
    jwt.discard_project_jwt(DiscardProjectJwt::new(project.token_id))?;
    Ok(())
}

#[test]
fn a_call_has_settings_of_its_own_and_the_whole_answer() {
    let room = Room::new();
    let create = CreateUserJwt::builder().external_id("hana").build();
    let key = "9b2f0f6e-7a41-4f0a-9a57-0e6b5f1c2d3e";
    let client = room.client();
    let call = client.request(&create).timeout(Duration::from_secs(5)).max_attempts(1).retry(RetryPolicy::never());
    let response = call.header("x-audit", "1").idempotency_key(key).send().unwrap();
    assert_eq!((response.status().as_u16(), response.attempts().len()), (201, 1));
    let sent = room.server.requests().pop().unwrap();
    assert_eq!(
        (&sent.headers["x-audit"], &sent.headers["idempotency-key"]),
        (&"1".parse().unwrap(), &key.parse().unwrap())
    );
    let error = client.request(&create).max_attempts(0).send().unwrap_err();
    assert_eq!((error.kind(), room.server.request_count()), (ErrorKind::InvalidRequest, 1));
}

#[test]
fn errors_are_the_same_and_retries_too() {
    let room = Room::new();
    let client = room.client();
    let error = client.execute(DiscardUserJwt::new(UNKNOWN_ID)).unwrap_err();
    assert!(error.is_not_found() && error.has_api_envelope());
    assert_eq!(client.execute(DiscardUserJwt::new("..")).unwrap_err().kind(), ErrorKind::InvalidRequest);

    room.server.clear_requests();
    room.server.fail_next(Fault::status(503).times(2));
    client.execute(FetchProjectTokens::builder().build()).unwrap();
    assert_eq!(room.server.request_count(), 3);
    room.server.fail_next(Fault::reset().after_processing());
    client.execute(CreateProjectJwt::builder().name("ci").build()).unwrap_err();
    assert_eq!(room.server.count("create_project_jwt"), 1, "a create is not sent again");
}

#[test]
fn bad_settings_are_errors_of_the_builder() {
    for error in [Client::builder().build_blocking(), Client::builder().token("a b").build_blocking()] {
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Configuration);
    }
    let room = Room::new();
    assert_hidden(room.server.token(), &format!("{:?} {:?}", room.client(), room.client().jwt()));
}

#[test]
fn limits_on_time_hold_with_nobody_else_there() {
    let room = Room::new();
    let builder = Client::builder().token(room.server.token()).base_url(room.server.url()).retry(RetryPolicy::never());
    let client = builder.timeout(Duration::from_millis(300)).build_blocking().unwrap();
    room.server.fail_next(Fault::stall().always());
    for limit in [300, 100] {
        let start = Instant::now();
        let call = client.request(FetchProjectTokens::builder().build()).timeout(Duration::from_millis(limit));
        let error = call.send().unwrap_err();
        let elapsed = start.elapsed();
        let (kind, after) = error.timeout().unwrap();
        assert_eq!((kind, after.as_millis().div_ceil(10) * 10), (Limit::Operation, u128::from(limit)), "{error}");
        assert!(elapsed >= Duration::from_millis(limit) && elapsed < Duration::from_secs(30), "{elapsed:?}");
    }
}

#[test]
fn every_page_is_read_and_a_page_that_fails_is_the_end() {
    let room = Room::new();
    let ids = room.server.add_user_tokens("hana", 250);
    let request = || FetchUserTokens::builder().user_id("hana").limit(100).build();
    let mut found = room.client().paginate(request()).map(|token| token.unwrap().id.unwrap()).collect::<Vec<_>>();
    found.sort_unstable();
    let mut expected = ids;
    expected.sort_unstable();
    assert_eq!(found, expected);
    room.server.fail_next(Fault::status(403));
    let mut tokens = room.client().paginate(request());
    assert!(tokens.next().unwrap().unwrap_err().status().is_some());
    assert!(tokens.next().is_none());
}

#[test]
fn a_batch_has_one_outcome_an_id_and_all_settings() {
    let room = Room::new();
    let client = room.client();
    let folder = tempfile::tempdir().unwrap();
    let ids = room.server.add_user_tokens("hana", 100);
    room.server.fail_randomly(1, 5, Fault::status(503));
    let journal = || Journal::open(folder.path().join("journal")).unwrap();
    let batch = client.jwt().discard_user_jwts(&ids).concurrency(8).stop_after_not_found(0);
    let report = batch.drain_timeout(Duration::from_secs(1)).journal(journal()).unwrap().run().unwrap();
    assert_eq!((report.total(), report.count(RevocationOutcome::NotAttempted)), (100, 0));
    room.server.clear_faults();
    let outcomes = client.jwt().discard_user_jwts(&ids).journal(journal()).unwrap().outcomes();
    let told = outcomes.map(|revocation| revocation.unwrap().from_journal).filter(|told| *told).count();
    assert_eq!(told as u64, report.count(RevocationOutcome::Revoked) + report.count(RevocationOutcome::AlreadyRevoked));

    let project = room.server.add_project_tokens(2);
    let own = room.server.token_id();
    let batch =
        client.jwt().discard_project_jwts([own, &project[0]]).own_token(OwnToken::Skip).own_token_id(&project[1]);
    assert_eq!(batch.run().unwrap().count(RevocationOutcome::NotAttempted), 1);
}

#[test]
fn a_batch_is_stopped_from_another_thread() {
    let room = Room::new();
    let client = room.client();
    let ids = room.server.add_user_tokens("hana", 100);
    room.server.fail_next(Fault::stall().always());
    let batch = client.jwt().discard_user_jwts(ids).concurrency(4).drain_timeout(Duration::from_millis(50));
    let stop = batch.stop_handle();
    let report = std::thread::scope(|scope| {
        let running = scope.spawn(|| batch.run().unwrap());
        while room.server.request_count() < 4 {
            std::thread::yield_now();
        }
        stop.stop();
        running.join().unwrap()
    });
    assert_eq!(report.stopped, Some(StopReason::Requested));
    let counts = [RevocationOutcome::Unknown, RevocationOutcome::NotAttempted].map(|outcome| report.count(outcome));
    assert_eq!(counts, [4, 96]);
}

#[test]
fn outcomes_come_while_the_batch_runs_and_ids_are_asked_for_on_the_callers_thread() {
    let room = Room::new();
    let caller = std::thread::current().id();
    let ids = room.server.add_user_tokens("hana", 50).into_iter();
    let ids = ids.inspect(move |_| assert_eq!(std::thread::current().id(), caller));
    let client = room.client();
    let mut outcomes = client.jwt().discard_user_jwts(ids).concurrency(2).outcomes();
    assert_eq!((outcomes.concurrency(), outcomes.in_flight(), outcomes.stopped()), (2, 0, None));
    for read in 1..=50 {
        assert!(outcomes.next().unwrap().unwrap().outcome.is_revoked());
        assert!(room.server.count("discard_user_jwt") <= read + 2, "no more than it is asked for");
    }
    assert!(outcomes.next().is_none() && outcomes.next().is_none());
    assert!(outcomes.journal_error().is_none());
}

#[test]
fn what_has_no_method_is_waited_for() {
    let room = Room::new();
    room.server.add_user_tokens("hana", 20);
    let client = room.client();
    let plan = client.wait(async |client| client.jwt().select_user_tokens("hana").plan().await).unwrap().unwrap();
    let report = client.wait(async |client| plan.revocations(client).run().await).unwrap();
    assert!(report.is_complete());
    assert!(client.wait(async |client| plan.verify(client).await).unwrap().unwrap().is_clean());
}

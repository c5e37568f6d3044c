//! When a batch stops, what is still read, and what is said of the ids that were in flight.

use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _};
use http::{Request, Response};
use magicbell::middleware::retry::{Backoff, Jitter};
use magicbell::revocation::{Revocation, RevocationOutcome, StopHandle, StopReason};
use magicbell::testing::{Fault, Server};
use magicbell::{AttemptError, AttemptNumber, Body, BoxError, Client, RetryPolicy, StackService};
use tower::layer::layer_fn;
use tower::{Service, ServiceExt as _};

use crate::support::{client, json, quick, transport};

const ENVELOPE: &str = r#"{"errors":[{"code":"not_found","message":"no such token"}]}"#;

/// A client whose first attempt at each id is lost, and whose others are answered by a script.
fn losing_first_answers(answer: fn(&str) -> Response<Body>) -> Client {
    let (_, transport) = transport(move |request| match AttemptNumber::of(request) {
        1 => Err::<_, BoxError>("reset".into()),
        _ => Ok(answer(request.uri().path().rsplit('/').next().unwrap_or_default())),
    });
    Client::builder().token("t").retry(quick()).transport(transport).build().unwrap()
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("id-{number}")).collect()
}

#[tokio::test]
async fn ids_that_are_all_404_after_a_lost_attempt_stop_the_batch_too() {
    let client = losing_first_answers(|_| json(404, ENVELOPE));
    let report = client.jwt().discard_user_jwts(ids(200)).concurrency(4).run().await;
    assert_eq!(report.stopped, Some(StopReason::AllNotFound), "{report}");
    assert!((20..=24).contains(&report.count(RevocationOutcome::AlreadyRevoked)), "{report}");
}

#[tokio::test]
async fn one_that_is_known_to_be_found_lets_404s_pass() {
    let client = losing_first_answers(|id| match id {
        "id-7" => json(410, ENVELOPE),
        _ => json(404, ENVELOPE),
    });
    let report = client.jwt().discard_user_jwts(ids(60)).concurrency(1).run().await;
    assert_eq!((report.stopped, report.count(RevocationOutcome::AlreadyRevoked)), (None, 60), "{report}");
}

#[tokio::test]
async fn what_says_nothing_of_an_id_does_not_let_404s_pass() {
    let client = losing_first_answers(|id| match id {
        "id-7" => json(403, ENVELOPE),
        "id-9" => json(500, ENVELOPE),
        _ => json(404, ENVELOPE),
    });
    let report = client.jwt().discard_user_jwts(ids(60)).concurrency(1).run().await;
    assert_eq!(report.stopped, Some(StopReason::AllNotFound), "{report}");
}

#[tokio::test]
async fn already_revoked_is_presumed_after_a_404_and_certain_after_a_410() {
    let client = losing_first_answers(|id| json(if id == "id-0" { 410 } else { 404 }, ENVELOPE));
    let revocations = client.jwt().discard_user_jwts(ids(2)).concurrency(1).stream().collect::<Vec<_>>().await;
    let found = revocations.iter().map(|revocation| (revocation.outcome, revocation.is_presumed())).collect::<Vec<_>>();
    assert_eq!(found, [(RevocationOutcome::AlreadyRevoked, false), (RevocationOutcome::AlreadyRevoked, true)]);
}

/// Polls a batch of ids that never end, and stops it after some outcomes; returns what came after that.
async fn after_stops<I>(server: &Server, ids: I, drain: Duration, stops: usize) -> Vec<RevocationOutcome>
where
    I: Iterator<Item = String> + Unpin,
{
    let batch = client(server).jwt().discard_user_jwts(ids).concurrency(4).stop_after_not_found(0).drain_timeout(drain);
    let (stop, mut stream) = (batch.stop_handle(), batch.stream());
    for _ in 0..10 {
        stream.next().await.unwrap();
    }
    (0..stops).for_each(|_| stop.stop());
    stream.map(|revocation| revocation.outcome).collect().await
}

#[tokio::test]
async fn ids_without_an_end_are_read_no_more_after_the_second_stop() {
    let server = Server::start().await.unwrap();
    let ids = (0..).map(|number| format!("id-{number}"));
    let rest = after_stops(&server, ids, Duration::from_secs(600), 2).await;
    assert!(rest.len() <= 4, "{rest:?}");
}

#[tokio::test]
async fn ids_without_an_end_are_read_no_more_when_the_drain_is_over() {
    let server = Server::start().await.unwrap();
    let ids = (0..).map(|number| format!("id-{number}"));
    let rest = after_stops(&server, ids, Duration::from_millis(30), 1).await;
    assert!(rest.iter().filter(|outcome| **outcome == RevocationOutcome::NotAttempted).count() > 0);
}

#[tokio::test]
async fn ids_of_which_the_number_is_known_have_an_outcome_each_after_the_second_stop() {
    let server = Server::start().await.unwrap();
    let rest = after_stops(&server, ids(5_000).into_iter(), Duration::from_secs(600), 2).await;
    assert_eq!(rest.len(), 4_990);
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_ids_that_stays_open_ends_with_the_drain_or_the_second_stop() {
    for (stops, waited) in [(1, Duration::from_secs(30)), (2, Duration::ZERO)] {
        let (_, transport) = transport(|_| Ok(json(200, "{}")));
        let client = Client::builder().token("t").transport(transport).build().unwrap();
        let ids = futures_util::stream::iter(ids(3)).chain(futures_util::stream::pending());
        let batch = client.jwt().discard_user_jwts_from(ids);
        let (stop, mut stream) = (batch.stop_handle(), batch.stream());
        for _ in 0..3 {
            stream.next().await.unwrap();
        }
        assert!(stream.next().now_or_never().is_none(), "it is open");
        (0..stops).for_each(|_| stop.stop());
        let start = tokio::time::Instant::now();
        assert!(stream.next().await.is_none());
        let elapsed = start.elapsed();
        assert!(elapsed >= waited && elapsed < waited + Duration::from_millis(10), "{elapsed:?}");
    }
}

#[tokio::test]
async fn a_flood_of_ids_that_are_not_attempted_leaves_others_their_turn() {
    let server = Server::start().await.unwrap();
    let batch = client(&server).jwt().discard_user_jwts((0..).map(|number| format!("id-{number}")));
    let (stop, stream) = (batch.stop_handle(), batch.stream());
    stop.stop();
    // On this one thread nobody else runs until the batch lets go of it.
    let second: StopHandle = stop.clone();
    let other = tokio::spawn(async move { second.stop() });
    assert!(stream.count().await > 0);
    other.await.unwrap();
}

/// Stops a batch whose requests are never answered, and returns what it says of each id.
async fn given_up(client: &Client, polls: usize) -> Vec<Revocation> {
    let batch = client.jwt().discard_user_jwts(ids(4)).concurrency(2);
    let (stop, mut stream) = (batch.stop_handle(), batch.stream());
    for _ in 0..polls {
        assert!(stream.next().now_or_never().is_none());
    }
    stop.stop();
    stop.stop();
    stream.collect().await
}

#[tokio::test]
async fn ids_that_are_given_up_say_how_often_they_were_sent() {
    let server = Server::start().await.unwrap();
    server.fail_next(Fault::stall().always());
    let mut revocations = given_up(&client(&server), 1).await;
    revocations.sort_by_key(|revocation| revocation.index);
    let found = revocations.iter().map(|revocation| (revocation.outcome, revocation.attempts)).collect::<Vec<_>>();
    let (unknown, never) = ((RevocationOutcome::Unknown, 1), (RevocationOutcome::NotAttempted, 0));
    assert_eq!(found, [unknown, unknown, never, never]);
}

#[tokio::test]
async fn an_id_that_waited_for_its_turn_when_it_was_given_up_was_not_attempted() {
    let server = Server::start().await.unwrap();
    let limit = magicbell::RateLimit::per_minute(1, 1);
    let client = Client::builder().token(server.token()).base_url(server.url()).rate_limit(limit).build().unwrap();
    server.fail_next(Fault::stall().always());
    let mut revocations = given_up(&client, 1).await;
    revocations.sort_by_key(|revocation| revocation.index);
    let found = revocations.iter().map(|revocation| (revocation.outcome, revocation.attempts)).collect::<Vec<_>>();
    assert_eq!(found[..2], [(RevocationOutcome::Unknown, 1), (RevocationOutcome::NotAttempted, 0)]);
}

#[tokio::test]
async fn an_id_whose_layer_panicked_says_how_often_it_was_sent() {
    let server = Server::start().await.unwrap();
    let layer = tower::util::MapRequestLayer::new(|request: Request<Body>| {
        assert!(AttemptNumber::of(&request) == 1, "a layer's bug");
        request
    });
    let builder = Client::builder().token(server.token()).base_url(server.url()).retry(quick());
    let client = builder.attempt_layer(layer).build().unwrap();
    server.fail_next(Fault::status(503));
    let ids = server.add_user_tokens("u", 1);
    let revocation = client.jwt().discard_user_jwts(ids).stream().next().await.unwrap();
    assert_eq!((revocation.outcome, revocation.attempts), (RevocationOutcome::Unknown, 2));
    assert!(revocation.error.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_pause_beyond_what_a_single_call_waits_is_waited_out() {
    let answers = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = std::sync::Arc::clone(&answers);
    let (_, transport) = transport(move |request| {
        let id = request.uri().path().rsplit('/').next().unwrap_or_default();
        let mut answer = json(200, &format!(r#"{{"token_id":"{id}"}}"#));
        if counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 {
            answer = json(429, ENVELOPE);
            answer.headers_mut().insert("retry-after", "3600".parse()?);
        }
        Ok(answer)
    });
    let client = Client::builder().token("t").transport(transport).build().unwrap();
    let start = tokio::time::Instant::now();
    let report = client.jwt().discard_user_jwts(ids(1)).run().await;
    assert_eq!(report.count(RevocationOutcome::Revoked), 1, "{report}");
    assert!(start.elapsed() >= Duration::from_secs(3_600));
}

/// Answers after 2 s; the first id's first answer is a 429 with a pause of 20 s.
fn slow_and_once_limited(
    request: &Request<Body>,
) -> impl Future<Output = Result<Response<Body>, BoxError>> + Send + use<> {
    let id = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
    let is_limited = id == "id-0" && AttemptNumber::of(request) == 1;
    async move {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let mut answer = json(200, &format!(r#"{{"token_id":"{id}"}}"#));
        if is_limited {
            answer = json(429, ENVELOPE);
            answer.headers_mut().insert("retry-after", "20".parse()?);
        }
        Ok(answer)
    }
}

/// One goes at once, and the next one 1.5 s later; the others wait for the quota.
#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_what_was_never_sent() {
    for (before_stop, sent) in [(Duration::from_millis(100), 2), (Duration::from_millis(1_800), 3)] {
        let received = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counter = std::sync::Arc::clone(&received);
        let transport = tower::service_fn(move |request: Request<Body>| {
            counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            slow_and_once_limited(&request)
        });
        let limit = magicbell::RateLimit::per_minute(60, 39);
        let client = Client::builder().token("t").transport(transport).rate_limit(limit).build().unwrap();
        let batch = client.jwt().discard_user_jwts(ids(100)).concurrency(50).drain_timeout(Duration::from_secs(60));
        let (stop, mut stream) = (batch.stop_handle(), batch.stream());
        assert!(tokio::time::timeout(before_stop, stream.next()).await.is_err(), "nothing has ended yet");
        stop.stop();
        let start = tokio::time::Instant::now();
        let mut revocations = stream.collect::<Vec<_>>().await;
        let waited = start.elapsed().as_secs();
        // The 429 is waited out, and then for one turn; those of all that were in flight would take 75 s.
        assert!((20..30).contains(&waited), "{waited} s");
        revocations.sort_by_key(|revocation| revocation.index);
        let found = revocations.iter().map(|revocation| (revocation.outcome, revocation.attempts)).collect::<Vec<_>>();
        let (revoked, never) = (RevocationOutcome::Revoked, (RevocationOutcome::NotAttempted, 0));
        assert_eq!(found[0], (revoked, 2), "it had an attempt behind it");
        assert_eq!(found[1..sent - 1], vec![(revoked, 1); sent - 2]);
        assert_eq!(found[sent - 1..], vec![never; 101 - sent]);
        assert_eq!(received.load(std::sync::atomic::Ordering::Relaxed), sent);
    }
}

/// What one stop drops gives its turn back: another call doesn't wait behind it.
#[tokio::test(start_paused = true)]
async fn what_a_stop_drops_leaves_its_turn_to_others() {
    let (received, transport) = transport(|request| {
        let id = request.uri().path().rsplit('/').next().unwrap_or_default();
        Ok(json(200, &format!(r#"{{"token_id":"{id}"}}"#)))
    });
    let limit = magicbell::RateLimit::per_minute(60, 20);
    let client = Client::builder().token("t").transport(transport).rate_limit(limit).build().unwrap();
    let batch = client.jwt().discard_user_jwts(ids(50)).concurrency(50);
    let (stop, mut stream) = (batch.stop_handle(), batch.stream());
    stream.next().await.unwrap();
    stop.stop();
    assert_eq!(stream.count().await, 49);
    assert_eq!(received.lock().unwrap().len(), 1);
    let start = tokio::time::Instant::now();
    client.execute(magicbell::jwt::DiscardUserJwt::new("another")).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}

/// What was turned away each time is as it was, though it would have been sent again; of what has no answer nothing is known.
#[tokio::test(start_paused = true)]
async fn what_a_stop_finds_waiting_after_a_429_was_refused() {
    let transport = tower::service_fn(async |request: Request<Body>| {
        if request.uri().path().ends_with("id-1") {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        let mut answer = json(429, ENVELOPE);
        answer.headers_mut().insert("retry-after", "3600".parse().unwrap());
        Ok::<_, BoxError>(answer)
    });
    let client = Client::builder().token("t").transport(transport).build().unwrap();
    let batch = client.jwt().discard_user_jwts(ids(2)).concurrency(2).drain_timeout(Duration::from_secs(1));
    let (stop, mut stream) = (batch.stop_handle(), batch.stream());
    assert!(tokio::time::timeout(Duration::from_secs(1), stream.next()).await.is_err());
    stop.stop();
    let mut rest = stream.collect::<Vec<_>>().await;
    rest.sort_by_key(|revocation| revocation.index);
    let found = rest.iter().map(|each| (each.outcome, each.status.map(|status| status.as_u16()), each.rate_limited));
    assert!(found.eq([(RevocationOutcome::Refused, Some(429), 1), (RevocationOutcome::Unknown, None, 0)]), "{rest:?}");
}

/// No connection is made, and so nothing was sent and nobody refused it: neither what waits to be tried again, nor what is being
/// connected when the batch stops, and waits when the drain is over.
#[tokio::test(start_paused = true)]
async fn what_was_never_connected_was_not_attempted() {
    for connecting in [Duration::ZERO, Duration::from_secs(2)] {
        let transport = tower::service_fn(move |_: Request<Body>| async move {
            tokio::time::sleep(connecting).await;
            Err::<Response<Body>, _>(AttemptError::not_sent("connection refused"))
        });
        let backoff = Backoff::new(Duration::from_secs(60), Duration::from_secs(60));
        let retry = RetryPolicy::builder().backoff(backoff).jitter(Jitter::off()).build();
        let client = Client::builder().token("t").retry(retry).transport(transport).build().unwrap();
        let batch = client.jwt().discard_user_jwts(ids(4)).concurrency(2).drain_timeout(Duration::from_secs(5));
        let (stop, mut stream) = (batch.stop_handle(), batch.stream());
        assert!(tokio::time::timeout(Duration::from_secs(1), stream.next()).await.is_err());
        stop.stop();
        let start = tokio::time::Instant::now();
        let rest = stream.collect::<Vec<_>>().await;
        let found = rest.iter().map(|each| (each.outcome, each.attempts, each.status));
        assert!(found.eq([(RevocationOutcome::NotAttempted, 0, None); 4]), "{rest:?}");
        assert_eq!(start.elapsed().as_secs(), if connecting.is_zero() { 0 } else { 5 });
    }
}

/// Puts each call into a task of its own, which nobody stops.
#[derive(Clone)]
struct Spawning(StackService);

impl Service<Request<Body>> for Spawning {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let call = tokio::spawn(self.0.clone().oneshot(request));
        async move { call.await? }.boxed()
    }
}

/// A layer may have put the call into a task of its own, which nobody stops: that it was never sent would not be true for long.
#[tokio::test(start_paused = true)]
async fn what_a_layer_has_in_hand_is_not_called_unattempted_by_a_stop() {
    let (received, transport) = transport(|request| {
        let id = request.uri().path().rsplit('/').next().unwrap_or_default();
        Ok(json(200, &format!(r#"{{"token_id":"{id}"}}"#)))
    });
    let limit = magicbell::RateLimit::per_minute(60, 20);
    let builder = Client::builder().token("t").transport(transport).rate_limit(limit).layer(layer_fn(Spawning));
    let batch = builder.build().unwrap().jwt().discard_user_jwts(ids(4)).concurrency(4);
    let (stop, mut stream) = (batch.stop_handle(), batch.stream());
    let first = stream.next().await.unwrap();
    assert_eq!(received.lock().unwrap().len(), 1);
    stop.stop();
    let rest = stream.collect::<Vec<_>>().await;
    assert!(rest.iter().chain([&first]).all(|revocation| revocation.outcome == RevocationOutcome::Revoked), "{rest:?}");
    assert_eq!(received.lock().unwrap().len(), 4);
}

/// The same where the stop waits for nothing: what may still be sent is neither unattempted nor refused.
#[tokio::test(start_paused = true)]
async fn what_a_layer_may_still_send_is_unknown_when_it_is_given_up() {
    let (_, transport) = transport(|_| Ok(json(429, ENVELOPE)));
    let limit = magicbell::RateLimit::per_minute(60, 20);
    let builder = Client::builder().token("t").transport(transport).rate_limit(limit).layer(layer_fn(Spawning));
    let batch = builder.build().unwrap().jwt().discard_user_jwts(ids(4)).concurrency(4);
    let (stop, mut stream) = (batch.stop_handle(), batch.stream());
    assert!(tokio::time::timeout(Duration::from_millis(10), stream.next()).await.is_err());
    stop.stop();
    stop.stop();
    let rest = stream.collect::<Vec<_>>().await;
    assert_eq!(rest.len(), 4);
    assert!(rest.iter().all(|revocation| revocation.outcome == RevocationOutcome::Unknown), "{rest:?}");
}

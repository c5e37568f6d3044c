//! What is written down of the attempts, for the layers beneath and for the caller.

use std::time::Duration;

use http::Response;
use magicbell_middleware::collect::CollectLayer;
use magicbell_middleware::retry::{InFlight as _, RetryLayer};
use magicbell_middleware::timeout::TimeoutError;
use magicbell_middleware::{Attempts, Body, CallContext, Outcome, find_source};
use tokio_test::{assert_pending, task};
use tower::{Layer as _, ServiceExt as _};

use crate::support::{ATTEMPT_TIMEOUT, Reply, Server, create, list, policy, retry_error, stack};

const MILLISECOND: Duration = Duration::from_millis(1);

async fn call(script: &[Reply]) -> (Server, Result<Response<Body>, magicbell_middleware::BoxError>) {
    let server = Server::new(script);
    let result = stack(RetryLayer::new(policy()), server.clone()).oneshot(list()).await;
    (server, result)
}

#[tokio::test(start_paused = true)]
async fn each_attempt_knows_its_number() {
    let (server, _) = call(&[Reply::Status(503)]).await;
    assert_eq!(server.received().iter().map(|sent| sent.number).collect::<Vec<_>>(), [1, 2, 3]);
    // The first goes without the cost of an extension.
    assert_eq!(server.received().iter().map(|sent| sent.is_numbered).collect::<Vec<_>>(), [false, true, true]);
}

#[tokio::test(start_paused = true)]
async fn one_attempt_leaves_no_record() {
    for status in [200, 404] {
        let (_, response) = call(&[Reply::Status(status)]).await;
        assert!(response.unwrap().extensions().get::<Attempts>().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_response_has_what_each_attempt_met() {
    let slow = Duration::from_secs(2);
    let (_, response) = call(&[Reply::NotSent, Reply::Slow(slow, 503), Reply::Slow(slow, 200)]).await;
    let response = response.unwrap();
    let attempts = &response.extensions().get::<Attempts>().unwrap().0;
    assert_eq!(
        attempts.iter().map(|one| one.outcome).collect::<Vec<_>>(),
        [Outcome::NotSent, Outcome::Answered, Outcome::Answered]
    );
    assert_eq!(
        attempts.iter().map(|one| one.status.map(|status| status.as_u16())).collect::<Vec<_>>(),
        [None, Some(503), Some(200)]
    );
    assert_eq!(
        attempts.iter().map(|one| one.cause.as_deref()).collect::<Vec<_>>(),
        [Some("the request was not sent"), None, None]
    );
    // Neither wait is part of an attempt's time.
    assert_eq!(attempts.iter().map(|one| one.elapsed).collect::<Vec<_>>(), [Duration::ZERO, slow, slow]);
    let delays = [Some(100 * MILLISECOND), Some(200 * MILLISECOND), None];
    assert_eq!(attempts.iter().map(|one| one.delay).collect::<Vec<_>>(), delays);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_stays_bad_has_it_too() {
    let (_, response) = call(&[Reply::Status(503)]).await;
    let response = response.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.extensions().get::<Attempts>().unwrap().0.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_error_has_what_each_attempt_met_and_the_last_error() {
    let (server, result) = call(&[Reply::Status(503), Reply::Reset, Reply::Never]).await;
    assert_eq!(server.count(), 3);
    let error = result.unwrap_err();
    assert_eq!(find_source::<TimeoutError>(&*error).unwrap().after(), ATTEMPT_TIMEOUT);
    let error = retry_error(&error);
    assert_eq!(error.to_string(), "the call failed after 3 attempts");
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(
        error.attempts().iter().map(|one| one.outcome).collect::<Vec<_>>(),
        [Outcome::Answered, Outcome::Unknown, Outcome::Unknown]
    );
    assert_eq!(error.attempts()[2].elapsed, ATTEMPT_TIMEOUT);
    assert_eq!(error.attempts()[2].delay, None);
}

#[tokio::test(start_paused = true)]
async fn one_unknown_attempt_makes_the_call_unknown_whatever_came_after() {
    let (_, result) = call(&[Reply::Reset, Reply::NotSent]).await;
    let error = result.unwrap_err();
    assert_eq!(retry_error(&error).outcome(), Outcome::Unknown);
    assert_eq!(Outcome::of(&*error), Outcome::Unknown, "for a layer above, which doesn't know of retries");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_never_sent_is_not_sent_after_three_attempts() {
    let (_, result) = call(&[Reply::NotSent]).await;
    let error = result.unwrap_err();
    assert_eq!(retry_error(&error).outcome(), Outcome::NotSent);
    assert_eq!(retry_error(&error).attempts().len(), 3);
    assert_eq!(Outcome::of(&*error), Outcome::NotSent);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_was_lost_leaves_its_status_and_none_of_its_bytes() {
    let (_, result) = call(&[Reply::Lost(200)]).await;
    let error = result.unwrap_err();
    let attempt = &retry_error(&error).attempts()[0];
    assert_eq!((attempt.outcome, attempt.status.map(|status| status.as_u16())), (Outcome::Answered, Some(200)));
    assert_eq!(attempt.cause.as_deref(), Some("the response's body broke off after 13 bytes"));
}

#[tokio::test(start_paused = true)]
async fn a_context_has_the_record_of_a_call_that_succeeded_at_once() {
    let context = CallContext::new();
    let mut request = create();
    request.extensions_mut().insert(context.clone());
    let slow = Duration::from_secs(1);
    stack(RetryLayer::new(policy()), Server::new([Reply::Slow(slow, 201)])).oneshot(request).await.unwrap();
    let attempts = context.attempts();
    assert_eq!(attempts.len(), 1);
    assert_eq!((attempts[0].outcome, attempts[0].elapsed, attempts[0].delay), (Outcome::Answered, slow, None));
}

#[tokio::test(start_paused = true)]
async fn time_before_the_first_poll_is_not_an_attempts() {
    use tower::Service as _;

    let context = CallContext::new();
    let mut request = list();
    request.extensions_mut().insert(context.clone());
    let call = stack(RetryLayer::new(policy()), Server::new([Reply::Status(200)])).call(request);
    tokio::time::advance(Duration::from_secs(5)).await;
    call.await.unwrap();
    assert_eq!(context.attempts()[0].elapsed, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_repeats_a_call_adds_to_the_record() {
    let context = CallContext::new();
    let mut request = list();
    request.extensions_mut().insert(context.clone());
    let service = stack(RetryLayer::new(policy()), Server::new([Reply::Reset, Reply::Status(404), Reply::Status(200)]));
    service.clone().oneshot(request.clone()).await.unwrap();
    service.oneshot(request).await.unwrap();
    let statuses = context.attempts().iter().map(|one| one.status.map(|status| status.as_u16())).collect::<Vec<_>>();
    assert_eq!(statuses, [None, Some(404), Some(200)]);
}

#[tokio::test(start_paused = true)]
async fn an_earlier_attempt_that_may_have_been_applied_makes_a_call_unknown_that_ends_unsent() {
    let (_, result) = call(&[Reply::Status(503), Reply::NotSent]).await;
    let error = result.unwrap_err();
    assert_eq!(retry_error(&error).outcome(), Outcome::Unknown);
}

#[tokio::test(start_paused = true)]
async fn a_call_tells_what_is_known_of_it_before_it_has_ended() {
    let server = Server::new([Reply::Status(503), Reply::Never]);
    let retry = RetryLayer::new(policy()).layer(CollectLayer::new(99).layer(server.clone()));
    let mut call = task::spawn(retry.send(list(), None));
    assert!(call.attempts().is_empty() && call.elapsed().is_zero());
    let path = list().uri().path_and_query().cloned();
    assert_eq!(call.path_and_query(), path.as_ref());
    while server.count() < 2 {
        assert_pending!(call.poll());
        tokio::time::advance(100 * MILLISECOND).await;
    }
    tokio::time::advance(Duration::from_secs(3)).await;
    let known =
        call.attempts().iter().map(|one| (one.outcome, one.status.map(|status| status.as_u16()))).collect::<Vec<_>>();
    assert_eq!(known, [(Outcome::Answered, Some(503)), (Outcome::Unknown, None)]);
    assert!(call.elapsed() >= Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_context_beside_the_request_is_obeyed_and_written_to() {
    let server = Server::new([Reply::Status(503)]);
    let retry = RetryLayer::new(policy()).layer(CollectLayer::new(99).layer(server.clone()));
    let context = CallContext::new().with_max_attempts(2);
    retry.send(list(), Some(context.clone())).await.unwrap();
    assert_eq!((server.count(), context.attempts().len()), (2, 2));
    retry.send(list(), Some(CallContext::unrecorded().with_max_attempts(1))).await.unwrap();
    assert_eq!(server.count(), 3);
}

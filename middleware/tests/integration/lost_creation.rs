//! A creation that the server has said it made, and whose answer was lost: where trying again fails too, that answer is what is
//! told, since it may hold what is shown once.

use std::time::Duration;

use magicbell_middleware::collect::ResponseBodyError;
use magicbell_middleware::retry::{Jitter, RetryLayer, RetryPolicy, Verdict};
use magicbell_middleware::timeout::{Limit, TimeoutError};
use magicbell_middleware::{Attempts, BoxError, find_source};
use tower::ServiceExt as _;

use crate::support::{Reply, Server, create, list, stack, trusting};

fn received(error: &BoxError) -> Option<&[u8]> {
    Some(find_source::<ResponseBodyError>(&**error)?.received())
}

#[tokio::test(start_paused = true)]
async fn it_is_told_where_the_last_attempt_met_a_status() {
    let server = Server::new([Reply::Lost(201), Reply::Status(500)]);
    let error = stack(RetryLayer::new(trusting()), server.clone()).oneshot(create()).await.unwrap_err();
    assert_eq!(received(&error), Some(&b"{\"token\":\"sec"[..]));
    assert_eq!(server.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn it_is_told_where_the_time_is_up_meanwhile() {
    let server = Server::new([Reply::Lost(201), Reply::Never]);
    let layer = RetryLayer::new(trusting()).timeout(Duration::from_secs(5));
    let error = stack(layer, server.clone()).oneshot(create()).await.unwrap_err();
    assert_eq!(received(&error), Some(&b"{\"token\":\"sec"[..]));
    assert_eq!(server.count(), 2);
}

/// Whole, as far as HTTP knows, but not for the one who has to read it.
#[tokio::test(start_paused = true)]
async fn an_answer_that_the_policy_wanted_again_is_told_where_the_time_is_up_meanwhile() {
    for then in [Reply::Never, Reply::Reset, Reply::Slow(Duration::from_secs(1), 500)] {
        let server = Server::new([Reply::Status(201), then]);
        let policy = RetryPolicy::builder()
            .trust_idempotency_keys(true)
            .classify(|attempt| (attempt.status()?.as_u16() == 201).then_some(Verdict::Backoff));
        let layer = RetryLayer::new(policy.build()).timeout(Duration::from_secs(5));
        let response = stack(layer, server.clone()).oneshot(create()).await.unwrap();
        assert_eq!(response.status(), 201);
        assert!(server.count() > 1);
        let attempts = &response.extensions().get::<Attempts>().unwrap().0;
        assert_eq!(attempts.len(), server.count(), "{then:?}");
    }
}

/// The limit is the call's alone, and nearer than an attempt's.
#[tokio::test(start_paused = true)]
async fn what_has_arrived_is_told_where_the_calls_time_is_up_in_the_middle() {
    let server = Server::new([Reply::Stalls(201)]);
    let layer = RetryLayer::new(trusting()).timeout(Duration::from_secs(5));
    let error = stack(layer, server.clone()).oneshot(create()).await.unwrap_err();
    assert_eq!(received(&error), Some(&b"{\"token\":\"sec"[..]));
    let timeout = find_source::<TimeoutError>(&*error).unwrap();
    assert_eq!((timeout.limit(), timeout.after()), (Limit::Operation, Duration::from_secs(5)));
    assert_eq!(server.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn it_is_not_told_once_another_attempt_was_answered() {
    let server = Server::new([Reply::Lost(201), Reply::Status(200)]);
    let response = stack(RetryLayer::new(trusting()), server).oneshot(create()).await.unwrap();
    assert_eq!(response.body().as_bytes(), b"{\"ok\":true}");
}

#[tokio::test(start_paused = true)]
async fn a_list_is_told_by_its_last_answer() {
    let server = Server::new([Reply::Lost(200), Reply::Status(500)]);
    let response = stack(RetryLayer::new(trusting()), server).oneshot(list()).await.unwrap();
    assert_eq!(response.status(), 500);
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_failed_is_told_by_its_last_answer() {
    let server = Server::new([Reply::Lost(500), Reply::Status(503)]);
    let response = stack(RetryLayer::new(trusting()), server).oneshot(create()).await.unwrap();
    assert_eq!(response.status(), 503);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_counted_on_for_23_hours_and_no_longer() {
    for (seconds, asked, requests) in [(82_800, "82800", 2), (82_801, "82801", 1)] {
        let policy = RetryPolicy::builder().jitter(Jitter::off()).trust_idempotency_keys(true);
        // Not a second longer than asked.
        let policy = policy.max_retry_after(Duration::from_secs(seconds));
        let server = Server::new([Reply::Asks(503, asked), Reply::Status(200)]);
        let _ = stack(RetryLayer::new(policy.build()), server.clone()).oneshot(create()).await;
        assert_eq!(server.count(), requests, "{seconds}");
    }
}

//! One deadline covers everything, and nothing goes past it.

use std::time::Duration;

use magicbell_middleware::pace::{HeldBack, Pace, Quota};
use magicbell_middleware::retry::{Backoff, Jitter, RetryLayer, RetryPolicy};
use magicbell_middleware::{CallContext, Outcome, Safety, find_source};
use tokio::time::Instant;
use tower::limit::ConcurrencyLimit;
use tower::{Service as _, ServiceExt as _};

use crate::support::{
    ATTEMPT_TIMEOUT, Reply, Server, TICK, assert_out_of_time, create, discard, list, policy, retry_error, stack,
};

const SECOND: Duration = Duration::from_secs(1);

fn layer() -> RetryLayer {
    RetryLayer::new(policy()).timeout(5 * SECOND)
}

#[tokio::test(start_paused = true)]
async fn it_covers_the_wait_for_the_inner_service() {
    let server = Server::new([Reply::Never]);
    let service = stack(layer(), ConcurrencyLimit::new(server.clone(), 1));
    let _first = tokio::spawn(service.clone().oneshot(list()));
    tokio::time::sleep(SECOND).await;
    let start = Instant::now();
    // The first one's own deadline would give its permit to the second.
    let request = with(discard(), &CallContext::new().with_timeout(3 * SECOND));
    let error = service.oneshot(request).await.unwrap_err();
    assert!(start.elapsed() >= 3 * SECOND && start.elapsed() <= 3 * SECOND + TICK, "{:?}", start.elapsed());
    assert_out_of_time(&error);
    assert_eq!(retry_error(&error).outcome(), Outcome::NotSent);
    assert!(retry_error(&error).attempts().is_empty());
    assert_eq!(server.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_would_come_after_it_is_not_waited_for() {
    let server = Server::new([Reply::Status(200)]);
    let pace = Pace::new(Quota::unlimited(), Quota::per(1, 60 * SECOND));
    let service = stack(layer().pace(pace), server.clone());
    service.clone().oneshot(discard()).await.unwrap();
    let start = Instant::now();
    let error = service.oneshot(discard()).await.unwrap_err();
    assert_eq!(start.elapsed(), Duration::ZERO);
    let held = find_source::<HeldBack>(&*error).unwrap();
    assert_eq!(held.wait(), Duration::from_millis(60_050));
    assert_eq!(retry_error(&error).outcome(), Outcome::NotSent);
    assert!(retry_error(&error).attempts().is_empty());
    assert_eq!(server.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_ends_after_it_is_not_waited_for() {
    let server = Server::new([Reply::Status(200)]);
    let pace = Pace::unlimited();
    pace.pause(7 * SECOND);
    let error = stack(layer().pace(pace), server.clone()).oneshot(list()).await.unwrap_err();
    assert!(find_source::<HeldBack>(&*error).unwrap().wait() >= 7 * SECOND);
    assert_eq!((retry_error(&error).outcome(), server.count()), (Outcome::NotSent, 0));
}

#[tokio::test(start_paused = true)]
async fn it_covers_a_wait_at_the_pace_and_the_attempt_after_it() {
    let server = Server::new([Reply::Never]);
    let pace = Pace::unlimited();
    pace.pause(3 * SECOND);
    let start = Instant::now();
    let error = stack(layer().pace(pace), server.clone()).oneshot(list()).await.unwrap_err();
    let sent = server.times()[0];
    assert!(sent >= 3 * SECOND && sent <= 3 * SECOND + SECOND / 10, "{sent:?}");
    assert_eq!(start.elapsed(), 5 * SECOND);
    assert_out_of_time(&error);
    assert_eq!(retry_error(&error).attempts()[0].elapsed, 5 * SECOND - sent);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_in_flight_when_it_passes_is_unknown() {
    let server = Server::new([Reply::Never]);
    let start = Instant::now();
    let error = stack(layer(), server.clone()).oneshot(create()).await.unwrap_err();
    assert_eq!(start.elapsed(), 5 * SECOND);
    assert_out_of_time(&error);
    let error = retry_error(&error);
    assert_eq!((error.outcome(), error.attempts().len(), server.count()), (Outcome::Unknown, 1, 1));
    assert_eq!(error.attempts()[0].elapsed, 5 * SECOND);
    assert_eq!(error.attempts()[0].cause.as_deref(), Some("the operation was not over within 5s"));
}

#[tokio::test(start_paused = true)]
async fn it_covers_all_attempts_together() {
    let server = Server::new([Reply::Slow(2 * SECOND, 503)]);
    let start = Instant::now();
    let error = stack(layer(), server.clone()).oneshot(list()).await.unwrap_err();
    assert_eq!((start.elapsed(), server.count()), (5 * SECOND, 3));
    let attempts = retry_error(&error).attempts();
    assert_eq!(
        attempts.iter().map(|attempt| attempt.outcome).collect::<Vec<_>>(),
        [Outcome::Answered, Outcome::Answered, Outcome::Unknown]
    );
}

#[tokio::test(start_paused = true)]
async fn a_backoff_that_would_go_past_it_is_not_begun() {
    for delay in [5 * SECOND, 6 * SECOND, Duration::MAX] {
        let policy = RetryPolicy::builder().jitter(Jitter::off()).backoff(Backoff::new(delay, delay)).build();
        let server = Server::new([Reply::Status(503)]);
        let start = Instant::now();
        let layer = RetryLayer::new(policy.clone()).timeout(5 * SECOND);
        let response = stack(layer, server.clone()).oneshot(list()).await.unwrap();
        assert_eq!((response.status().as_u16(), server.count(), start.elapsed()), (503, 1, Duration::ZERO));
        // What isn't sent isn't paid for.
        assert_eq!(policy.budget().remaining(), 100);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_begins_during_a_backoff_is_not_waited_for_past_it() {
    let server = Server::new([Reply::Status(429), Reply::Status(200)]);
    let pace = Pace::unlimited();
    let call = tokio::spawn(stack(layer().pace(pace.clone()), server.clone()).oneshot(list()));
    tokio::time::sleep(SECOND / 2).await;
    pace.pause(30 * SECOND);
    let start = Instant::now();
    let error = call.await.unwrap().unwrap_err();
    assert!(start.elapsed() <= SECOND, "{:?}", start.elapsed());
    assert!(find_source::<HeldBack>(&*error).is_some());
    assert_eq!(retry_error(&error).attempts().len(), 1);
    assert_eq!((retry_error(&error).outcome(), server.count()), (Outcome::Answered, 1));
}

#[tokio::test(start_paused = true)]
async fn no_call_is_ever_over_later_than_its_deadline_nor_sent_after_it() {
    for seed in 0..1_000 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let script = (0..8)
            .map(|_| match rng.u8(0..7) {
                0 => Reply::NotSent,
                1 => Reply::Never,
                2 => Reply::Asks(429, ["0", "1", "3", "20"][rng.usize(0..4)]),
                3 => Reply::Status(503),
                4 => Reply::Lost(200),
                5 => Reply::Status(429),
                _ => Reply::Slow(Duration::from_millis(rng.u64(0..4_000)), 502),
            })
            .collect::<Vec<_>>();
        let server = Server::new(script.clone());
        let policy = RetryPolicy::builder().max_attempts(8).jitter(Jitter::seeded(seed)).build();
        let timeout = Duration::from_millis(rng.u64(0..15_000));
        let pace = Pace::new(Quota::per(rng.u32(1..4), SECOND), Quota::unlimited());
        let service =
            stack(RetryLayer::new(policy).timeout(timeout).pace(pace), ConcurrencyLimit::new(server.clone(), 1));
        let start = Instant::now();
        let calls = (0..2).map(|_| tokio::spawn(service.clone().oneshot(list()))).collect::<Vec<_>>();
        for call in calls {
            let _ = call.await.unwrap();
        }
        let context = format!("{seed}: {timeout:?} {script:?}");
        assert!(start.elapsed() <= timeout + TICK, "{context}: {:?}", start.elapsed());
        assert!(server.times().iter().all(|at| *at <= timeout + TICK), "{context}: {:?}", server.times());
    }
}

#[tokio::test(start_paused = true)]
async fn timeouts_of_any_size_do_not_panic() {
    for timeout in [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(u64::MAX), Duration::MAX] {
        let server = Server::new([Reply::Slow(SECOND, 503), Reply::Status(200)]);
        let _ = stack(RetryLayer::new(policy()).timeout(timeout), server).oneshot(list()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_timeout_of_nothing_sends_nothing() {
    let server = Server::new([Reply::Status(200)]);
    let error =
        stack(RetryLayer::new(policy()).timeout(Duration::ZERO), server.clone()).oneshot(list()).await.unwrap_err();
    assert_out_of_time(&error);
    assert_eq!((retry_error(&error).outcome(), server.count()), (Outcome::NotSent, 0));
}

fn with(
    mut request: http::Request<magicbell_middleware::Body>,
    context: &CallContext,
) -> http::Request<magicbell_middleware::Body> {
    request.extensions_mut().insert(context.clone());
    request
}

#[tokio::test(start_paused = true)]
async fn a_calls_own_deadline_replaces_the_layers() {
    for own in [2 * SECOND, 8 * SECOND] {
        let server = Server::new([Reply::Never]);
        let start = Instant::now();
        let context = CallContext::new().with_timeout(own);
        let error = stack(layer(), server).oneshot(with(list(), &context)).await.unwrap_err();
        assert_out_of_time(&error);
        assert!(start.elapsed() >= own && start.elapsed() <= own + TICK, "{:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_deadline_has_passed_is_not_sent() {
    let server = Server::new([Reply::Status(200)]);
    let context = CallContext::new().with_timeout(Duration::ZERO);
    tokio::time::advance(SECOND).await;
    let error = stack(layer(), server.clone()).oneshot(with(create(), &context)).await.unwrap_err();
    assert_out_of_time(&error);
    assert_eq!((retry_error(&error).outcome(), server.count()), (Outcome::NotSent, 0));
    assert!(context.attempts().is_empty());
}

#[tokio::test(start_paused = true)]
async fn its_time_begins_when_it_is_first_polled() {
    let server = Server::new([Reply::Status(200)]);
    let calls = [
        stack(layer(), server.clone()).call(list()),
        stack(layer(), server.clone()).call(with(list(), &CallContext::new().with_timeout(5 * SECOND))),
    ];
    tokio::time::advance(60 * SECOND).await;
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!(server.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_time_that_began_further_out_holds() {
    let server = Server::new([Reply::Status(200)]);
    let context = CallContext::new().with_timeout(5 * SECOND);
    let deadline = context.begin(Instant::now().into_std());
    tokio::time::advance(6 * SECOND).await;
    assert_eq!(context.begin(Instant::now().into_std()), deadline, "it begins once");
    let error = stack(layer(), server.clone()).oneshot(with(create(), &context)).await.unwrap_err();
    assert_out_of_time(&error);
    assert_eq!((retry_error(&error).outcome(), server.count()), (Outcome::NotSent, 0));
}

#[tokio::test(start_paused = true)]
async fn a_calls_own_number_of_attempts_replaces_the_policys() {
    for (own, expected) in [(0, 1), (1, 1), (2, 2), (5, 5)] {
        let server = Server::new([Reply::Status(503)]);
        let context = CallContext::new().with_max_attempts(own);
        stack(RetryLayer::new(policy()), server.clone()).oneshot(with(list(), &context)).await.unwrap();
        assert_eq!(server.count(), expected);
        assert_eq!(context.attempts().len(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_in_flight_is_on_record_as_unknown() {
    let server = Server::new([Reply::Status(503), Reply::Never]);
    let context = CallContext::new();
    let call = stack(RetryLayer::new(policy()), server.clone()).oneshot(with(discard(), &context));
    tokio::time::timeout(3 * SECOND, call).await.unwrap_err();
    let attempts = context.attempts();
    assert_eq!(server.count(), 2);
    assert_eq!(
        attempts.iter().map(|attempt| attempt.outcome).collect::<Vec<_>>(),
        [Outcome::Answered, Outcome::Unknown]
    );
    assert_eq!(attempts[1].cause.as_deref(), Some("in flight"));
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_between_attempts_has_none_in_flight_on_record() {
    let server = Server::new([Reply::Status(429)]);
    let context = CallContext::new();
    let call = stack(RetryLayer::new(policy()), server.clone()).oneshot(with(discard(), &context));
    tokio::time::timeout(SECOND / 2, call).await.unwrap_err();
    let attempts = context.attempts();
    assert_eq!(attempts.len(), 1);
    assert_eq!((attempts[0].outcome, attempts[0].delay), (Outcome::Answered, Some(SECOND)));
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_before_it_was_sent_has_nothing_on_record() {
    let server = Server::new([Reply::Status(200)]);
    let pace = Pace::unlimited();
    pace.pause(60 * SECOND);
    let context = CallContext::new();
    let call = stack(RetryLayer::new(policy()).pace(pace.clone()), server).oneshot(with(discard(), &context));
    tokio::time::timeout(SECOND, call).await.unwrap_err();
    assert!(context.attempts().is_empty());
    pace.admit(Safety::Safe).await;
}

/// A call that ended without using the permit that it had been given doesn't keep it, however long its future is kept.
#[tokio::test(start_paused = true)]
async fn a_permit_is_free_once_the_call_is_over_although_its_future_is_not_dropped() {
    let server = Server::new([Reply::Slow(SECOND, 200)]);
    let limited = ConcurrencyLimit::new(server.clone(), 1);
    let pace = Pace::unlimited();
    let service = stack(layer().pace(pace.clone()), limited.clone());
    let first = tokio::spawn(service.clone().oneshot(list()));
    tokio::task::yield_now().await;
    let mut second = service.clone();
    let mut second = std::pin::pin!(second.call(list()));
    assert!(poll_once(second.as_mut()).await.is_none(), "it waits for the permit");
    pace.pause(60 * SECOND);
    first.await.unwrap().unwrap();
    let error = second.as_mut().await.unwrap_err();
    assert!(find_source::<HeldBack>(&*error).is_some());
    let third = tokio::time::timeout(SECOND * 3, limited.oneshot(list())).await;
    assert!(third.is_ok(), "the permit is still kept by a call that is over");
}

/// Polls once.
async fn poll_once<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|cx| {
        std::task::Poll::Ready(match future.as_mut().poll(cx) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

/// Where each attempt has a limit of its own, the call's holds all the same, whichever comes first.
#[tokio::test(start_paused = true)]
async fn it_holds_where_attempts_have_a_limit_of_their_own() {
    for (timeout, sent) in [(5 * SECOND, 1), (ATTEMPT_TIMEOUT + SECOND / 2, 2), (2 * ATTEMPT_TIMEOUT + 5 * SECOND, 3)] {
        let server = Server::new([Reply::Never]);
        let start = Instant::now();
        let layer = RetryLayer::new(policy()).timeout(timeout).attempts_end_after(ATTEMPT_TIMEOUT);
        let error = stack(layer, server.clone()).oneshot(list()).await.unwrap_err();
        assert_out_of_time(&error);
        assert!(start.elapsed() >= timeout && start.elapsed() <= timeout + 2 * TICK, "{:?}", start.elapsed());
        assert_eq!(server.count(), sent);
    }
}

//! The table of what is sent again, cell by cell: a list, a discard, a create, and a create whose key is trusted.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response};
use magicbell_middleware::auth::{AuthLayer, Credentials, bearer};
use magicbell_middleware::collect::{CollectLayer, ResponseBodyError};
use magicbell_middleware::idempotency_key::IDEMPOTENCY_KEY;
use magicbell_middleware::retry::{AttemptResult, Jitter, RetryLayer, RetryPolicy, Verdict};
use magicbell_middleware::{
    AttemptError, Attempts, Body, BoxError, CallContext, Operation, Outcome, Safety, find_source,
};
use tower::{ServiceBuilder, ServiceExt as _};

use crate::support::{Reply, Server, create, discard, list, policy, retry_error, stack, trusting};

/// How often a request is sent that is never sent again, and one that fails to the end.
const ONCE: usize = 1;
const AGAIN: usize = 3;

type Column = (&'static str, fn() -> Request<Body>, RetryPolicy);

fn columns() -> [Column; 4] {
    [
        ("list", list, policy()),
        ("discard", discard, policy()),
        ("create", create, policy()),
        ("create, trusted", create, trusting()),
    ]
}

/// Asserts how often each column's request is sent while the server does the same each time; and that where one is sent
/// again, it is the same request, and the call has the second's answer.
async fn assert_row(reply: Reply, expected: [usize; 4]) {
    for ((name, request, policy), expected) in columns().into_iter().zip(expected) {
        let server = Server::new([reply]);
        let _ = stack(RetryLayer::new(policy.clone()), server.clone()).oneshot(request()).await;
        assert_eq!(server.count(), expected, "{reply:?}, {name}");
        server.assert_identical();
        let keys = server.received()[0].headers.get_all(IDEMPOTENCY_KEY).iter().count();
        assert_eq!(keys, usize::from(name.starts_with("create")), "{name}");

        let server = Server::new([reply, Reply::Status(200)]);
        let result = stack(RetryLayer::new(policy), server.clone()).oneshot(request()).await;
        assert_eq!(server.count(), expected.min(2), "{reply:?}, then 200, {name}");
        if expected == AGAIN {
            assert_eq!(result.unwrap().status(), 200, "{reply:?}, then 200, {name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_sent_is_sent_again_whatever_it_is() {
    assert_row(Reply::NotSent, [AGAIN; 4]).await;
}

#[tokio::test(start_paused = true)]
async fn what_another_attempt_would_meet_again_is_never_tried_again() {
    assert_row(Reply::Permanent, [ONCE; 4]).await;
}

#[tokio::test(start_paused = true)]
async fn post_without_trusted_key_is_not_sent_again_after_a_reset() {
    assert_row(Reply::Reset, [AGAIN, AGAIN, ONCE, AGAIN]).await;
}

#[tokio::test(start_paused = true)]
async fn an_error_that_says_nothing_counts_as_unknown() {
    assert_row(Reply::Silent, [AGAIN, AGAIN, ONCE, AGAIN]).await;
}

#[tokio::test(start_paused = true)]
async fn post_without_trusted_key_is_not_sent_again_after_an_attempt_timed_out() {
    assert_row(Reply::Never, [AGAIN, AGAIN, ONCE, AGAIN]).await;
}

#[tokio::test(start_paused = true)]
async fn post_without_trusted_key_is_not_sent_again_after_its_answer_was_lost() {
    for status in [200, 201, 204] {
        assert_row(Reply::Lost(status), [AGAIN, AGAIN, ONCE, AGAIN]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_body_does_not_change_what_another_status_means() {
    for status in [408, 500, 502, 503, 504] {
        assert_row(Reply::Lost(status), [AGAIN, AGAIN, ONCE, AGAIN]).await;
    }
    assert_row(Reply::Lost(429), [AGAIN; 4]).await;
    for status in [302, 401, 404, 422] {
        assert_row(Reply::Lost(status), [ONCE; 4]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_over_the_cap_is_not_asked_for_again_but_where_the_status_is_enough() {
    for status in [200, 201, 404] {
        assert_row(Reply::Oversized(status), [ONCE; 4]).await;
    }
    assert_row(Reply::Oversized(503), [AGAIN, AGAIN, ONCE, AGAIN]).await;
    assert_row(Reply::Oversized(429), [AGAIN; 4]).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_would_be_the_same_again_is_final() {
    let answers = [200, 201, 202, 204, 206, 299];
    let refusals = [300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 501, 505];
    let oddities = [101, 402, 406, 418, 421, 425, 451, 506, 511, 599, 600, 999];
    for status in [&answers[..], &refusals, &oddities].concat() {
        assert_row(Reply::Status(status), [ONCE; 4]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn post_without_trusted_key_is_not_sent_again_after_a_status_that_passes() {
    for status in [408, 500, 502, 503, 504] {
        assert_row(Reply::Status(status), [AGAIN, AGAIN, ONCE, AGAIN]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_429_is_waited_for_whatever_it_is() {
    assert_row(Reply::Status(429), [AGAIN; 4]).await;
    assert_row(Reply::Asks(429, "3"), [AGAIN; 4]).await;
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_not_there_cannot_be_trusted() {
    let server = Server::new([Reply::Reset]);
    let service =
        ServiceBuilder::new().layer(RetryLayer::new(trusting())).layer(CollectLayer::new(9)).service(server.clone());
    let error = service.oneshot(create()).await.unwrap_err();
    assert_eq!(server.count(), 1);
    assert_eq!(retry_error(&error).outcome(), Outcome::Unknown);
}

#[tokio::test(start_paused = true)]
async fn the_callers_own_key_is_on_every_attempt() {
    let server = Server::new([Reply::Reset]);
    let mut request = create();
    request.headers_mut().insert(IDEMPOTENCY_KEY, "mine".parse().unwrap());
    let _ = stack(RetryLayer::new(trusting()), server.clone()).oneshot(request).await;
    let keys = server.received().into_iter().map(|sent| sent.headers[IDEMPOTENCY_KEY].clone()).collect::<Vec<_>>();
    assert_eq!(keys, ["mine", "mine", "mine"]);
}

#[tokio::test(start_paused = true)]
async fn two_creates_never_share_a_key() {
    let server = Server::new([Reply::Status(201)]);
    let service = stack(RetryLayer::new(policy()), server.clone());
    for _ in 0..2 {
        service.clone().oneshot(create()).await.unwrap();
    }
    let received = server.received();
    assert_ne!(received[0].headers[IDEMPOTENCY_KEY], received[1].headers[IDEMPOTENCY_KEY]);
}

#[tokio::test(start_paused = true)]
async fn an_operation_is_as_safe_as_it_says_not_as_its_method() {
    let operations = [
        (create as fn() -> Request<Body>, Operation::post("search", "/search").with_safety(Safety::Safe), AGAIN),
        (discard, Operation::delete("pop", "/queue").with_safety(Safety::NonIdempotent), ONCE),
    ];
    for (request, operation, expected) in operations {
        let server = Server::new([Reply::Reset]);
        let mut request = request();
        request.extensions_mut().insert(operation);
        let _ = stack(RetryLayer::new(policy()), server.clone()).oneshot(request).await;
        assert_eq!(server.count(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn the_fate_of_one_attempt_decides_the_next() {
    // Not sent, then possibly applied: a create stops there, although an attempt is left.
    let server = Server::new([Reply::NotSent, Reply::Reset, Reply::Status(201)]);
    let error = stack(RetryLayer::new(policy()), server.clone()).oneshot(create()).await.unwrap_err();
    assert_eq!(server.count(), 2);
    assert_eq!(retry_error(&error).outcome(), Outcome::Unknown);
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_never_retries_sends_once() {
    for reply in [Reply::NotSent, Reply::Reset, Reply::Status(503), Reply::Asks(429, "1"), Reply::Lost(200)] {
        let server = Server::new([reply]);
        let _ = stack(RetryLayer::new(RetryPolicy::never()), server.clone()).oneshot(list()).await;
        assert_eq!(server.count(), 1, "{reply:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_attempts_at_all_count_as_one() {
    let server = Server::new([Reply::NotSent]);
    let policy = RetryPolicy::builder().max_attempts(0).build();
    let _ = stack(RetryLayer::new(policy), server.clone()).oneshot(list()).await;
    assert_eq!(server.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_classifier_has_the_first_word_and_not_the_last() {
    let policy = RetryPolicy::builder()
        .jitter(Jitter::off())
        .classify(|attempt| (attempt.status()?.as_u16() == 409).then_some(Verdict::Backoff))
        .build();
    let server = Server::new([Reply::Status(409)]);
    let response = stack(RetryLayer::new(policy), server.clone()).oneshot(create()).await.unwrap();
    assert_eq!((response.status().as_u16(), server.count()), (409, 3));
}

#[tokio::test(start_paused = true)]
async fn a_classifier_is_asked_about_a_success_too() {
    let policy = RetryPolicy::builder()
        .jitter(Jitter::off())
        .classify(|attempt| (attempt.status()?.as_u16() == 202).then_some(Verdict::Backoff))
        .build();
    let server = Server::new([Reply::Status(202), Reply::Status(200)]);
    let response = stack(RetryLayer::new(policy), server.clone()).oneshot(list()).await.unwrap();
    assert_eq!((response.status().as_u16(), server.count()), (200, 2));
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_is_added_is_asked_after_those_before_it() {
    let rule = |status: u16, verdict| {
        move |attempt: &AttemptResult<'_>| (attempt.status()?.as_u16() == status).then_some(verdict)
    };
    let policy = RetryPolicy::builder().jitter(Jitter::off()).classify(rule(409, Verdict::Backoff)).build();
    let policy = policy.and_classify(rule(409, Verdict::Final)).and_classify(rule(410, Verdict::Backoff));
    for (status, requests) in [(409, 3), (410, 3), (411, 1)] {
        let server = Server::new([Reply::Status(status)]);
        let _ = stack(RetryLayer::new(policy.clone()), server.clone()).oneshot(list()).await;
        assert_eq!(server.count(), requests, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn permanent_counts_also_where_a_body_was_lost() {
    // A consumer's layer says that another attempt would lose the body again.
    let server = Server::new([Reply::Lost(200)]);
    let lossy = CollectLayer::new(99);
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(policy()))
        .map_err(|error: BoxError| AttemptError::unknown(error).permanent())
        .layer(lossy)
        .service(server.clone());
    let error = service.oneshot(list()).await.unwrap_err();
    assert!(find_source::<ResponseBodyError>(&*error).is_some());
    assert_eq!(server.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_body_is_an_answer() {
    let server = Server::new([Reply::Lost(201)]);
    let error = stack(RetryLayer::new(policy()), server.clone()).oneshot(create()).await.unwrap_err();
    assert_eq!(retry_error(&error).outcome(), Outcome::Answered);
    let lost = find_source::<ResponseBodyError>(&*error).unwrap();
    assert_eq!((lost.status().as_u16(), &lost.received()[..]), (201, &b"{\"token\":\"sec"[..]));
    assert!(!format!("{error:?} {error}").contains("sec\""));
}

#[tokio::test]
async fn a_service_that_fails_to_become_ready_was_sent_nothing() {
    let (service, mut handle) = tower_test::mock::spawn::<Request<Body>, Response<Body>>();
    handle.send_error("shut down");
    let retry = ServiceBuilder::new().layer(RetryLayer::new(policy())).service(service.into_inner());
    let error = retry.oneshot(list()).await.unwrap_err();
    assert_eq!(retry_error(&error).outcome(), Outcome::NotSent);
    assert_eq!(retry_error(&error).attempts().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_call_is_sent_through_is_the_service_that_was_made_ready() {
    // The mock panics where a service is called that wasn't ready.
    let (service, mut handle) = tower_test::mock::pair::<Request<Body>, Response<Body>>();
    let call = tokio::spawn(ServiceBuilder::new().layer(RetryLayer::new(policy())).service(service).oneshot(list()));
    for status in [503, 503, 200] {
        let (_, respond) = handle.next_request().await.unwrap();
        respond.send_response(Response::builder().status(status).body(Body::empty()).unwrap());
    }
    assert_eq!(call.await.unwrap().unwrap().status(), 200);
}

/// Sends a list with credentials; returns the result, and how often credentials were asked for.
async fn with_credentials(
    server: &Server,
    refused_helps: bool,
    authorization: impl Fn(u32) -> Result<HeaderValue, BoxError> + Send + Sync + 'static,
) -> (Result<Response<Body>, BoxError>, u32) {
    let asked = Arc::new(AtomicU32::new(0));
    let credentials = Script { asked: Arc::clone(&asked), refused_helps, authorization };
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(policy()))
        .layer(CollectLayer::new(99))
        .layer(AuthLayer::new(credentials))
        .service(server.clone());
    (service.oneshot(list()).await, asked.load(Ordering::Relaxed))
}

struct Script<F> {
    asked: Arc<AtomicU32>,
    refused_helps: bool,
    authorization: F,
}

impl<F: Fn(u32) -> Result<HeaderValue, BoxError> + Send + Sync + 'static> Credentials for Script<F> {
    type Future = Ready<Result<HeaderValue, BoxError>>;

    fn authorization(&self) -> Self::Future {
        ready((self.authorization)(self.asked.fetch_add(1, Ordering::Relaxed)))
    }

    fn refused(&self, _: &HeaderValue) -> bool {
        self.refused_helps
    }
}

fn numbered(number: u32) -> Result<HeaderValue, BoxError> {
    Ok(bearer(&format!("t{number}"))?)
}

#[tokio::test(start_paused = true)]
async fn credentials_that_fail_are_asked_again_unless_they_fail_for_good() {
    let server = Server::new([Reply::Status(200)]);
    let (result, asked) = with_credentials(&server, false, |_| Err("vault sealed".into())).await;
    assert_eq!((retry_error(&result.unwrap_err()).outcome(), asked), (Outcome::NotSent, 3));
    let closed = |_| Err(AttemptError::not_sent("account closed").permanent().into());
    let (result, asked) = with_credentials(&server, false, closed).await;
    assert_eq!((retry_error(&result.unwrap_err()).outcome(), asked), (Outcome::NotSent, 1));
    // What became of the request for a token says nothing of the request that would have carried it.
    let (result, asked) = with_credentials(&server, false, |_| Err(AttemptError::unknown("reset").into())).await;
    assert_eq!((retry_error(&result.unwrap_err()).outcome(), asked), (Outcome::NotSent, 3));
    assert_eq!(server.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_401_is_tried_again_once_and_only_with_other_credentials() {
    for (refused_helps, expected) in [(false, 1), (true, 2)] {
        let server = Server::new([Reply::Status(401)]);
        let (result, asked) = with_credentials(&server, refused_helps, numbered).await;
        assert_eq!((result.unwrap().status().as_u16(), server.count(), asked), (401, expected, expected as u32));
        assert!(server.times().iter().all(Duration::is_zero), "at once");
    }
    let server = Server::new([Reply::Status(401), Reply::Status(503), Reply::Status(200)]);
    let (result, _) = with_credentials(&server, true, numbered).await;
    assert_eq!(result.unwrap().status(), 200);
    let tokens = server.received().into_iter().map(|sent| sent.headers[AUTHORIZATION].clone()).collect::<Vec<_>>();
    assert_eq!(tokens, ["Bearer t0", "Bearer t1", "Bearer t2"]);
}

#[tokio::test(start_paused = true)]
async fn a_401_stands_where_the_credentials_give_the_same_again() {
    let server = Server::new([Reply::Status(401), Reply::Status(200)]);
    let (result, asked) = with_credentials(&server, true, |_| numbered(0)).await;
    let response = result.unwrap();
    assert_eq!((response.status().as_u16(), server.count(), asked), (401, 1, 2));
    let attempts = &response.extensions().get::<Attempts>().unwrap().0;
    let told = attempts.iter().map(|attempt| (attempt.outcome, attempt.status.map(|status| status.as_u16())));
    assert_eq!(told.collect::<Vec<_>>(), [(Outcome::Answered, Some(401)), (Outcome::NotSent, None)]);
    // Once another has been sent, it is that one's answer that counts.
    for status in [200, 403] {
        let server = Server::new([Reply::Status(401), Reply::Status(503), Reply::Status(status)]);
        let (result, _) = with_credentials(&server, true, numbered).await;
        assert_eq!((result.unwrap().status().as_u16(), server.count()), (status, 3));
    }
    // And where there is none at all, that is what is told.
    let server = Server::new([Reply::Status(401)]);
    let then_none = |number| if number == 0 { numbered(0) } else { Err("vault sealed".into()) };
    let (result, asked) = with_credentials(&server, true, then_none).await;
    let error = result.unwrap_err();
    assert_eq!((retry_error(&error).attempts().len(), server.count(), asked), (3, 1, 3));
    assert!(format!("{error:?}").contains("vault sealed"));
}

#[tokio::test(start_paused = true)]
async fn a_create_is_not_sent_again_once_its_key_may_have_been_forgotten() {
    let hour = Duration::from_secs(3_600);
    for (asked, expected) in [("72000", 2), ("82801", 1)] {
        let policy = RetryPolicy::builder()
            .jitter(Jitter::seeded(1))
            .trust_idempotency_keys(true)
            .max_retry_after(48 * hour)
            .build();
        let server = Server::new([Reply::Asks(503, asked), Reply::Status(201)]);
        stack(RetryLayer::new(policy), server.clone()).oneshot(create()).await.unwrap();
        assert_eq!(server.count(), expected, "{asked} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_calls_own_policy_replaces_the_layers() {
    let server = Server::new([Reply::Reset]);
    let mut request = create();
    request.extensions_mut().insert(CallContext::new().with_policy(trusting()));
    let _ = stack(RetryLayer::new(RetryPolicy::never()), server.clone()).oneshot(request).await;
    assert_eq!(server.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_rate_limits_out_has_its_attempts_for_the_rest() {
    let mut script = vec![Reply::Asks(429, "1"); 20];
    script.push(Reply::Status(503));
    let server = Server::new(script);
    let layer = RetryLayer::new(policy());
    let mut request = list();
    request.extensions_mut().insert(CallContext::new().waiting_out_rate_limits());
    let response = stack(layer, server.clone()).oneshot(request).await.unwrap();
    assert_eq!((response.status().as_u16(), server.count()), (503, 23));
}

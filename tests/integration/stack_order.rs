//! The order of the stack: a test for each neighbouring pair, which fails when the two are swapped. (For the spans, see
//! `tests/traces`.)
//!
//! Four pairs have no test, since swapping them changes nothing that can be seen: the call span and the idempotency key (the
//! span reads no header), the concurrency limit and the attempt span (a span opens when the attempt does, and that is after the
//! permit has been had in either order), the default headers and the credentials (either way a credential is inserted last, or
//! can't be replaced), and the credentials and the collected body (a 401 is one whether or not its body has come).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response};
use magicbell::jwt::{CreateProjectJwt, FetchProjectTokens};
use magicbell::middleware::retry::{Backoff, Jitter};
use magicbell::testing::{Fault, Server};
use magicbell::{Body, BoxError, Client, RetryPolicy, StackService};
use tower::ServiceExt;

use crate::support::quick;

fn list() -> FetchProjectTokens {
    FetchProjectTokens::builder().build()
}

/// The idempotency key, then retry: every attempt has the same key. It is inside the caller's layers, which may bring their
/// own.
#[tokio::test]
async fn the_key_is_made_once_and_inside_the_callers_layers() {
    let server = Server::start().await.unwrap();
    server.fail_next(Fault::status(429));
    let client = Client::builder().token(server.token()).base_url(server.url()).retry(quick()).build().unwrap();
    client.execute(CreateProjectJwt::builder().name("x").build()).await.unwrap();
    let keys = server.requests().iter().map(|sent| sent.headers["idempotency-key"].clone()).collect::<Vec<_>>();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1]);

    let own = tower::util::MapRequestLayer::new(|mut request: Request<Body>| {
        request.headers_mut().insert("idempotency-key", http::HeaderValue::from_static("a-layers-own"));
        request
    });
    let client = Client::builder().token(server.token()).base_url(server.url()).layer(own).build().unwrap();
    client.execute(CreateProjectJwt::builder().name("x").build()).await.unwrap();
    assert_eq!(server.requests().pop().unwrap().headers["idempotency-key"], "a-layers-own");
}

/// Retry, then the concurrency limit: the one permit is free while a call backs off.
#[tokio::test(start_paused = true)]
async fn a_permit_is_not_held_while_backing_off() {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&sent);
    let transport = tower::service_fn(move |request: Request<Body>| {
        let is_first = request.uri().query() == Some("limit=1") && {
            let mut log = log.lock().unwrap();
            log.push(request.uri().query().unwrap().to_owned());
            log.iter().filter(|query| *query == "limit=1").count() == 1
        } || {
            if request.uri().query() == Some("limit=2") {
                log.lock().unwrap().push("limit=2".to_owned());
            }
            false
        };
        let answer = Response::builder().status(if is_first { 503 } else { 200 }).body(Body::from("{}")).unwrap();
        std::future::ready(Ok::<_, BoxError>(answer))
    });
    let backoff = Backoff::new(Duration::from_secs(10), Duration::from_secs(10));
    let retry = RetryPolicy::builder().backoff(backoff).jitter(Jitter::off()).build();
    let client = Client::builder().token("t").transport(transport).retry(retry).concurrency_limit(1).build().unwrap();
    let numbered = |limit| client.execute(FetchProjectTokens::builder().limit(limit).build());
    let (first, second) = tokio::join!(numbered(1), numbered(2));
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(*sent.lock().unwrap(), ["limit=1", "limit=2", "limit=1"]);
}

/// The concurrency limit, then the attempt timeout: waiting for a permit is not an attempt's time.
#[tokio::test(start_paused = true)]
async fn waiting_for_a_permit_is_not_an_attempts_time() {
    let transport = tower::service_fn(async |_: Request<Body>| {
        tokio::time::sleep(Duration::from_secs(6)).await;
        Ok::<_, BoxError>(Response::new(Body::from("{}")))
    });
    let client = Client::builder()
        .token("t")
        .transport(transport)
        .attempt_timeout(Duration::from_secs(10))
        .retry(RetryPolicy::never())
        .concurrency_limit(1)
        .build()
        .unwrap();
    // The third one waits for 12 s, and then takes 6.
    let (one, two, three) = tokio::join!(client.execute(list()), client.execute(list()), client.execute(list()));
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
}

/// Retry, then the attempt timeout: each attempt has the whole of it, and the caller's attempt layers are within.
#[tokio::test(start_paused = true)]
async fn an_attempt_layer_that_hangs_is_timed_out_and_tried_again() {
    let calls = Arc::new(Mutex::new(0));
    let counter = Arc::clone(&calls);
    let hangs_once = tower::layer::layer_fn(move |inner: StackService| {
        let counter = Arc::clone(&counter);
        tower::service_fn(move |request: Request<Body>| {
            let (inner, counter) = (inner.clone(), Arc::clone(&counter));
            async move {
                let call = {
                    let mut calls = counter.lock().unwrap();
                    *calls += 1;
                    *calls
                };
                if call == 1 {
                    std::future::pending::<()>().await;
                }
                inner.oneshot(request).await
            }
        })
    });
    let transport = tower::service_fn(async |_: Request<Body>| Ok::<_, BoxError>(Response::new(Body::from("{}"))));
    let client = Client::builder().token("t").transport(transport).attempt_layer(hangs_once).build().unwrap();
    let response = client.request(list()).send().await.unwrap();
    assert_eq!(response.attempts().len(), 2);
    assert!(response.attempts()[0].elapsed >= Duration::from_secs(10));
    assert_eq!(*calls.lock().unwrap(), 2);
}

/// The caller's attempt layers, then headers and auth: what a layer sets wins over a default, and can't replace the token.
#[tokio::test]
async fn headers_and_auth_are_innermost() {
    let server = Server::start().await.unwrap();
    let forge = tower::util::MapRequestLayer::new(|mut request: Request<Body>| {
        assert!(request.headers().get("authorization").is_none());
        assert!(request.headers().get("user-agent").is_none());
        request.headers_mut().insert("authorization", http::HeaderValue::from_static("Bearer forged"));
        request.headers_mut().insert("accept", http::HeaderValue::from_static("application/json;v=2"));
        request
    });
    let client = Client::builder().token(server.token()).base_url(server.url()).attempt_layer(forge).build().unwrap();
    client.execute(list()).await.unwrap();
    let sent = server.requests().pop().unwrap();
    assert_eq!(sent.headers.get_all("authorization").iter().count(), 1);
    assert_eq!(sent.headers["accept"], "application/json;v=2");
}

/// Everything, then collect, then the transport: a body that breaks off is an attempt's failure, and a permit is held until it
/// has been read.
#[tokio::test]
async fn a_body_that_breaks_off_is_within_the_attempt() {
    let server = Server::start().await.unwrap();
    server.fail_next(Fault::cut_body(5));
    let client = Client::builder().token(server.token()).base_url(server.url()).retry(quick()).build().unwrap();
    assert_eq!(client.request(list()).send().await.unwrap().attempts().len(), 2);
}

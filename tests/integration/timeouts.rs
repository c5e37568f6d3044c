//! Limits on time: which one fired, and what is known then.

use std::time::{Duration, Instant};

use magicbell::jwt::{CreateProjectJwt, FetchProjectTokens};
use magicbell::testing::{Fault, Server};
use magicbell::{Client, ErrorKind, Limit, Outcome, RateLimit, StackService};

use crate::support::quick;

fn list() -> FetchProjectTokens {
    FetchProjectTokens::builder().build()
}

#[tokio::test]
async fn a_slow_attempt_is_sent_again_unless_it_creates() {
    let server = Server::start().await.unwrap();
    let short = Duration::from_millis(500);
    let client = Client::builder()
        .token(server.token())
        .base_url(server.url())
        .attempt_timeout(short)
        .retry(quick())
        .build()
        .unwrap();
    server.fail_next(Fault::stall());
    assert_eq!(client.request(list()).send().await.unwrap().attempts().len(), 2);

    server.fail_next(Fault::stall());
    let error = client.execute(CreateProjectJwt::builder().name("ci").build()).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Outcome::Unknown));
    assert_eq!(error.timeout(), Some((Limit::Attempt, short)));
    assert_eq!(server.count("create_project_jwt"), 1);
}

#[tokio::test]
async fn the_whole_call_has_one_deadline() {
    let server = Server::start().await.unwrap();
    let short = Duration::from_millis(150);
    let builder = || Client::builder().token(server.token()).base_url(server.url()).timeout(short).retry(quick());
    let layered = builder().layer(tower::layer::util::Identity::new());
    for client in [builder().build().unwrap(), layered.build().unwrap()] {
        server.fail_next(Fault::stall());
        let start = Instant::now();
        let error = client.execute(list()).await.unwrap_err();
        assert!(start.elapsed() >= short && start.elapsed() < Duration::from_secs(5));
        assert!(error.is_timeout());
        assert_eq!(error.timeout().unwrap().0, Limit::Operation);
        assert_eq!(error.outcome(), Outcome::Unknown);
        assert_eq!(error.attempts().len(), 1);
    }
}

#[tokio::test]
async fn the_deadline_covers_a_layer_of_the_callers_that_hangs() {
    let server = Server::start().await.unwrap();
    let hang = tower::layer::layer_fn(|inner: StackService| {
        tower::service_fn(move |request: http::Request<magicbell::Body>| {
            let inner = inner.clone();
            async move {
                std::future::pending::<()>().await;
                tower::ServiceExt::oneshot(inner, request).await
            }
        })
    });
    let client = Client::builder()
        .token(server.token())
        .base_url(server.url())
        .timeout(Duration::from_millis(50))
        .layer(hang)
        .build()
        .unwrap();
    let error = client.execute(list()).await.unwrap_err();
    assert_eq!(error.timeout().unwrap().0, Limit::Operation);
    assert_eq!(error.outcome(), Outcome::NotSent);
    assert_eq!(server.request_count(), 0);
}

#[tokio::test]
async fn a_call_of_its_own_time_and_attempts() {
    let server = Server::start().await.unwrap();
    let client = Client::builder().token(server.token()).base_url(server.url()).retry(quick()).build().unwrap();
    server.fail_next(Fault::stall());
    let error = client.request(list()).timeout(Duration::from_millis(50)).send().await.unwrap_err();
    assert_eq!(error.timeout().unwrap().0, Limit::Operation);
    server.clear_requests();
    server.fail_next(Fault::status(503).always());
    client.request(list()).max_attempts(1).send().await.unwrap_err();
    assert_eq!(server.request_count(), 1);
    client.request(list()).max_attempts(5).send().await.unwrap_err();
    assert_eq!(server.request_count(), 6);
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_is_not_begun() {
    let server = Server::start().await.unwrap();
    let client = Client::builder()
        .token(server.token())
        .base_url(server.url())
        .timeout(Duration::from_secs(20))
        .build()
        .unwrap();
    server.fail_next(Fault::status(429).retry_after(30));
    let start = Instant::now();
    let error = client.execute(list()).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(30)));
    // The others of the client wait as well, or fail at once where they can't.
    let error = client.execute(list()).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::HeldBack, Outcome::NotSent));
    assert!(error.is_rate_limited() && error.retry_after().unwrap() > Duration::from_secs(25));
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(server.request_count(), 1);
}

#[tokio::test]
async fn a_body_that_drips_is_covered() {
    let server = Server::start().await.unwrap();
    let client = Client::builder()
        .token(server.token())
        .base_url(server.url())
        .attempt_timeout(Duration::from_millis(100))
        .retry(magicbell::RetryPolicy::never())
        .build()
        .unwrap();
    server.fail_next(Fault::delay(Duration::from_secs(30)));
    let error = client.execute(list()).await.unwrap_err();
    assert_eq!(error.timeout().unwrap().0, Limit::Attempt);
}

/// A port that takes the connection and never says a word of TLS, and its base URL.
async fn silent() -> (tokio::net::TcpListener, String) {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/v2", silent.local_addr().unwrap());
    (silent, url)
}

#[tokio::test]
async fn a_connection_that_is_not_made_in_time_was_not_sent() {
    let (_silent, url) = silent().await;
    let short = Duration::from_millis(100);
    let client = Client::builder()
        .token("t")
        .base_url(url)
        .connect_timeout(short)
        .retry(magicbell::RetryPolicy::never())
        .build()
        .unwrap();
    let error = client.execute(list()).await.unwrap_err();
    assert_eq!(error.timeout(), Some((Limit::Connect, short)));
    assert!(error.is_timeout() && error.is_connect());
    assert_eq!(error.outcome(), Outcome::NotSent);
}

#[tokio::test]
async fn a_rate_limit_keeps_requests_back() {
    let server = Server::start().await.unwrap();
    let limit = RateLimit::per_minute(600, 600);
    let client =
        |limit| Client::builder().token(server.token()).base_url(server.url()).rate_limit(limit).build().unwrap();
    // 30 may go at once, a twentieth; then one each 105 ms, between both clients together.
    let clients = [client(limit.clone()), client(limit)];
    let start = Instant::now();
    for number in 0..35 {
        clients[number % 2].execute(list()).await.unwrap();
    }
    assert!(start.elapsed() >= Duration::from_millis(500), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_calls_time_begins_when_it_is_first_polled() {
    use tower::layer::util::Identity;
    let (_, transport) = crate::support::transport(|_| Ok(crate::support::json(200, r#"{"data":[]}"#)));
    let builder = || Client::builder().token("t").transport(transport.clone()).timeout(Duration::from_secs(20));
    for client in [builder().build().unwrap(), builder().layer(Identity::new()).build().unwrap()] {
        let calls = [client.request(list()).send(), client.request(list()).timeout(Duration::from_secs(1)).send()];
        tokio::time::advance(Duration::from_secs(60)).await;
        for call in calls {
            assert_eq!(call.await.unwrap().elapsed(), Duration::ZERO);
        }
    }
}

#[tokio::test]
async fn credentials_that_are_not_given_in_time_mean_not_sent() {
    let server = Server::start().await.unwrap();
    let short = Duration::from_millis(100);
    let client = Client::builder()
        .credentials(std::future::pending::<Result<http::HeaderValue, magicbell::BoxError>>)
        .base_url(server.url())
        .attempt_timeout(short)
        .retry(magicbell::RetryPolicy::never())
        .build()
        .unwrap();
    let error = client.execute(list()).await.unwrap_err();
    assert_eq!(
        (error.timeout(), error.outcome()),
        (Some((Limit::Credentials, short / 2)), Outcome::NotSent),
        "{error:?}"
    );
    assert_eq!(server.request_count(), 0);
}

#[tokio::test]
async fn a_connection_that_is_not_made_within_an_attempt_was_not_sent() {
    let (_silent, url) = silent().await;
    let short = Duration::from_millis(100);
    let client = Client::builder()
        .token("t")
        .base_url(url)
        .attempt_timeout(short)
        .retry(magicbell::RetryPolicy::never())
        .build()
        .unwrap();
    let error = client.execute(list()).await.unwrap_err();
    assert_eq!((error.timeout(), error.outcome()), (Some((Limit::Connect, short)), Outcome::NotSent), "{error:?}");
}

/// Credentials that take their time leave less of the attempt for connecting; nothing was sent all the same.
#[tokio::test(start_paused = true)]
async fn an_attempt_that_ran_out_of_time_while_connecting_was_not_sent_however_slow_the_credentials_were() {
    let (_silent, url) = silent().await;
    let slow = || async {
        tokio::time::sleep(Duration::from_secs(6)).await;
        Ok::<_, magicbell::BoxError>(magicbell::bearer("t")?)
    };
    let retry = magicbell::RetryPolicy::never();
    let client = Client::builder().credentials(slow).base_url(url).retry(retry).build().unwrap();
    let error = client.execute(CreateProjectJwt::builder().name("x").build()).await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert_eq!(error.outcome(), Outcome::NotSent, "no connection was made: {error}");
}

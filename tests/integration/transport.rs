//! Connections: real sockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use magicbell::jwt::{CreateProjectJwt, DiscardUserJwt, FetchProjectTokens};
use magicbell::testing::{Fault, Server};
use magicbell::{Client, ErrorKind, Outcome};

use crate::support::quick;

#[tokio::test]
async fn a_refused_connection_was_not_sent_and_is_retried_whatever_it_is() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v2", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::builder().token("t").base_url(url).retry(quick()).build().unwrap();
    let error = client.execute(CreateProjectJwt::builder().name("x").build()).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Connect, Outcome::NotSent));
    assert_eq!(error.attempts().len(), 3);
    assert!(error.is_connect() && error.is_retryable());
    assert!(!error.to_string().contains("may have been created"), "{error}");
}

#[tokio::test]
async fn a_name_that_does_not_resolve_was_not_sent() {
    let client =
        Client::builder().token("t").base_url("https://no-such-host.invalid/v2").retry(quick()).build().unwrap();
    let error = client.execute(CreateProjectJwt::builder().name("x").build()).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Connect, Outcome::NotSent));
}

#[tokio::test]
async fn a_connection_reset_on_accept_creates_one_token() {
    let server = Server::start().await.unwrap();
    server.reset_connections(1);
    let client = Client::builder().token(server.token()).base_url(server.url()).retry(quick()).build().unwrap();
    let result = client.request(CreateProjectJwt::builder().name("x").build()).send().await;
    // Whether the request had been written when the reset came is the kernel's to decide; minting twice isn't.
    let minted = server.project_tokens().len() - 1;
    match result {
        Ok(response) => assert_eq!((minted, response.attempts().len()), (1, 2)),
        Err(error) => assert_eq!((minted, error.outcome(), server.request_count()), (0, Outcome::Unknown, 0)),
    }
}

#[tokio::test]
async fn connections_are_used_again() {
    let server = Server::start().await.unwrap();
    let client = Client::builder().token(server.token()).base_url(server.url()).build().unwrap();
    for _ in 0..20 {
        client.execute(FetchProjectTokens::builder().build()).await.unwrap();
    }
    // One will do, but for a race between a connection that comes back and the next call.
    assert!(server.connections() <= 3, "{}", server.connections());
}

#[tokio::test]
async fn http_2_with_prior_knowledge_shares_one_connection() {
    let server = Server::start().await.unwrap();
    let client = Client::builder()
        .token(server.token())
        .base_url(server.url())
        .http2_prior_knowledge(true)
        .retry(quick())
        .build()
        .unwrap();
    let ids = server.add_user_tokens("u", 100);
    let calls = ids.iter().map(|id| client.execute(DiscardUserJwt::new(id)));
    for result in futures_util::future::join_all(calls).await {
        result.unwrap();
    }
    assert_eq!(server.connections(), 1);
    assert!(server.requests().iter().all(|sent| sent.version == http::Version::HTTP_2));

    server.fail_next(Fault::reset());
    client.execute(FetchProjectTokens::builder().build()).await.unwrap();
    assert_eq!(server.count("fetch_project_tokens"), 2);
}

#[tokio::test]
async fn an_answer_that_is_no_http_is_unknown() {
    for raw in ["nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"] {
        let server = Server::start().await.unwrap();
        server.fail_next(Fault::raw(raw).after_processing());
        let client = Client::builder().token(server.token()).base_url(server.url()).retry(quick()).build().unwrap();
        let error = client.execute(CreateProjectJwt::builder().name("x").build()).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Transport, Outcome::Unknown), "{raw}");
        assert_eq!(server.request_count(), 1);
    }
}

#[tokio::test]
async fn interim_answers_are_passed_over() {
    let server = Server::start().await.unwrap();
    let body = r#"{"data":[]}"#;
    let raw = format!(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    server.fail_next(Fault::raw(raw));
    let client = Client::builder().token(server.token()).base_url(server.url()).build().unwrap();
    assert!(client.execute(FetchProjectTokens::builder().build()).await.unwrap().data.is_empty());
}

#[tokio::test(start_paused = true)]
async fn many_calls_at_once_keep_to_the_concurrency_limit() {
    let in_flight = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (counter, highest) = (Arc::clone(&in_flight), Arc::clone(&most));
    let transport = tower::service_fn(move |_: http::Request<magicbell::Body>| {
        let (counter, highest) = (Arc::clone(&counter), Arc::clone(&highest));
        async move {
            highest.fetch_max(counter.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(10)).await;
            counter.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, magicbell::BoxError>(http::Response::new(magicbell::Body::from("{}")))
        }
    });
    let client = Client::builder().token("t").transport(transport).concurrency_limit(3).build().unwrap();
    let calls = (0..200).map(|_| client.execute(FetchProjectTokens::builder().build()));
    assert!(futures_util::future::join_all(calls).await.iter().all(Result::is_ok));
    assert_eq!((most.load(Ordering::SeqCst), in_flight.load(Ordering::SeqCst)), (3, 0));
}

//! What HTTP/2 says of a request, frame by frame.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use h2::Reason;
use magicbell::jwt::CreateProjectJwt;
use magicbell::{Client, ErrorKind, Outcome};
use tokio::net::TcpListener;

use crate::support::quick;

/// What a server does with its first stream. Every other one it answers with a token.
#[derive(Clone, Copy)]
enum First {
    Reset(Reason),
    /// Ends the whole connection at once.
    GoAway(Reason),
}

/// Serves HTTP/2 by that script; returns its base URL and how many streams it has seen.
async fn serve(first: First) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v2", listener.local_addr().unwrap());
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let counter = Arc::clone(&counter);
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(socket).await.unwrap();
                while let Some(Ok((_, mut respond))) = connection.accept().await {
                    match (counter.fetch_add(1, Ordering::Relaxed), first) {
                        (0, First::Reset(reason)) => respond.send_reset(reason),
                        (0, First::GoAway(reason)) => connection.abrupt_shutdown(reason),
                        _ => {
                            let head = http::Response::builder().status(201).body(()).unwrap();
                            let mut body = respond.send_response(head, false).unwrap();
                            body.send_data(Bytes::from_static(br#"{"token":"t","token_id":"i"}"#), true).unwrap();
                        }
                    }
                }
            });
        }
    });
    (url, seen)
}

async fn create(url: &str) -> Result<usize, magicbell::Error> {
    let builder = Client::builder().token("t").base_url(url).http2_prior_knowledge(true).retry(quick());
    let client = builder.build().unwrap();
    let response = client.request(CreateProjectJwt::builder().name("x").build()).send().await?;
    Ok(response.attempts().len())
}

#[tokio::test]
async fn a_refused_stream_was_not_sent_so_even_a_create_is_sent_again() {
    let (url, seen) = serve(First::Reset(Reason::REFUSED_STREAM)).await;
    assert_eq!(create(&url).await.unwrap(), 2);
    assert_eq!(seen.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn any_other_end_of_a_stream_or_connection_is_unknown() {
    for first in [
        First::Reset(Reason::INTERNAL_ERROR),
        First::Reset(Reason::CANCEL),
        First::Reset(Reason::ENHANCE_YOUR_CALM),
        First::GoAway(Reason::INTERNAL_ERROR),
        First::GoAway(Reason::NO_ERROR),
    ] {
        let (url, seen) = serve(first).await;
        let error = create(&url).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Transport, Outcome::Unknown), "{error:?}");
        assert_eq!(seen.load(Ordering::Relaxed), 1);
    }
}

/// A connection that was announced to end: what is in flight is answered, and the next call has a new one.
#[tokio::test]
async fn a_graceful_goaway_loses_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v2", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(socket).await.unwrap();
                while let Some(Ok((_, mut respond))) = connection.accept().await {
                    connection.graceful_shutdown();
                    let mut body =
                        respond.send_response(http::Response::builder().status(201).body(()).unwrap(), false).unwrap();
                    body.send_data(Bytes::from_static(br#"{"token":"t","token_id":"i"}"#), true).unwrap();
                }
            });
        }
    });
    let client = Client::builder().token("t").base_url(url).http2_prior_knowledge(true).retry(quick()).build().unwrap();
    for _ in 0..20 {
        client.execute(CreateProjectJwt::builder().name("x").build()).await.unwrap();
    }
    assert_eq!(connections.load(Ordering::Relaxed), 20);
}

/// A connection that went silent: pings find that out within an attempt, and the next one is answered on a new one. The clock is the test's own.
#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_found_out_and_replaced() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v2", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut silent = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            let mut connection = h2::server::handshake(socket).await.unwrap();
            if silent.is_empty() {
                // It is kept open, and never polled again: no ping is answered.
                silent.push(connection);
                continue;
            }
            tokio::spawn(async move {
                while let Some(Ok((_, mut respond))) = connection.accept().await {
                    let mut body = respond.send_response(http::Response::new(()), false).unwrap();
                    body.send_data(Bytes::from_static(b"{}"), true).unwrap();
                }
            });
        }
    });
    let client = Client::builder().token("t").base_url(url).http2_prior_knowledge(true).retry(quick()).build().unwrap();
    let list = magicbell::jwt::FetchProjectTokens::builder().build();
    let start = tokio::time::Instant::now();
    client.execute(list).await.unwrap();
    assert!(start.elapsed() < std::time::Duration::from_secs(10), "{:?}", start.elapsed());
}

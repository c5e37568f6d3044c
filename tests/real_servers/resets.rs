//! haproxy ends connections without an answer: what is known of a create then, and that there is never a second token.

use std::net::SocketAddr;
use std::time::Duration;

use magicbell::testing::{Fault, Server};
use magicbell::{Client, ErrorKind, Limit, Outcome};
use tokio::net::TcpListener;

use crate::haproxy::{self, Config, Haproxy};
use crate::process::free_address;
use crate::support::{Made, client, create, creates, http2_client, made, quick, server_without_keys};

/// How many creates there are where only some of the connections end.
const CREATES: usize = 60;

/// Starts haproxy, over HTTP/1.1 or over HTTP/2, and makes a client of it.
async fn start(server: &Server, http2: bool, config: impl FnOnce(Config) -> Config) -> (Haproxy, Client) {
    let before = haproxy::before(server.addr());
    let haproxy = config(if http2 { before.http2() } else { before }).start().await;
    let client = if http2 { http2_client(server, haproxy.url()) } else { client(server, haproxy.url()) };
    (haproxy, client)
}

/// One create, by a client that doesn't wait for long.
async fn impatient_create(server: &Server, rule: &str) -> magicbell::Error {
    let haproxy = haproxy::before(server.addr()).rule(rule).start().await;
    let builder = Client::builder().token(server.token()).base_url(haproxy.url()).retry(quick());
    let client = builder.attempt_timeout(Duration::from_millis(300)).build().unwrap();
    client.execute(create(0)).await.unwrap_err()
}

#[tokio::test]
async fn a_request_that_was_dropped_without_a_word_is_unknown_once_its_time_is_up() {
    let server = server_without_keys().await;
    let error = impatient_create(&server, "http-request silent-drop").await;
    assert_eq!((error.outcome(), error.attempts().len()), (Outcome::Unknown, 1), "{error:?}");
    assert_eq!(error.timeout(), Some((Limit::Attempt, Duration::from_millis(300))));
    assert_eq!(server.request_count(), 0);
}

#[tokio::test]
async fn an_answer_that_was_dropped_without_a_word_leaves_one_token() {
    let server = server_without_keys().await;
    let results = [Err(impatient_create(&server, "http-response silent-drop").await)];
    assert_eq!(made(&server, &results), Made { unknown_and_made: 1, ..Made::default() });
    assert_eq!(server.request_count(), 1);
}

/// The connection ends as soon as there is anything in it.
#[tokio::test]
async fn a_connection_that_is_rejected_with_the_request_in_it_makes_no_token() {
    for http2 in [false, true] {
        let server = server_without_keys().await;
        let rule = "tcp-request inspect-delay 5s\ntcp-request content reject if { req.len gt 0 }";
        let (_haproxy, client) = start(&server, http2, |config| config.rule(rule)).await;
        let error = client.execute(create(0)).await.unwrap_err();
        assert!(matches!(error.outcome(), Outcome::Unknown | Outcome::NotSent), "{error:?}");
        assert_eq!((error.kind(), server.request_count()), (ErrorKind::Transport, 0), "{error:?}");
    }
}

/// Over HTTP/1 alone: over HTTP/2 haproxy 2.6 refuses (`REFUSED_STREAM`) streams that it has passed on already, against RFC 9113,
/// section 8.7, and a create is then sent again although it was applied.
#[tokio::test]
async fn connections_that_end_at_random_never_make_two_tokens() {
    for rule in ["http-request reject if { rand(10) eq 0 }", "tcp-request connection reject if { rand(10) eq 0 }"] {
        let server = server_without_keys().await;
        let (_haproxy, client) = start(&server, false, |config| config.rule(rule)).await;
        let made = made(&server, &creates(&client, CREATES, 8).await);
        assert!(made.answered > 0, "{made:?}");
    }
}

/// The service makes a token and then ends a connection that was used before. Over HTTP/1 alone, which is what `http1_only` is for.
#[tokio::test]
async fn a_service_that_ends_a_used_connection_after_a_create_leaves_one_token() {
    for fault in [Fault::close(), Fault::reset()] {
        let server = server_without_keys().await;
        let (_haproxy, client) = start(&server, false, |config| config).await;
        client.execute(create(1)).await.unwrap();
        server.fail_next(fault.after_processing());
        let results = [client.execute(create(0)).await];
        assert!(results[0].is_err());
        assert_eq!(made(&server, &results).not_sent, 0);
        assert_eq!(server.user_tokens("user-0").len(), 1);
    }
}

/// The token was made, the service has not answered yet, and haproxy is gone.
#[tokio::test]
async fn a_crash_with_creates_in_flight_leaves_one_token_each() {
    for http2 in [false, true] {
        let server = server_without_keys().await;
        server.fail_next(Fault::stall().after_processing().always());
        let (mut haproxy, client) = start(&server, http2, |config| config).await;
        let crash = async {
            while server.request_count() < CREATES {
                tokio::task::yield_now().await;
            }
            haproxy.kill();
        };
        let (results, ()) = tokio::join!(creates(&client, CREATES, CREATES), crash);
        let expected = Made { unknown_and_made: CREATES, ..Made::default() };
        assert_eq!(made(&server, &results), expected, "http2 {http2}");
        assert_eq!(server.request_count(), CREATES);
    }
}

/// The service fails its health check with a create in flight, and haproxy ends the sessions of it: a 502, after one request.
#[tokio::test]
async fn a_service_that_is_marked_down_with_a_create_in_flight_leaves_one_token() {
    let server = server_without_keys().await;
    server.fail_next(Fault::stall().after_processing());
    let health = healthy().await;
    let check = format!("check addr 127.0.0.1 port {} inter 50ms fall 1 on-marked-down shutdown-sessions", health.1);
    let (_haproxy, client) = start(&server, false, |config| config.server(check)).await;
    let mark_down = async {
        while server.request_count() == 0 {
            tokio::task::yield_now().await;
        }
        health.0.abort();
    };
    let (result, ()) = tokio::join!(client.execute(create(0)), mark_down);
    let error = result.unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), error.attempts().len()), (502, 1), "{error:?}");
    assert!(!error.is_retryable() && !error.has_api_envelope(), "{error:?}");
    assert_eq!((server.request_count(), server.user_tokens("user-0").len()), (1, 1));
}

/// Something that accepts connections until it is aborted, and its port.
async fn healthy() -> (tokio::task::JoinHandle<()>, u16) {
    let address: SocketAddr = free_address();
    let listener = TcpListener::bind(address).await.unwrap();
    let accept = async move { while listener.accept().await.is_ok() {} };
    (tokio::spawn(accept), address.port())
}

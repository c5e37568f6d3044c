//! The fake server's life, log and protocols.

use std::io::ErrorKind;
use std::net::SocketAddr;

use super::support::{delete, exchange, get, http2_client, post, request, send_http2, until};
use http::{Method, Version};
use magicbell::testing::{Fault, Server};
use tokio::net::TcpStream;

async fn server() -> Server {
    Server::start().await.expect("a server")
}

const fn assert_send_and_sync<T: Send + Sync>() {}

#[test]
fn public_types_are_send_and_sync() {
    assert_send_and_sync::<Server>();
    assert_send_and_sync::<magicbell::testing::ServerBuilder>();
    assert_send_and_sync::<Fault>();
    assert_send_and_sync::<magicbell::testing::ReceivedRequest>();
    assert_send_and_sync::<magicbell::testing::StoredToken>();
}

#[tokio::test]
async fn the_url_has_the_address_and_the_base_path() {
    let server = server().await;
    assert_eq!(server.url(), format!("http://{}/v2", server.addr()));
    assert!(server.addr().ip().is_loopback());
    assert!(!format!("{server:?}").contains(server.token()));
}

#[tokio::test]
async fn only_loopback_addresses_are_bound() {
    let addr: SocketAddr = "0.0.0.0:0".parse().expect("an address");
    let error = Server::builder().bind(addr).start().await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn a_dropped_server_takes_no_more_connections() {
    let server = server().await;
    let addr = server.addr();
    let mut idle = TcpStream::connect(addr).await.expect("a connection");
    assert_eq!(get(&server, "/jwt/project").await.status, 200);
    drop(server);
    _ = super::support::read_to_end(&mut idle).await;
    until(|| std::net::TcpStream::connect(addr).is_err()).await;
}

#[tokio::test]
async fn the_log_has_the_requests_as_they_arrived() {
    let server = server().await;
    let query = "/jwt/user/a%2fb?limit=%31&x=y+z";
    assert_eq!(get(&server, query).await.status, 200);
    post(&server, "/jwt/user", r#"{"name":"x"}"#).await;
    get(&server, "/nothing").await;
    let requests = server.requests();
    assert_eq!((&requests[0].method, requests[0].target.as_str()), (&Method::GET, &*format!("/v2{query}")));
    assert_eq!((requests[0].operation, requests[0].status), (Some("fetch_user_tokens"), Some(200)));
    assert_eq!((&requests[1].body[..], requests[1].version), (&br#"{"name":"x"}"#[..], Version::HTTP_11));
    assert_eq!((requests[2].operation, requests[2].status), (None, Some(404)));
    assert!(requests[0].received_at <= requests[1].received_at);
    assert!(requests[0].headers["authorization"].is_sensitive());
    assert!(!format!("{requests:?}").contains(server.token()));
    assert_eq!((server.request_count(), server.count("create_user_jwt")), (3, 1));
    server.clear_requests();
    assert_eq!((server.request_count(), server.requests().len()), (0, 0));
    server.record_requests(false);
    get(&server, "/jwt/project").await;
    assert_eq!((server.count("fetch_project_tokens"), server.requests().len()), (1, 0));
}

#[tokio::test]
async fn http2_with_prior_knowledge_is_served_on_one_connection() {
    let server = server().await;
    let client = http2_client();
    let id = server.add_user_tokens("7", 1).remove(0);
    for (method, path, body, status) in [
        ("GET", "/jwt/project".to_owned(), "", 200),
        ("POST", "/jwt/user".to_owned(), "{}", 201),
        ("DELETE", format!("/jwt/user/{id}"), "", 200),
    ] {
        let reply = exchange(&client, request(&server, method, &path, body)).await.expect("an answer");
        assert_eq!((reply.status, reply.version), (status, Version::HTTP_2));
        assert!(reply.headers.contains_key("date") && reply.headers.contains_key("x-request-id"));
    }
    assert_eq!(server.connections(), 1);
    assert_eq!(server.requests()[0].version, Version::HTTP_2);
}

#[tokio::test]
async fn over_http2_reset_and_close_and_raw_end_the_connection() {
    let server = server().await;
    let client = http2_client();
    for fault in [Fault::reset(), Fault::close(), Fault::raw("bytes")] {
        server.fail_next(fault);
        assert!(exchange(&client, request(&server, "GET", "/jwt/project", "")).await.is_err());
        assert_eq!(
            exchange(&client, request(&server, "GET", "/jwt/project", "")).await.expect("an answer").status,
            200
        );
    }
    assert_eq!(server.connections(), 4);
}

#[tokio::test]
async fn over_http2_a_reset_is_an_rst_of_the_connection() {
    let server = server().await;
    server.fail_next(Fault::reset());
    let error = send_http2(request(&server, "GET", "/jwt/project", "")).await.expect_err("an RST");
    let chain = std::iter::successors(Some(&*error as &dyn std::error::Error), |error| error.source());
    let kinds: Vec<_> = chain.filter_map(|error| error.downcast_ref()).map(std::io::Error::kind).collect();
    assert!(kinds.contains(&ErrorKind::ConnectionReset), "{error:?}");
}

#[tokio::test]
async fn over_http2_a_cut_body_breaches_its_length() {
    let server = server().await;
    server.fail_next(Fault::cut_body(5));
    assert!(send_http2(request(&server, "GET", "/jwt/project", "")).await.is_err());
    server.fail_next(Fault::cut_body_without_length(5));
    let short = send_http2(request(&server, "GET", "/jwt/project", "")).await.expect("an answer");
    assert_eq!((short.status, &short.body[..]), (200, &b"{\"dat"[..]));
}

#[tokio::test]
async fn over_http2_a_stalled_stream_leaves_others_alone() {
    let server = server().await;
    let client = http2_client();
    server.fail_next(Fault::stall());
    let stalled = tokio::spawn({
        let (client, request) = (client.clone(), request(&server, "GET", "/jwt/project", ""));
        async move { exchange(&client, request).await.is_err() }
    });
    until(|| server.request_count() == 1).await;
    assert_eq!(exchange(&client, request(&server, "GET", "/jwt/project", "")).await.expect("an answer").status, 200);
    assert!(!stalled.is_finished());
    drop(server);
    assert!(stalled.await.expect("no panic"));
}

#[tokio::test]
async fn a_million_tokens_are_seeded_quickly_and_listed() {
    let server = server().await;
    let ids = server.add_user_tokens("7", 1_000_000);
    assert_eq!(ids.len(), 1_000_000);
    let last = get(&server, &format!("/jwt/user/7?starting_after={}", ids[999_998])).await;
    assert_eq!(last.ids(), ids[999_999..]);
    assert_eq!(delete(&server, &format!("/jwt/user/{}", ids[500_000])).await.status, 200);
}

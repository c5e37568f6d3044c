//! The fake server's faults, as a client sees them that reads the bytes.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use super::scripts::FetchUser;
use super::support::{delete, get, panic_message, post, raw, raw_stream, read_to_end, until};
use bytes::Bytes;
use http::Response;
use magicbell::jwt::DiscardUserJwt;
use magicbell::testing::{Fault, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A server with one user token: its id, and the path to discard it.
async fn server() -> (Server, String, String) {
    let server = Server::start().await.expect("a server");
    let id = server.add_user_tokens("7", 1).remove(0);
    let path = format!("/jwt/user/{id}");
    (server, id, path)
}

#[tokio::test]
async fn a_status_comes_with_the_envelope_and_without_the_operation() {
    let (server, id, path) = server().await;
    server.fail_next(Fault::status(503));
    server.fail_next(Fault::status(429));
    server.fail_next(Fault::status(429).retry_after(7).retry_after("soon"));
    let reply = delete(&server, &path).await;
    assert_eq!((reply.status, reply.code().as_str()), (503, "injected_fault"));
    assert_eq!(delete(&server, &path).await.headers.get("retry-after"), None);
    let values: Vec<_> = delete(&server, &path).await.headers.get_all("retry-after").iter().cloned().collect();
    assert_eq!(values, ["7", "soon"]);
    assert_eq!(server.is_discarded(&id), Some(false));
    assert_eq!(delete(&server, &path).await.status, 200);
}

#[tokio::test]
async fn bodies_of_other_kinds_are_sent_as_asked() {
    let (server, _, path) = server().await;
    server.fail_next(Fault::html(502));
    let html = delete(&server, &path).await;
    assert_eq!((html.status, html.header("content-type")), (502, "text/html; charset=utf-8"));
    assert!(html.body.starts_with(b"<!DOCTYPE html>"));
    server.fail_next(Fault::empty(204));
    let empty = delete(&server, &path).await;
    assert_eq!((empty.status, empty.body.len()), (204, 0));
    server.fail_next(Fault::body(200, "not JSON"));
    let body = delete(&server, &path).await;
    assert_eq!((body.status, body.header("content-type"), &body.body[..]), (200, "application/json", &b"not JSON"[..]));
    let response = Response::builder().status(302).header("location", "http://evil").body(Bytes::new());
    server.fail_next(Fault::response(response.expect("a response")));
    let verbatim = delete(&server, &path).await;
    assert_eq!((verbatim.status, verbatim.header("location")), (302, "http://evil"));
    assert_eq!(verbatim.headers.get("x-request-id"), None);
}

#[tokio::test]
async fn odd_statuses_are_sent_as_they_are() {
    let (server, _, path) = server().await;
    server.fail_next(Fault::status(999));
    assert_eq!(delete(&server, &path).await.status, 999);
    server.fail_next(Fault::status(7));
    assert_eq!(delete(&server, &path).await.status, 500);
    for status in [100, 101, 103] {
        server.fail_next(Fault::status(status));
        let reply = raw(&server, "DELETE", &path).await;
        assert!(reply.head().starts_with(&format!("HTTP/1.1 {status} ")), "{}", reply.head());
        assert!(reply.body().is_empty() && reply.end.is_ok());
    }
}

#[tokio::test]
async fn after_processing_the_operation_is_applied_and_its_answer_lost() {
    let (server, id, path) = server().await;
    server.fail_next(Fault::status(502).after_processing());
    assert_eq!(delete(&server, &path).await.status, 502);
    assert_eq!(server.is_discarded(&id), Some(true));
    server.fail_next(Fault::close().after_processing());
    assert!(raw(&server, "DELETE", &path).await.bytes.is_empty());
}

#[tokio::test]
async fn a_reset_is_an_rst_and_nothing_before_it() {
    let (server, id, path) = server().await;
    server.fail_next(Fault::reset());
    let reply = raw(&server, "DELETE", &path).await;
    assert_eq!(reply.end.expect_err("an RST").kind(), ErrorKind::ConnectionReset);
    assert!(reply.bytes.is_empty());
    assert_eq!((server.is_discarded(&id), server.requests()[0].status), (Some(false), None));
}

#[tokio::test]
async fn a_close_is_a_fin_and_nothing_before_it() {
    let (server, _, path) = server().await;
    server.fail_next(Fault::close());
    let reply = raw(&server, "DELETE", &path).await;
    assert!(reply.end.is_ok() && reply.bytes.is_empty());
}

#[tokio::test]
async fn a_stall_reads_the_request_and_leaves_the_connection_open() {
    let (server, _, path) = server().await;
    server.fail_next(Fault::stall());
    let mut stream = raw_stream(&server, "DELETE", &path).await;
    until(|| server.request_count() == 1).await;
    let silence = tokio::time::timeout(Duration::from_millis(50), stream.read_u8()).await;
    assert!(silence.is_err());
    drop(server);
    read_to_end(&mut stream).await.end.expect("the server's end closes it");
}

#[tokio::test]
async fn a_cut_body_has_the_whole_length_and_some_of_the_bytes() {
    let (server, id, path) = server().await;
    server.fail_next(Fault::cut_body(5));
    let reply = raw(&server, "DELETE", &path).await;
    let head = reply.head();
    assert!(reply.end.is_ok() && head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("\r\ndate: ") && head.contains("\r\nx-request-id: "), "{head}");
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
    assert!(length.and_then(|length| length.parse::<usize>().ok()).is_some_and(|length| length > 80), "{head}");
    assert_eq!(reply.body(), b"{\"dis");
    assert_eq!((server.is_discarded(&id), server.requests()[0].status), (Some(true), Some(200)));
}

#[tokio::test]
async fn a_cut_body_can_have_no_bytes_or_all() {
    let (server, _, _) = server().await;
    server.fail_next(Fault::cut_body(0));
    assert!(raw(&server, "GET", "/jwt/project").await.body().is_empty());
    server.fail_next(Fault::cut_body(usize::MAX));
    let whole = raw(&server, "GET", "/jwt/project").await;
    assert!(whole.head().contains(&format!("content-length: {}\r\n", whole.body().len())));
}

#[tokio::test]
async fn a_large_cut_body_arrives_to_its_last_byte() {
    let server = Server::builder().max_page_size(100_000).start().await.expect("a server");
    server.add_project_tokens(50_000);
    server.fail_next(Fault::cut_body(5_000_000));
    let reply = raw(&server, "GET", "/jwt/project?limit=50000").await;
    assert_eq!(reply.body().len(), 5_000_000);
}

#[tokio::test]
async fn a_body_cut_without_a_length_says_that_the_connection_closes() {
    let (server, id, path) = server().await;
    server.fail_next(Fault::cut_body_without_length(4));
    let reply = raw(&server, "DELETE", &path).await;
    let head = reply.head();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("\r\nconnection: close\r\n"), "{head}");
    assert!(!head.contains("content-length") && !head.contains("transfer-encoding"), "{head}");
    assert!(reply.end.is_ok());
    assert_eq!((&*reply.body(), server.is_discarded(&id)), (&b"{\"di"[..], Some(true)));
}

#[tokio::test]
async fn raw_bytes_are_the_whole_answer() {
    let (server, _, path) = server().await;
    server.fail_next(Fault::raw("SSH-2.0-hello\r\n"));
    assert_eq!(raw(&server, "DELETE", &path).await.bytes, b"SSH-2.0-hello\r\n");
}

#[tokio::test]
async fn a_delay_answers_as_usual_once_it_is_over() {
    let (server, id, path) = server().await;
    let wait = Duration::from_millis(60);
    server.fail_next(Fault::delay(wait));
    let began = Instant::now();
    assert_eq!(delete(&server, &path).await.status, 200);
    assert!(began.elapsed() >= wait);
    assert_eq!(server.is_discarded(&id), Some(true));
}

#[tokio::test]
async fn a_client_that_leaves_during_a_delay_has_nothing_applied_unless_asked() {
    let (server, id, path) = server().await;
    let wait = Duration::from_secs(3_600);
    for (fault, applied) in [(Fault::delay(wait), false), (Fault::delay(wait).after_processing(), true)] {
        server.clear_requests();
        server.fail_next(fault);
        let mut stream = raw_stream(&server, "DELETE", &path).await;
        until(|| server.request_count() == 1).await;
        stream.shutdown().await.expect("a FIN");
        assert!(read_to_end(&mut stream).await.bytes.is_empty());
        assert_eq!(server.is_discarded(&id), Some(applied));
    }
}

#[tokio::test]
async fn a_fault_for_an_operation_lets_others_pass() {
    let (server, _, path) = server().await;
    server.fail_next(Fault::status(500).on("discard_user_jwt").times(2));
    assert_eq!(get(&server, "/jwt/project").await.status, 200);
    assert_eq!(delete(&server, &path).await.status, 500);
    assert_eq!(post(&server, "/jwt/user", "{}").await.status, 201);
    assert_eq!(delete(&server, &path).await.status, 500);
    assert_eq!(delete(&server, &path).await.status, 200);
}

#[tokio::test]
async fn faults_by_chance_and_standing_faults_end_when_cleared() {
    let (server, _, _) = server().await;
    server.fail_randomly(1, 1, Fault::status(500));
    assert_eq!(get(&server, "/jwt/project").await.status, 500);
    server.fail_next(Fault::status(503).always());
    assert_eq!(get(&server, "/jwt/project").await.status, 503);
    assert_eq!(get(&server, "/jwt/project").await.status, 503);
    server.clear_faults();
    assert_eq!(get(&server, "/jwt/project").await.status, 200);
}

#[tokio::test]
async fn connections_can_be_reset_on_arrival() {
    let (server, _, _) = server().await;
    server.reset_connections(1);
    let mut stream = tokio::net::TcpStream::connect(server.addr()).await.expect("a connection");
    let reply = read_to_end(&mut stream).await;
    assert_eq!(reply.end.expect_err("an RST").kind(), ErrorKind::ConnectionReset);
    assert_eq!(get(&server, "/jwt/project").await.status, 200);
    assert_eq!((server.connections(), server.request_count()), (2, 1));
}

#[tokio::test]
async fn a_request_that_does_not_arrive_whole_is_not_recorded() {
    let (server, _, _) = server().await;
    let mut stream = tokio::net::TcpStream::connect(server.addr()).await.expect("a connection");
    stream.write_all(b"POST /v2/jwt/user HTTP/1.1\r\nhost: fake\r\ncontent-length: 9\r\n\r\n{").await.expect("a part");
    stream.shutdown().await.expect("an end");
    read_to_end(&mut stream).await;
    assert_eq!(server.request_count(), 0);
}

#[tokio::test]
async fn a_fault_for_an_operation_lets_others_of_its_path_pass() {
    let (server, id, path) = server().await;
    server.fail_next(Fault::status(403).only_for::<DiscardUserJwt>());
    assert_eq!(get(&server, "/jwt/user/7").await.status, 200, "the same path, and another method");
    assert_eq!(delete(&server, "/jwt/project/7").await.status, 404);
    assert_eq!(delete(&server, &path).await.status, 403);
    server.verify();
    assert_eq!(server.is_discarded(&id), Some(false));
}

#[tokio::test]
async fn a_fault_for_an_operation_that_the_server_lacks_needs_no_script() {
    let (server, ..) = server().await;
    server.fail_next(Fault::status(503).only_for::<FetchUser>());
    server.fail_randomly(7, 1, Fault::status(502).only_for::<FetchUser>());
    assert_eq!(get(&server, "/jwt/project").await.status, 200);
    assert_eq!(get(&server, "/users/7").await.status, 503);
    assert_eq!(get(&server, "/users/7").await.status, 502);
    assert_eq!(get(&server, "/jwt/project").await.status, 200);
    server.fail_next(Fault::reset().only_for::<FetchUser>());
    let message = panic_message(|| server.verify());
    assert!(message.contains("fetch_user, by fail_next: a reset, 1 times more"), "{message}");
}

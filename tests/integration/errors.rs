//! What errors say.

use std::time::Duration;

use magicbell::jwt::{DiscardUserJwt, FetchProjectTokens};
use magicbell::testing::{Fault, Server};
use magicbell::{Client, Error, ErrorKind, Outcome, RateLimit};

use crate::support::{UNKNOWN_ID, client, json, transport};

async fn list(server: &Server, fault: Fault) -> Error {
    server.fail_next(fault.always());
    let error = client(server).execute(FetchProjectTokens::builder().build()).await.unwrap_err();
    server.clear_faults();
    error
}

#[tokio::test]
async fn the_apis_own_account_is_in_the_message() {
    let server = Server::start().await.unwrap();
    let body = r#"{"errors":[{"message":"expiry must be at least 1"},{"code":"name_too_long","message":"too long","field":"name"}]}"#;
    let error = list(&server, Fault::body(422, body)).await;
    assert_eq!(
        error.to_string(),
        "fetch_project_tokens: status 422: expiry must be at least 1; name_too_long: too long"
    );
    assert_eq!(error.api_errors()[1].field.as_deref(), Some("name"));
    assert!(error.has_api_envelope());
}

#[tokio::test]
async fn the_status_is_never_lost() {
    let server = Server::start().await.unwrap();
    for body in
        ["", "{}", r#"{"errors":[]}"#, r#"{"errors":[{"message":null}]}"#, r#"{"errors":"#, "[]", "null", "\u{0}"]
    {
        let error = list(&server, Fault::body(403, body)).await;
        assert_eq!((error.status().unwrap().as_u16(), error.kind()), (403, ErrorKind::Api), "{body:?}");
    }
    let problem = r#"{"type":"about:blank","title":"Forbidden","detail":"not yours"}"#;
    assert!(list(&server, Fault::body(403, problem)).await.to_string().contains("not yours"));
}

#[tokio::test]
async fn a_proxys_page_is_an_error_with_a_short_excerpt() {
    let server = Server::start().await.unwrap();
    let page = format!("<html>\u{1b}[31m<h1>Bad\r\nGateway</h1>{}</html>", "x".repeat(10_000));
    let error = list(&server, Fault::body(502, page)).await;
    assert_eq!(error.status().unwrap(), 502);
    assert!(!error.has_api_envelope());
    let message = error.to_string();
    assert!(message.contains("<h1>Bad Gateway</h1>") && !message.contains(['\u{1b}', '\n']), "{message}");
    assert!(message.len() < 400, "{}", message.len());
    for odd in ["\"", "\\", "\u{e000}", "é"] {
        let error = list(&server, Fault::body(502, format!("<{}", odd.repeat(1_000)))).await.to_string();
        let (_, excerpt) = error.split_once("not the API's: \"").unwrap();
        let excerpt = excerpt.split("\" (").next().unwrap().trim_end_matches('"');
        assert!((240..=256).contains(&excerpt.len()), "{}: {error}", excerpt.len());
    }
}

/// What says nothing isn't the API's: a 404 with it names no token.
#[tokio::test]
async fn an_envelope_of_empty_entries_is_none() {
    let server = Server::start().await.unwrap();
    for body in [r#"{"errors":[{}]}"#, r#"{"errors":[{"status":"404","title":"Not Found"}]}"#, r#"{"errors":[]}"#] {
        let error = list(&server, Fault::body(404, body)).await;
        assert!(error.is_not_found() && !error.has_api_envelope(), "{body}: {error}");
    }
    assert!(list(&server, Fault::body(404, r#"{"errors":[{"code":"gone"}]}"#)).await.has_api_envelope());
}

#[tokio::test]
async fn a_page_under_200_is_no_answer() {
    let server = Server::start().await.unwrap();
    let error = list(&server, Fault::html(200)).await;
    assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Decode, 200));
    assert_eq!((error.attempts().len(), server.request_count()), (3, 3), "another attempt may be answered by the API");
}

#[tokio::test]
async fn statuses_that_the_api_does_not_use_are_surfaced_and_not_retried() {
    let server = Server::start().await.unwrap();
    for status in [304, 600, 999] {
        let before = server.request_count();
        let error = list(&server, Fault::status(status)).await;
        assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::UnexpectedStatus, status));
        assert_eq!(server.request_count() - before, 1);
    }
}

#[tokio::test]
async fn a_body_over_the_cap_is_an_error_with_its_status() {
    let server = Server::start().await.unwrap();
    let client =
        Client::builder().token(server.token()).base_url(server.url()).max_response_bytes(1_000).build().unwrap();
    for (status, kind) in [(200, ErrorKind::Decode), (404, ErrorKind::Api)] {
        let before = server.request_count();
        server.fail_next(Fault::body(status, "x".repeat(1_001)));
        let error = client.execute(FetchProjectTokens::builder().build()).await.unwrap_err();
        assert_eq!((error.kind(), error.status().unwrap().as_u16()), (kind, status));
        assert!(error.body().unwrap().len() <= 1_000);
        assert_eq!(server.request_count() - before, 1, "another attempt would meet the same");
    }
}

#[tokio::test]
async fn a_content_coding_that_was_not_asked_for_is_refused() {
    let server = Server::start().await.unwrap();
    let answer = http::Response::builder().header("content-encoding", "gzip").body("{}".into()).unwrap();
    let error = list(&server, Fault::response(answer)).await;
    assert_eq!(error.kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn each_attempt_is_accounted_for() {
    let server = Server::start().await.unwrap();
    server.fail_next(Fault::reset());
    server.fail_next(Fault::status(503).times(2));
    let error = client(&server).execute(DiscardUserJwt::new(UNKNOWN_ID)).await.unwrap_err();
    let attempts = error.attempts();
    assert_eq!(
        attempts.iter().map(|attempt| attempt.outcome).collect::<Vec<_>>(),
        [Outcome::Unknown, Outcome::Answered, Outcome::Answered]
    );
    assert!(attempts[0].cause.is_some() && attempts[0].delay.is_some());
    assert_eq!(attempts[2].status.unwrap(), 503);
    assert_eq!(attempts[2].delay, None);
    assert_eq!(error.outcome(), Outcome::Unknown, "the first attempt may have been applied");
    assert!(error.to_string().ends_with("(3 attempts)"), "{error}");
}

#[tokio::test]
async fn an_earlier_attempt_that_may_have_been_applied_outweighs_a_later_refusal() {
    for (earlier, outcome) in [(503, Outcome::Unknown), (408, Outcome::Unknown), (429, Outcome::Answered)] {
        let server = Server::start().await.unwrap();
        server.fail_next(Fault::status(earlier));
        server.fail_next(Fault::status(403));
        let error = client(&server).execute(DiscardUserJwt::new(UNKNOWN_ID)).await.unwrap_err();
        assert_eq!((error.status().unwrap().as_u16(), error.outcome()), (403, outcome), "{earlier}: {error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_held_back_after_an_attempt_is_not_called_unsent() {
    let (_, transport) = transport(|_| Ok(json(503, r#"{"errors":[{"message":"down"}]}"#)));
    let limit = RateLimit::per_minute(1, 1);
    let client = Client::builder().token("t").transport(transport).rate_limit(limit).build().unwrap();
    let discard = || client.request(DiscardUserJwt::new(UNKNOWN_ID)).timeout(Duration::from_secs(30)).send();
    let error = discard().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::HeldBack, 1), "{error:?}");
    assert_eq!(error.outcome(), Outcome::Answered);
    assert_eq!(error.to_string(), "discard_user_jwt: not sent again");
    let error = discard().await.unwrap_err();
    assert_eq!((error.outcome(), error.to_string()), (Outcome::NotSent, "discard_user_jwt: not sent".to_owned()));
}

/// What the client itself tried again, a caller may try again later.
#[tokio::test]
async fn an_answer_that_the_client_tries_again_is_called_retryable() {
    let server = Server::start().await.unwrap();
    for fault in [Fault::html(200), Fault::body(200, r#"{"data":["#)] {
        let error = list(&server, fault.clone()).await;
        assert_eq!(error.attempts().len(), 3, "{fault:?}");
        assert!(error.is_retryable(), "{fault:?}: {error:?}");
    }
}

/// An error is one line of a log, however much the server has to say.
#[tokio::test]
async fn a_message_is_short_however_many_errors_the_api_tells() {
    let server = Server::start().await.unwrap();
    let entry = format!(r#"{{"code":"{0}","message":"{0}"}}"#, "x".repeat(2_000));
    let body = format!(r#"{{"errors":[{}]}}"#, vec![entry; 100].join(","));
    let error = list(&server, Fault::body(422, body)).await;
    assert!(error.to_string().len() <= 4_096, "{} bytes", error.to_string().len());
}

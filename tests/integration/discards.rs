//! Discards are sent again where that may help, and never reported where they didn't happen.

use magicbell::jwt::{DiscardUserJwt, FetchProjectTokens};
use magicbell::revocation::RevocationOutcome;
use magicbell::testing::{Fault, Server};
use magicbell::{ErrorKind, Outcome};

use crate::support::{UNKNOWN_ID, client};

async fn server_with_a_token() -> (Server, String) {
    let server = Server::start().await.unwrap();
    let id = server.add_user_tokens("u", 1).remove(0);
    (server, id)
}

#[tokio::test]
async fn a_discard_is_sent_again_after_an_unknown_outcome() {
    for fault in
        [Fault::reset(), Fault::close(), Fault::status(500), Fault::status(503), Fault::html(502), Fault::status(408)]
    {
        let (server, id) = server_with_a_token().await;
        server.fail_next(fault);
        let response = client(&server).request(DiscardUserJwt::new(&id)).send().await.unwrap();
        assert_eq!(response.attempts().len(), 2);
        assert_eq!(server.count("discard_user_jwt"), 2);
        assert_eq!(server.is_discarded(&id), Some(true));
    }
}

#[tokio::test]
async fn a_discard_that_was_applied_and_whose_answer_was_lost_ends_in_a_404_with_an_unknown_attempt() {
    let (server, id) = server_with_a_token().await;
    server.fail_next(Fault::reset().after_processing());
    let error = client(&server).execute(DiscardUserJwt::new(&id)).await.unwrap_err();
    assert!(error.is_not_found() && error.has_api_envelope());
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(error.attempts()[0].outcome, Outcome::Unknown);
    assert_eq!(server.is_discarded(&id), Some(true));
}

#[tokio::test]
async fn three_attempts_are_the_most() {
    for fault in [Fault::reset().always(), Fault::status(503).always(), Fault::status(429).always()] {
        let (server, id) = server_with_a_token().await;
        server.fail_next(fault);
        let error = client(&server).execute(DiscardUserJwt::new(&id)).await.unwrap_err();
        assert_eq!(error.attempts().len(), 3);
        assert!(error.is_retryable());
        assert_eq!(server.count("discard_user_jwt"), 3);
        assert_eq!(server.is_discarded(&id), Some(false));
    }
}

#[tokio::test]
async fn final_statuses_are_not_sent_again() {
    for status in [400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 501, 505] {
        let (server, id) = server_with_a_token().await;
        server.fail_next(Fault::status(status).always());
        let error = client(&server).execute(DiscardUserJwt::new(&id)).await.unwrap_err();
        assert_eq!(error.status().unwrap().as_u16(), status);
        assert!(!error.is_retryable());
        assert_eq!(server.count("discard_user_jwt"), 1, "{status}");
    }
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    let elsewhere = Server::start().await.unwrap();
    for status in [301, 302, 303, 307, 308] {
        let (server, id) = server_with_a_token().await;
        let redirect = http::Response::builder()
            .status(status)
            .header("location", format!("{}/jwt/user/{id}", elsewhere.url()))
            .body(Default::default())
            .unwrap();
        server.fail_next(Fault::response(redirect));
        let error = client(&server).execute(DiscardUserJwt::new(&id)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedStatus);
        assert_eq!((server.request_count(), elsewhere.connections()), (1, 0));
    }
}

#[tokio::test]
async fn an_answer_that_names_another_token_is_loud() {
    let (server, id) = server_with_a_token().await;
    server
        .fail_next(Fault::body(200, format!(r#"{{"token_id":"{UNKNOWN_ID}","discarded_at":"2021-01-01T00:00:00Z"}}"#)));
    let error = client(&server).execute(DiscardUserJwt::new(&id)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unverified);
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(server.is_discarded(&id), Some(false));
}

#[tokio::test]
async fn a_204_is_a_discard() {
    let (server, id) = server_with_a_token().await;
    server.fail_next(Fault::empty(204));
    let discarded = client(&server).execute(DiscardUserJwt::new(&id)).await.unwrap();
    assert_eq!((discarded.token_id, discarded.discarded_at), (id, None));
}

#[tokio::test]
async fn lists_are_sent_again_after_a_body_that_was_lost() {
    for fault in [
        Fault::cut_body(10),
        Fault::cut_body_without_length(10),
        Fault::cut_body_without_length(0),
        Fault::body(200, ""),
        Fault::body(200, "[{\"id\":"),
        Fault::body(200, "\u{feff}<html></html>"),
        Fault::reset(),
        Fault::close(),
    ] {
        let server = Server::start().await.unwrap();
        server.fail_next(fault);
        let page = client(&server).execute(FetchProjectTokens::builder().build()).await.unwrap();
        assert_eq!(page.data.len(), 1);
        assert_eq!(server.count("fetch_project_tokens"), 2);
    }
}

#[tokio::test]
async fn a_discard_whose_answer_was_lost_as_a_whole_is_sent_again() {
    for fault in [Fault::cut_body_without_length(0), Fault::body(200, "").after_processing()] {
        let (server, id) = server_with_a_token().await;
        server.fail_next(fault);
        let report = client(&server).jwt().discard_user_jwts([&*id]).run().await;
        assert_eq!(report.count(RevocationOutcome::AlreadyRevoked), 1, "{report}");
        assert_eq!(server.count("discard_user_jwt"), 2);
    }
}

/// Many services answer a DELETE of theirs with nothing, and what is asked may be in a header.
#[tokio::test]
async fn an_empty_answer_to_an_operation_of_the_callers_own_is_one() {
    struct Forget;
    impl magicbell::Endpoint for Forget {
        type Response = ();
        const OPERATION: magicbell::Operation = magicbell::Operation::delete("forget", "/forgotten");
    }
    struct Ask;
    impl magicbell::Endpoint for Ask {
        type Response = ();
        const OPERATION: magicbell::Operation = magicbell::Operation::get("ask", "/asked");
    }
    let server = Server::start().await.unwrap();
    server.fail_next(Fault::body(200, "").times(2));
    client(&server).execute(Forget).await.unwrap();
    client(&server).execute(Ask).await.unwrap();
    assert_eq!(server.request_count(), 2);
}

#[tokio::test]
async fn an_outage_is_sent_no_more_than_the_calls_and_the_budget() {
    let server = Server::start().await.unwrap();
    server.fail_next(Fault::status(503).always());
    let client = client(&server);
    let clones = [client.clone(), client.clone(), client];
    for call in 0..1_000 {
        clones[call % 3].execute(FetchProjectTokens::builder().build()).await.unwrap_err();
    }
    assert_eq!(server.request_count(), 1_000 + 100, "the default budget is 100 retries");
}

/// The token is revoked, whatever the service writes for a time.
#[tokio::test]
async fn an_odd_time_does_not_make_a_discard_fail() {
    for time in ["1609459200", "null", r#""yesterday""#, "[1]", "1e999", r#""\ud800""#] {
        let (server, id) = server_with_a_token().await;
        let body = format!(r#"{{"token_id":"{id}","discarded_at":{time}}}"#);
        server.fail_next(Fault::body(200, body).after_processing());
        let discarded = client(&server).execute(DiscardUserJwt::new(&id)).await;
        assert_eq!(discarded.unwrap_or_else(|error| panic!("{time}: {error}")).token_id, id);
    }
}

//! A create is sent again only where it can't have been applied, and a token that was created is never lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use magicbell::jwt::{CreateProjectJwt, CreateUserJwt};
use magicbell::testing::{Fault, Server};
use magicbell::{Client, ErrorKind, Outcome, RetryPolicy};

use crate::support::{client, json, transport};

fn create() -> CreateProjectJwt {
    CreateProjectJwt::builder().name("ci").build()
}

fn trusting(server: &Server) -> Client {
    let retry = RetryPolicy::builder().trust_idempotency_keys(true).build();
    Client::builder().token(server.token()).base_url(server.url()).retry(retry).build().unwrap()
}

/// How many tokens there are beside the server's own.
fn minted(server: &Server) -> usize {
    server.project_tokens().len() - 1
}

#[tokio::test]
async fn a_create_is_not_sent_again_after_an_unknown_outcome() {
    for fault in [Fault::reset(), Fault::close(), Fault::reset().after_processing(), Fault::close().after_processing()]
    {
        let server = Server::start().await.unwrap();
        server.fail_next(fault);
        let error = client(&server).execute(create()).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown, "{error:?}");
        assert!(!error.is_retryable());
        assert!(error.to_string().contains("list by name and time"), "{error}");
        assert_eq!(server.count("create_project_jwt"), 1);
        assert!(minted(&server) <= 1);
    }
}

#[tokio::test]
async fn a_create_is_not_sent_again_after_a_status_behind_which_it_may_have_been_applied() {
    for status in [408, 500, 502, 503, 504] {
        let server = Server::start().await.unwrap();
        server.fail_next(Fault::status(status).after_processing());
        let error = client(&server).execute(create()).await.unwrap_err();
        assert_eq!(error.status().unwrap().as_u16(), status);
        assert!(error.to_string().contains("list by name and time"), "{error}");
        assert_eq!((server.count("create_project_jwt"), minted(&server)), (1, 1));
    }
}

#[tokio::test]
async fn a_create_is_sent_again_where_it_was_not_applied() {
    let server = Server::start().await.unwrap();
    server.fail_next(Fault::status(429).times(2));
    client(&server).execute(create()).await.unwrap();
    assert_eq!((server.count("create_project_jwt"), minted(&server)), (3, 1));
}

#[tokio::test]
async fn with_keys_trusted_a_lost_answer_is_had_again_and_one_token_is_minted() {
    for fault in [
        Fault::reset().after_processing(),
        Fault::close().after_processing(),
        Fault::cut_body(20),
        Fault::cut_body_without_length(20),
        Fault::cut_body_without_length(0),
        Fault::body(201, "").after_processing(),
        Fault::html(200).after_processing(),
        Fault::body(201, r#"{"token":"t"#).after_processing(),
        Fault::status(502).after_processing(),
    ] {
        let server = Server::start().await.unwrap();
        server.fail_next(fault);
        let response = trusting(&server).request(create()).send().await.unwrap();
        assert_eq!(response.attempts().len(), 2);
        assert_eq!((server.count("create_project_jwt"), minted(&server)), (2, 1));
        let keys = server.requests().iter().map(|sent| sent.headers["idempotency-key"].clone()).collect::<Vec<_>>();
        assert_eq!(keys[0], keys[1]);
        assert_eq!(server.requests()[0].body, server.requests()[1].body);
        let token = response.into_data().token;
        let own = Client::builder().token(token).base_url(server.url()).build().unwrap();
        own.execute(magicbell::jwt::FetchProjectTokens::builder().build()).await.unwrap();
    }
}

#[tokio::test]
async fn a_key_goes_with_every_create_also_where_retries_are_off() {
    let server = Server::start().await.unwrap();
    let retry = RetryPolicy::never();
    let client = Client::builder().token(server.token()).base_url(server.url()).retry(retry).build().unwrap();
    client.execute(create()).await.unwrap();
    client.execute(CreateUserJwt::builder().external_id("u").build()).await.unwrap();
    let keys = server.requests().iter().map(|sent| sent.headers["idempotency-key"].clone()).collect::<Vec<_>>();
    assert_ne!(keys[0], keys[1], "two creates, two keys");
    for key in keys {
        let key = uuid::Uuid::parse_str(key.to_str().unwrap()).unwrap();
        assert_eq!(key.get_version_num(), 4);
    }
}

#[tokio::test]
async fn an_answer_that_can_not_be_read_carries_its_raw_body_out_of_sight() {
    for body in [
        r#"{"token":{"value":"minted-secret"}}"#,
        r#"{"jwt":"minted-secret"}"#,
        "minted-secret",
        r#"["minted-secret","id"]"#,
        r#"{"token":"minted-secret""#,
    ] {
        let server = Server::start().await.unwrap();
        server.fail_next(Fault::body(201, body));
        let error = client(&server).execute(create()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}");
        assert_eq!(error.status().unwrap(), 201);
        assert_eq!(error.body().unwrap(), body);
        assert!(error.to_string().contains("it was created"), "{error}");
        assert!(!format!("{error} {error:?} {error:#?}").contains("minted-secret"));
        assert_eq!(server.count("create_project_jwt"), 1, "it is not made a second time");
    }
}

#[tokio::test]
async fn what_arrived_of_a_cut_body_is_kept() {
    let server = Server::start().await.unwrap();
    server.fail_next(Fault::cut_body(60));
    let error = client(&server).execute(create()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.status().unwrap(), 201);
    assert_eq!(error.body().unwrap().len(), 60);
    assert_eq!((server.count("create_project_jwt"), minted(&server)), (1, 1));
}

#[tokio::test]
async fn odd_answers_do_not_lose_a_token_that_can_be_read() {
    for (content_type, body) in [
        ("text/html", r#"{"token":"t","token_id":"i"}"#),
        (
            "application/json",
            r#"{"token":"t","token_id":"i","created_at":1609459200,"expires_at":"9999-12-31T23:59:60Z"}"#,
        ),
        ("application/json", r#"{"token":"t","token_id":"i","created_at":null,"tomorrow":[{}]}"#),
        ("", r#"{"token":"t"}"#),
    ] {
        let (_, transport) = transport(move |_| {
            let mut answer = json(201, body);
            answer.headers_mut().insert("content-type", content_type.parse().unwrap());
            Ok(answer)
        });
        let client = Client::builder().token("t").transport(transport).build().unwrap();
        let created = client.execute(create()).await.unwrap();
        assert_eq!(created.token.expose_secret(), "t", "{body}");
    }
}

#[tokio::test]
async fn an_empty_answer_to_a_create_says_that_the_token_is_lost() {
    for fault in [Fault::empty(204), Fault::body(201, ""), Fault::cut_body_without_length(0)] {
        let server = Server::start().await.unwrap();
        server.fail_next(fault);
        let error = client(&server).execute(create()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(error.to_string().contains("its token is lost: list by name and time and discard it"), "{error}");
        assert_eq!(server.count("create_project_jwt"), 1);
    }
}

#[tokio::test]
async fn what_is_below_the_cap_of_an_answer_over_it_is_kept() {
    let server = Server::start().await.unwrap();
    let builder = Client::builder().token(server.token()).base_url(server.url());
    let error = builder.max_response_bytes(300).build().unwrap().execute(create()).await.unwrap_err();
    assert_eq!((error.kind(), error.body().unwrap().len()), (ErrorKind::Decode, 300));
    assert!(error.body().unwrap().windows(7).any(|bytes| bytes == b"\"token\""));
    assert_eq!((server.count("create_project_jwt"), minted(&server)), (1, 1));
}

/// Once the service has said 201 with what can't be read, no later failure hides that.
#[tokio::test(start_paused = true)]
async fn what_could_not_be_read_is_told_where_the_time_is_up_before_it_came_again() {
    let sent = Arc::new(AtomicU32::new(0));
    let service = tower::service_fn(move |_: http::Request<magicbell::Body>| {
        let is_first = sent.fetch_add(1, Ordering::Relaxed) == 0;
        async move {
            if !is_first {
                std::future::pending::<()>().await;
            }
            Ok::<_, magicbell::BoxError>(json(201, r#"{"token":"minted""#))
        }
    });
    let retry = RetryPolicy::builder().trust_idempotency_keys(true).build();
    let client = Client::builder().token("t").transport(service).retry(retry).timeout(Duration::from_secs(5));
    let error = client.build().unwrap().execute(create()).await.unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), &**error.body().unwrap()), (201, &br#"{"token":"minted""#[..]));
    assert_eq!(error.attempts().len(), 2);
}

#[tokio::test]
async fn a_409_is_waited_for_only_where_keys_are_trusted_and_the_api_says_in_progress() {
    let in_progress = Fault::body(409, r#"{"errors":[{"code":"request_in_progress","message":"wait"}]}"#);
    let other = Fault::body(409, r#"{"errors":[{"code":"conflict","message":"no"}]}"#);
    for (fault, trusts, sent) in
        [(in_progress.clone(), true, 2), (in_progress, false, 1), (other.clone(), true, 1), (other, false, 1)]
    {
        let server = Server::start().await.unwrap();
        server.fail_next(fault);
        let client = if trusts { trusting(&server) } else { client(&server) };
        let _ = client.execute(create()).await;
        assert_eq!(server.count("create_project_jwt"), sent);
    }
}

#[tokio::test]
async fn a_policy_for_one_call_replaces_the_clients_own() {
    let server = Server::start().await.unwrap();
    let trusting = RetryPolicy::builder().trust_idempotency_keys(true).build();
    server.fail_next(Fault::reset().after_processing());
    client(&server).request(create()).retry(trusting).send().await.unwrap();
    assert_eq!((server.count("create_project_jwt"), minted(&server)), (2, 1));
    server.fail_next(Fault::status(429));
    client(&server).request(create()).retry(RetryPolicy::never()).send().await.unwrap_err();
    assert_eq!(server.count("create_project_jwt"), 3);
}

#[tokio::test]
async fn an_error_whose_earlier_attempt_may_have_made_a_token_is_not_called_retryable() {
    for fault in [Fault::close().after_processing(), Fault::status(503).after_processing()] {
        let server = Server::start().await.unwrap();
        server.fail_next(fault);
        server.fail_next(Fault::status(429).always());
        let error = trusting(&server).request(create()).max_attempts(2).send().await.unwrap_err();
        assert!(error.is_rate_limited() && !error.is_retryable(), "{error:?}");
        assert_eq!(error.outcome(), Outcome::Unknown);
        assert!(error.to_string().contains("list by name and time"), "{error}");
        assert_eq!(minted(&server), 1);
    }
}

/// What follows the object makes it no less readable: see what `CreateTokenResponse` is read from.
#[tokio::test]
async fn with_keys_trusted_a_token_that_can_be_read_is_not_thrown_away_for_another_attempt() {
    let server = Server::start().await.unwrap();
    let body = r#"{"token":"minted","token_id":"019b1b1e-7b1b-4b1b-8b1b-1b1b1b1b1b1b"}<!-- cached -->"#;
    server.fail_next(Fault::body(201, body));
    server.fail_next(Fault::status(503).always());
    let created = trusting(&server).execute(create()).await;
    let created = created.unwrap_or_else(|error| panic!("the token was in the first answer: {error}"));
    assert_eq!(created.token.expose_secret(), "minted");
}

/// After a 429 nothing was applied, so an attempt after it that wasn't sent changes nothing: both may be made again.
#[tokio::test(start_paused = true)]
async fn an_error_none_of_whose_attempts_can_have_made_a_token_is_called_retryable() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    let sent = Arc::new(AtomicU32::new(0));
    let (_, transport) = transport(move |_| match sent.fetch_add(1, Ordering::Relaxed) {
        0 => Ok(json(429, r#"{"errors":[{"message":"slow down"}]}"#)),
        _ => Err(magicbell::AttemptError::not_sent("connection refused").into()),
    });
    let client = Client::builder().token("t").transport(transport).build().unwrap();
    let error = client.execute(create()).await.unwrap_err();
    assert!(error.attempts().iter().all(|attempt| !attempt.may_have_been_applied()), "{error:?}");
    assert!(error.is_retryable(), "{error:?}");
}

/// With keys trusted another attempt may bring the answer again. Where it doesn't, what had arrived is not lost for that.
#[tokio::test]
async fn with_keys_trusted_a_token_that_had_arrived_is_not_lost_to_the_attempts_after_it() {
    let server = Server::start().await.unwrap();
    let json = r#"{"token":"minted","token_id":"019b1b1e-7b1b-4b1b-8b1b-1b1b1b1b1b1b"}"#;
    // All of it has come, but for the last chunk that would say so.
    let raw = format!("HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{json}\r\n", json.len());
    server.fail_next(Fault::raw(raw.clone()));
    let error = client(&server).execute(create()).await.unwrap_err();
    assert_eq!(error.body().unwrap(), json, "without trust the error has it");
    server.fail_next(Fault::raw(raw));
    server.fail_next(Fault::status(503).always());
    match trusting(&server).execute(create()).await {
        Ok(created) => assert_eq!(created.token.expose_secret(), "minted"),
        Err(error) => assert_eq!(error.body().unwrap(), json, "{error}"),
    }
}

//! Tokens that change.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use magicbell::jwt::{CreateProjectJwt, DiscardProjectJwt, FetchProjectTokens};
use magicbell::testing::{Fault, Server};
use magicbell::{BoxError, Client, ErrorKind, Fetched, FetchedCredentials, Outcome, RotatingCredentials, bearer};

use crate::support::{client, quick};

fn list() -> FetchProjectTokens {
    FetchProjectTokens::builder().build()
}

#[tokio::test]
async fn a_token_set_while_calls_are_in_flight_is_on_the_next_attempt() {
    let server = Server::start().await.unwrap();
    let second = client(&server).execute(CreateProjectJwt::builder().name("second").build()).await.unwrap();
    let credentials = RotatingCredentials::new(bearer(server.token()).unwrap());
    let client =
        Client::builder().credentials(credentials.clone()).base_url(server.url()).retry(quick()).build().unwrap();
    server.clear_requests();
    server.fail_next(Fault::status(503));
    let rotate = tower::util::MapResponseLayer::new({
        let (credentials, token) = (credentials.clone(), second.token.clone());
        move |answer: http::Response<magicbell::Body>| {
            credentials.set(bearer(token.expose_secret()).unwrap());
            answer
        }
    });
    let client_with_layer = Client::builder()
        .credentials(credentials.clone())
        .base_url(server.url())
        .retry(quick())
        .attempt_layer(rotate)
        .build()
        .unwrap();
    client_with_layer.execute(list()).await.unwrap();
    let sent = server.requests().iter().map(|sent| sent.headers["authorization"].clone()).collect::<Vec<_>>();
    assert_eq!(sent[0], format!("Bearer {}", server.token()));
    assert_eq!(sent[1], format!("Bearer {}", second.token.expose_secret()));
    client.execute(list()).await.unwrap();
    assert_eq!(server.requests()[2].headers["authorization"], sent[1]);
}

#[tokio::test]
async fn a_401_has_the_token_fetched_anew_and_the_request_sent_once_more() {
    let server = Server::start().await.unwrap();
    let admin = client(&server);
    let leaked = admin.execute(CreateProjectJwt::builder().name("leaked").build()).await.unwrap();
    let (fetches, tokens) = (Arc::new(AtomicU32::new(0)), [leaked.token.clone(), server.token().into()]);
    let counter = Arc::clone(&fetches);
    let credentials = FetchedCredentials::new(move || {
        let number = counter.fetch_add(1, Ordering::Relaxed) as usize;
        let value = bearer(tokens[number.min(1)].expose_secret());
        async move { Ok(Fetched::new(value?).valid_for(Duration::from_secs(3600))) }
    });
    let client = Client::builder().credentials(credentials).base_url(server.url()).retry(quick()).build().unwrap();
    client.execute(list()).await.unwrap();
    admin.execute(DiscardProjectJwt::new(&leaked.token_id)).await.unwrap();
    server.clear_requests();

    // A create, too: what was refused with 401 has not been applied.
    let response = client.request(CreateProjectJwt::builder().name("x").build()).send().await.unwrap();
    let statuses = response.attempts().iter().map(|attempt| attempt.status.unwrap().as_u16()).collect::<Vec<_>>();
    assert_eq!(statuses, [401, 201]);
    assert_eq!((fetches.load(Ordering::Relaxed), server.request_count()), (2, 2));
}

#[tokio::test]
async fn a_second_401_is_final() {
    let server = Server::start().await.unwrap();
    let fetches = AtomicU32::new(0);
    let credentials = FetchedCredentials::new(move || {
        let value = bearer(&format!("not.a.token.{}", fetches.fetch_add(1, Ordering::Relaxed)));
        async move { Ok(Fetched::new(value?)) }
    });
    let client = Client::builder().credentials(credentials).base_url(server.url()).retry(quick()).build().unwrap();
    let error = client.execute(list()).await.unwrap_err();
    assert!(error.is_unauthorized());
    assert_eq!((error.attempts().len(), server.request_count()), (2, 2));
}

#[tokio::test]
async fn a_401_is_final_where_the_same_token_is_fetched_again() {
    let server = Server::start().await.unwrap();
    let fetches = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&fetches);
    let credentials = FetchedCredentials::new(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        async { Ok(Fetched::new(bearer("not.a.token")?)) }
    });
    let client = Client::builder().credentials(credentials).base_url(server.url()).retry(quick()).build().unwrap();
    let error = client.execute(CreateProjectJwt::builder().name("x").build()).await.unwrap_err();
    assert!(error.is_unauthorized(), "{error:?}");
    assert_eq!(error.outcome(), Outcome::Answered);
    let told = error.attempts().iter().map(|attempt| attempt.outcome).collect::<Vec<_>>();
    assert_eq!(told, [Outcome::Answered, Outcome::NotSent]);
    assert_eq!((server.request_count(), fetches.load(Ordering::Relaxed)), (1, 2));
}

#[tokio::test]
async fn a_401_to_a_token_that_does_not_change_is_final() {
    let server = Server::start().await.unwrap();
    let credentials = RotatingCredentials::new(bearer("not.a.token").unwrap());
    for client in [
        Client::builder().token("not.a.token").base_url(server.url()).retry(quick()).build().unwrap(),
        Client::builder().credentials(credentials).base_url(server.url()).retry(quick()).build().unwrap(),
    ] {
        server.clear_requests();
        assert!(client.execute(list()).await.unwrap_err().is_unauthorized());
        assert_eq!(server.request_count(), 1);
    }
}

#[tokio::test]
async fn credentials_that_fail_send_nothing() {
    let server = Server::start().await.unwrap();
    let sealed = || async { Err::<http::HeaderValue, BoxError>("the vault is sealed".into()) };
    let client = Client::builder().credentials(sealed).base_url(server.url()).retry(quick()).build().unwrap();
    let error = client.execute(CreateProjectJwt::builder().name("x").build()).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Credentials, Outcome::NotSent));
    let mut source: &dyn std::error::Error = &error;
    while let Some(next) = source.source() {
        source = next;
    }
    assert_eq!(source.to_string(), "the vault is sealed");
    assert_eq!(server.request_count(), 0);
}

/// A client whose credentials ask another service of the same kind, by another client, which fails.
fn nested(server: &Server, vault: &Server) -> Client {
    let vault = Client::builder().token(vault.token()).base_url(vault.url()).retry(quick()).build().unwrap();
    let ask = move || {
        let vault = vault.clone();
        async move { Ok(bearer(vault.execute(CreateProjectJwt::builder().name("v").build()).await?.token.expose_secret())?) }
    };
    Client::builder().credentials(ask).base_url(server.url()).retry(quick()).build().unwrap()
}

#[tokio::test]
async fn what_the_credentials_own_calls_met_is_not_taken_for_the_apis_answer() {
    let (server, vault) = (Server::start().await.unwrap(), Server::start().await.unwrap());
    let client = nested(&server, &vault);
    for fault in [
        Fault::status(404),
        Fault::status(401),
        Fault::cut_body(5),
        Fault::reset().after_processing(),
        Fault::body(201, "nothing"),
    ] {
        vault.fail_next(fault.clone().always());
        let error = client.execute(CreateProjectJwt::builder().name("x").build()).await.unwrap_err();
        vault.clear_faults();
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Credentials, Outcome::NotSent), "{fault:?}: {error:?}");
        assert_eq!((error.status(), error.body()), (None, None), "{fault:?}");
        assert!(!error.to_string().contains("list by name"), "{error}");
    }
    assert_eq!(server.request_count(), 0);
}

/// A 401 is one, whether or not its body arrived: the refused token is given up.
#[tokio::test]
async fn a_401_whose_body_was_lost_has_the_token_fetched_anew_too() {
    let server = Server::start().await.unwrap();
    let fetches = Arc::new(AtomicU32::new(0));
    let (counter, token) = (Arc::clone(&fetches), server.token().to_owned());
    let credentials = FetchedCredentials::new(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        let value = bearer(&token);
        async move { Ok(Fetched::new(value?)) }
    });
    let client = Client::builder().credentials(credentials).base_url(server.url()).retry(quick()).build().unwrap();
    let cut = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 100\r\n\r\n{\"errors\"";
    server.fail_next(Fault::raw(cut).always());
    client.execute(list()).await.unwrap_err();
    server.clear_faults();
    client.execute(list()).await.unwrap();
    assert!(fetches.load(Ordering::Relaxed) >= 2, "the token that was refused is still kept");
}

/// What a client shows of an error whose server echoes the whole `Authorization`.
async fn shown(value: &'static str) -> (magicbell::Error, usize) {
    let (received, transport) = crate::support::transport(|request| {
        let echo = request.headers()["authorization"].to_str().unwrap();
        Ok(http::Response::builder().status(403).body(format!("no good: {echo} (a7b)").into()).unwrap())
    });
    let credentials = move || async move { Ok::<_, BoxError>(http::HeaderValue::from_static(value)) };
    let client = Client::builder().credentials(credentials).transport(transport).retry(quick()).build().unwrap();
    let error = client.execute(list()).await.unwrap_err();
    let count = received.lock().unwrap().len();
    (error, count)
}

#[tokio::test]
async fn credentials_without_a_token_send_nothing() {
    for value in ["", " ", "Bearer", "bearer ", "Bearer \t ", "Token "] {
        let (error, sent) = shown(value).await;
        assert_eq!((error.kind(), error.outcome(), sent), (ErrorKind::Credentials, Outcome::NotSent, 0), "{value:?}");
        let text = format!("{error:?}");
        assert!(text.contains("a scheme alone"), "{text}");
    }
}

#[tokio::test]
async fn a_token_is_known_whatever_its_scheme() {
    for value in
        ["Bearer opaque-t0ken", "bearer opaque-t0ken", "Token  opaque-t0ken", "opaque-t0ken", "Bearer a", "X a7b"]
    {
        let (error, sent) = shown(value).await;
        assert_eq!((error.kind(), sent), (ErrorKind::Api, 1), "{value:?}");
        let text = format!("{error} {error:?}");
        assert!(text.contains("no good"), "nothing else is garbled: {text}");
        let shows = text.contains("t0ken") || (value == "X a7b" && text.contains("a7b"));
        assert!(!shows, "{value:?}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_hangs_fails_no_call_while_the_token_is_valid() {
    let (received, transport) = crate::support::transport(|_| Ok(http::Response::new(r#"{"tokens":[]}"#.into())));
    let fetches = AtomicU32::new(0);
    let credentials = FetchedCredentials::new(move || {
        let is_first = fetches.fetch_add(1, Ordering::Relaxed) == 0;
        async move {
            if !is_first {
                std::future::pending::<()>().await;
            }
            Ok(Fetched::new(bearer("t0")?).valid_for(Duration::from_secs(600)))
        }
    });
    let client = Client::builder().credentials(credentials).transport(transport).build().unwrap();
    client.execute(list()).await.unwrap();
    tokio::time::advance(Duration::from_secs(545)).await;
    let start = tokio::time::Instant::now();
    for result in futures_util::future::join_all((0..64).map(|_| client.execute(list()))).await {
        result.unwrap();
    }
    assert!(start.elapsed() < Duration::from_millis(1_100), "{:?}", start.elapsed());
    assert_eq!(received.lock().unwrap().len(), 65);
}

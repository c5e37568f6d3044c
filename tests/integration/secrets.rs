//! A token shows nowhere: not in Debug, Display, an error, or its sources. (For traces, see `tests/traces`.)

use std::error::Error as _;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use magicbell::jwt::{CreateProjectJwt, FetchProjectTokens};
use magicbell::testing::{Fault, Server, assert_hidden};
use magicbell::{BoxError, Client, Error};

use crate::support::quick;

/// What credentials give.
type Given = std::future::Ready<Result<http::HeaderValue, BoxError>>;

/// Everything that an error can be made to say.
fn all_of(error: &Error) -> String {
    let mut text = format!("{error}\n{error:?}\n{error:#?}\n{:?}\n{:?}", error.api_errors(), error.attempts());
    let mut source = error.source();
    while let Some(error) = source {
        write!(text, "\n{error}\n{error:?}\n{error:#?}").unwrap();
        source = error.source();
    }
    text
}

/// Faults in whose answers the server echoes a token, in every place where text can be.
fn echoes(token: &str) -> Vec<Fault> {
    vec![
        Fault::body(403, format!(r#"{{"errors":[{{"code":"{token}","message":"bad {token}","field":"{token}"}}]}}"#)),
        Fault::body(403, format!(r#"{{"title":"bad {token}"}}"#)),
        Fault::body(403, format!(r#"{{"title":"{}{token}"}}"#, "x".repeat(500))),
        Fault::body(502, format!("<html>{}{token}</html>", "x".repeat(240))),
        Fault::body(200, format!(r#"{{"data":"{token}"}}"#)),
        Fault::body(403, format!(r#"{{"title":"bad {}"}}"#, token.replace('.', "%2E").replace('-', "%2D"))),
        Fault::body(403, format!(r#"{{"title":"bad {}"}}"#, STANDARD.encode(token))),
        Fault::body(403, format!(r#"{{"title":"bad {}"}}"#, STANDARD.encode(format!("Bearer {token}")))),
        Fault::body(302, token.to_owned()),
        Fault::body(200, token.to_owned()),
    ]
}

#[tokio::test]
async fn a_server_that_echoes_the_token_does_not_get_it_into_an_error() {
    let server = Server::start().await.unwrap();
    for token in [server.token(), "0123456789abcdef-not-a-jwt"] {
        let rotating = {
            let token = token.to_owned();
            move || std::future::ready(Ok(magicbell::bearer(&token).unwrap()))
        };
        for builder in [
            Client::builder().maybe_token(Some(token)).maybe_credentials(None::<fn() -> Given>),
            Client::builder().maybe_token(None::<&str>).maybe_credentials(Some(rotating)),
        ] {
            let client = builder.base_url(server.url()).retry(quick()).build().unwrap();
            for fault in echoes(token) {
                server.fail_next(fault.always());
                let error = client.execute(FetchProjectTokens::builder().build()).await.unwrap_err();
                server.clear_faults();
                let text = all_of(&error);
                assert_hidden(token, &text);
                // Nor may half of it show, where a text was cut.
                assert!(!text.contains(&token[..16]), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn a_minted_token_is_in_no_error() {
    let server = Server::start().await.unwrap();
    let client = Client::builder().token(server.token()).base_url(server.url()).retry(quick()).build().unwrap();
    let minted = "minted-and-not-a-jwt";
    for body in [
        format!(r#"{{"token":["{minted}"]}}"#),
        format!(r#"{{"{minted}":1}}"#),
        format!(r#""{minted}""#),
        format!(r#"{{"token":"{minted}"#),
    ] {
        server.fail_next(Fault::body(201, body));
        let error = client.execute(CreateProjectJwt::builder().name("x").build()).await.unwrap_err();
        assert_hidden(minted, &all_of(&error));
    }
}

#[tokio::test]
async fn headers_are_in_no_debug() {
    let server = Server::start().await.unwrap();
    let client = Client::builder().token(server.token()).base_url(server.url()).retry(quick()).build().unwrap();
    let echo = http::Response::builder().header("x-echo", server.token()).body("{}".into()).unwrap();
    server.fail_next(Fault::response(echo));
    let call = client.request(FetchProjectTokens::builder().build()).header("x-own", "a-secret-of-the-callers");
    assert_hidden("a-secret-of-the-callers", &format!("{call:?} {call:#?}"));
    let response = call.send().await.unwrap();
    assert_eq!(response.headers()["x-echo"], server.token());
    let text = format!("{response:?} {response:#?}");
    assert_hidden(server.token(), &text);
    assert!(text.contains("x-echo"), "{text}");
}

/// A token that was replaced while its call was in flight is as much a secret as the new one.
#[tokio::test]
async fn an_echo_of_a_token_that_was_rotated_meanwhile_does_not_get_into_an_error() {
    let (old, new) = ("0123456789abcdef-the-old-one", "fedcba9876543210-the-new-one");
    let credentials = magicbell::RotatingCredentials::new(magicbell::bearer(old).unwrap());
    let new_was_sent = std::sync::Arc::new(tokio::sync::Notify::new());
    // What is in front echoes to each call the token that it was sent with; to the first only after the second was sent.
    let gate = std::sync::Arc::clone(&new_was_sent);
    let transport = tower::service_fn(move |request: http::Request<magicbell::Body>| {
        let gate = std::sync::Arc::clone(&gate);
        async move {
            let sent = request.headers()["authorization"].to_str().unwrap().to_owned();
            match sent.contains(old) {
                true => gate.notified().await,
                false => gate.notify_one(),
            }
            let body = format!(r#"{{"errors":[{{"code":"forbidden","message":"refused: {sent}"}}]}}"#);
            Ok::<_, BoxError>(http::Response::builder().status(403).body(magicbell::Body::from(body)).unwrap())
        }
    });
    let client = Client::builder().credentials(credentials.clone()).transport(transport).build().unwrap();
    let list = || client.execute(FetchProjectTokens::builder().build());
    let mut first = Box::pin(list());
    assert!(futures_util::poll!(&mut first).is_pending());
    credentials.set(magicbell::bearer(new).unwrap());
    let second = list().await.unwrap_err();
    assert_hidden(new, &all_of(&second));
    assert_hidden(old, &all_of(&first.await.unwrap_err()));
}

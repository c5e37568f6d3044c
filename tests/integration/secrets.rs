//! A token shows nowhere: not in Debug, Display, an error, its sources, or a trace.

use std::error::Error as _;
use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex};

use magicbell::jwt::{CreateProjectJwt, DiscardUserJwt, FetchProjectTokens};
use magicbell::testing::{Fault, Server};
use magicbell::{BoxError, Client, Error};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::support::{UNKNOWN_ID, quick};

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
        format!(r#"{{"token":"{minted}","token":"{minted}"}}"#),
        format!(r#"{{"{minted}":1}}"#),
        format!(r#""{minted}""#),
        format!(r#"{{"token":"{minted}"#),
    ] {
        server.fail_next(Fault::body(201, body));
        let error = client.execute(CreateProjectJwt::builder().name("x").build()).await.unwrap_err();
        assert!(!all_of(&error).contains(minted), "{}", all_of(&error));
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The one test of this binary that listens to every crate's TRACE, in this thread.
#[tokio::test]
async fn a_trace_of_everything_shows_no_token_and_no_id() {
    let log = Log::default();
    let writer = log.clone();
    let format = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_writer(move || writer.clone());
    let _guard = tracing_subscriber::registry().with(format).set_default();

    let server = Server::start().await.unwrap();
    let client = Client::builder().token(server.token()).base_url(server.url()).retry(quick()).build().unwrap();
    let created = client.execute(CreateProjectJwt::builder().name("ci").build()).await.unwrap();
    server.fail_next(Fault::reset());
    client.execute(DiscardUserJwt::new(UNKNOWN_ID)).await.unwrap_err();

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("create_project_jwt") && text.contains("DELETE /jwt/user/{token_id}"), "{text}");
    assert!(text.contains("http.request.resend_count=1"), "{text}");
    assert!(!text.contains(server.token()));
    assert!(!text.contains(created.token.expose_secret()));
    let own = text.lines().filter(|line| line.contains("magicbell"));
    assert!(own.clone().count() > 4, "{text}");
    assert!(own.filter(|line| line.contains(UNKNOWN_ID)).count() == 0, "no id in the SDK's own spans");
}

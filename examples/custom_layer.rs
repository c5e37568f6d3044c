//! Layers of one's own, in both slots: `cargo run --example custom_layer`.
//!
//! Look at what each slot sees: `layer` one call, `attempt_layer` every attempt, and neither of them the token.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use http::{HeaderName, HeaderValue, Request, Response};
use magicbell::jwt::FetchProjectTokens;
use magicbell::testing::{Fault, Server};
use magicbell::{AttemptNumber, Body, BoxError, Client, Operation};
use tower::{Layer, Service};
use tower_http::set_header::SetRequestHeaderLayer;

/// Prints what passes it, and how long that took.
#[derive(Clone)]
enum Audit {
    Calls,
    Attempts,
}

impl<S> Layer<S> for Audit {
    type Service = AuditService<S>;

    fn layer(&self, inner: S) -> AuditService<S> {
        AuditService { inner, audit: self.clone() }
    }
}

// A layer's service has to be `Clone`: each call, and each attempt, has one of its own.
#[derive(Clone)]
struct AuditService<S> {
    inner: S,
    audit: Audit,
}

impl<S> Service<Request<Body>> for AuditService<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = BoxError>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let operation = request.extensions().get::<Operation>().map_or("?", Operation::name);
        let what = match self.audit {
            Audit::Calls => format!("call of {operation}"),
            Audit::Attempts => format!("  attempt {} of {operation}", AttemptNumber::of(&request)),
        };
        assert!(!request.headers().contains_key("authorization"), "no layer ever sees the token");
        let (start, answer) = (Instant::now(), self.inner.call(request));
        Box::pin(async move {
            let answer = answer.await;
            let status = answer.as_ref().map_or_else(|error| error.to_string(), |answer| answer.status().to_string());
            println!("{what}: {status} in {:.1?}", start.elapsed());
            answer
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start().await?;
    // The first two answers are 503: the call goes on, and the attempt layer sees each of them.
    server.on::<FetchProjectTokens>().fails(Fault::status(503).times(2));

    let team =
        SetRequestHeaderLayer::overriding(HeaderName::from_static("x-team"), HeaderValue::from_static("platform"));
    let client = Client::builder()
        .token(server.token())
        .base_url(server.url())
        .layer(Audit::Calls)
        .attempt_layer(Audit::Attempts)
        // Any layer of tower's or tower-http's fits as well.
        .attempt_layer(team)
        .build()?;
    let page = client.execute(FetchProjectTokens::builder().build()).await?;

    let sent = server.received::<FetchProjectTokens>();
    let teams = sent.iter().filter_map(|request| request.header("x-team")).collect::<Vec<_>>();
    println!("{} token; the server saw x-team on each attempt: {teams:?}", page.data.len());
    assert_eq!(teams, ["platform"; 3]);
    Ok(())
}

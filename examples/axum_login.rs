//! A web service that mints a user's token on login: `cargo run --example axum_login`.
//!
//! Look at the handler, which shares one client with all others; at how an error becomes a status, by what is known of the
//! request; at the load of logins, each of which gets a token of its own; and at the end, where the service is told to stop
//! while a login is under way, and that login still gets its answer.
//!
//! Browsers, the service and the fake MagicBell run in this one process and share its processors: with `--release` the rate says
//! that the client isn't what a login waits for, and no more. Then come faults: of each, what MagicBell does, what the service has in
//! its log (on stderr), and what the browser gets.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing::post};
use futures_util::{StreamExt, TryStreamExt, stream};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use hyper_util::client::legacy::{Client as Browser, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use magicbell::jwt::CreateUserJwt;
use magicbell::testing::{Fault, Server};
use magicbell::{BoxError, Client, ErrorKind, Outcome};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

const LOGINS: usize = 2_000;

#[derive(serde::Deserialize)]
struct Login {
    user: String,
}

/// Whatever proves that it is that user comes before this.
async fn log_in(State(client): State<Client>, Json(login): Json<Login>) -> Result<Json<Value>, Failure> {
    let created = client.execute(CreateUserJwt::builder().external_id(login.user).expiry(3600).build()).await?;
    Ok(Json(json!({ "token": created.token.expose_secret(), "expires_at": created.expires_at })))
}

struct Failure(magicbell::Error);

impl From<magicbell::Error> for Failure {
    fn from(error: magicbell::Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self(error) = self;
        // There is no token in it.
        eprintln!("    log:     {error}");
        let wait = error.retry_after().unwrap_or(Duration::from_secs(5)).as_secs().to_string();
        match (error.kind(), error.outcome()) {
            (ErrorKind::InvalidRequest, _) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "this user can't log in").into_response()
            }
            // Nothing was made, and it may go better in a while.
            _ if error.is_rate_limited() => (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, wait)]).into_response(),
            (_, Outcome::NotSent) => (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, wait)]).into_response(),
            // A token may have been made. Another login makes another one; this one ends by its expiry.
            (_, Outcome::Unknown) => (StatusCode::GATEWAY_TIMEOUT, "please log in again").into_response(),
            // Ours to mend, a revoked project token first of all. Who is on call finds it in the log.
            _ => (StatusCode::BAD_GATEWAY, "logins don't work at the moment").into_response(),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let server = Server::start().await?;
    let app = Router::new().route("/login", post(log_in)).with_state(server.client());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/login", listener.local_addr()?);
    let (stop, stopped) = oneshot::channel::<()>();
    // A service of your own waits for tokio::signal::ctrl_c() here.
    let stopped = async { _ = stopped.await };
    let service = tokio::spawn(axum::serve(listener, app).with_graceful_shutdown(stopped).into_future());

    let (browser, start) = (Browser::builder(TokioExecutor::new()).build_http(), Instant::now());
    let logins = stream::iter(0..LOGINS).map(|user| post_login(&browser, &url, format!("user-{user}")));
    let answers = logins.buffer_unordered(32).try_collect::<Vec<_>>().await?;
    let took = start.elapsed();
    let tokens = answers.iter().filter_map(|(_, body)| body["token"].as_str()).collect::<HashSet<_>>();
    assert_eq!((tokens.len(), server.count("create_user_jwt")), (LOGINS, LOGINS), "a token each, and none beside them");
    assert!((0..LOGINS).all(|user| server.user_tokens(&format!("user-{user}")).len() == 1));
    println!("{LOGINS} logins, 32 at a time, in {took:.2?}: {:.0} a second", LOGINS as f64 / took.as_secs_f64());
    println!("  {} tokens for {LOGINS} users: one each, and none that nobody holds\n", tokens.len());

    let hana = || post_login(&browser, &url, "hana".to_owned());
    server.on::<CreateUserJwt>().fails(Fault::reset().after_processing()).fails(Fault::status(401));
    println!("MagicBell makes the token, and its answer is lost:");
    let lost = told(hana().await?);
    println!("MagicBell refuses the service's own token, which was revoked:");
    let revoked = told(hana().await?);
    println!("the user's id is too long, and nothing is sent to MagicBell:");
    let unusable = told(post_login(&browser, &url, "x".repeat(256)).await?);

    // Told to stop while a login is under way. Another meets a quota that is used up, and from then on the client holds its calls
    // back until the time that the service named.
    server.on::<CreateUserJwt>().fails(Fault::delay(Duration::from_secs(1))).fails(Fault::status(429).retry_after(120));
    let arrived = server.count("create_user_jwt");
    let (browser_too, url_too) = (browser.clone(), url.clone());
    let under_way = tokio::spawn(async move { post_login(&browser_too, &url_too, "the-last".to_owned()).await });
    while server.count("create_user_jwt") == arrived {
        tokio::task::yield_now().await;
    }
    println!("MagicBell's quota is used up for two minutes:");
    let busy = told(hana().await?);
    assert!(!under_way.is_finished());
    _ = stop.send(());
    service.await??;
    println!("the service has stopped, and the login that was under way got its answer:");
    let under_way = told(under_way.await??);
    assert_eq!([lost, revoked, unusable, busy, under_way], [504, 502, 422, 503, 200]);
    server.verify();
    Ok(())
}

fn told((status, _): (StatusCode, Value)) -> u16 {
    println!("    browser: {status}");
    status.as_u16()
}

async fn post_login(
    browser: &Browser<HttpConnector, String>,
    url: &str,
    user: String,
) -> Result<(StatusCode, Value), BoxError> {
    let request =
        Request::post(url).header(CONTENT_TYPE, "application/json").body(json!({ "user": user }).to_string())?;
    let answer = browser.request(request).await?;
    let (status, body) = (answer.status(), answer.into_body().collect().await?.to_bytes());
    Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
}

//! Tests of your own code against the fake server: `cargo run --example testing_your_code`.
//!
//! Above the line is an application's code: a login that mints a token, and has an answer for the user in every case. Below are
//! its tests; in a crate of your own each would be a `#[tokio::test(start_paused = true)]`, here `main` runs them. Look at how a
//! test says what the service does next, by the type of the request, and asks what arrived; and at the time: minutes of waiting
//! pass in no time. The last one fails on purpose, to show the message.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use magicbell::jwt::CreateUserJwt;
use magicbell::testing::{Fault, Server, assert_hidden};
use magicbell::{Client, Error, Outcome, SecretToken};
use serde_json::json;

#[derive(Debug)]
enum LoginError {
    /// Worth another try, after a while where the service named one.
    Busy(Option<Duration>),
    /// A token may have been made; another try makes another one.
    Unclear,
    /// Ours to mend.
    Broken(Error),
}

async fn log_in(client: &Client, user: &str) -> Result<SecretToken, LoginError> {
    let request = CreateUserJwt::builder().external_id(user).expiry(3600).build();
    match client.execute(request).await {
        Ok(created) => Ok(created.token),
        Err(error) if error.is_rate_limited() => Err(LoginError::Busy(error.retry_after())),
        Err(error) if error.outcome() == Outcome::Unknown => Err(LoginError::Unclear),
        Err(error) => Err(LoginError::Broken(error)),
    }
}

// ------------------------------------------------------------------------------------------------------------------------------

async fn a_login_mints_a_token_for_the_user(server: Server, client: Client) {
    server.on::<CreateUserJwt>().answers(json!({ "token": "scripted", "token_id": "id" }));
    let token = log_in(&client, "hana").await.expect("a token");
    assert_eq!(token.expose_secret(), "scripted");
    assert_eq!(server.received::<CreateUserJwt>()[0].body_json(), json!({ "external_id": "hana", "expiry": 3600 }));
}

async fn a_busy_service_is_waited_for(server: Server, client: Client) {
    server.on::<CreateUserJwt>().fails(Fault::status(429).retry_after(20)).fails(Fault::status(429).retry_after(10));
    log_in(&client, "hana").await.expect("a token");
    server.assert_received::<CreateUserJwt>(3);
    server.verify();
}

async fn one_that_is_busy_for_longer_says_how_long(server: Server, client: Client) {
    server.on::<CreateUserJwt>().fails(Fault::status(429).retry_after(300));
    assert!(matches!(log_in(&client, "hana").await, Err(LoginError::Busy(Some(wait))) if wait.as_secs() == 300));
}

async fn a_lost_answer_is_not_asked_for_again(server: Server, client: Client) {
    server.on::<CreateUserJwt>().fails(Fault::close().after_processing());
    assert!(matches!(log_in(&client, "hana").await, Err(LoginError::Unclear)));
    assert_eq!((server.user_tokens("hana").len(), server.count("create_user_jwt")), (1, 1));
}

async fn an_error_shows_no_token(server: Server, client: Client) {
    server
        .on::<CreateUserJwt>()
        .fails(Fault::body(403, format!(r#"{{"errors":[{{"message":"{}"}}]}}"#, server.token())));
    let Err(LoginError::Broken(error)) = log_in(&client, "hana").await else { panic!("a 403 is ours to mend") };
    assert_hidden(server.token(), &format!("{error} {error:?}"));
}

async fn a_wrong_count_lists_what_arrived(server: Server, client: Client) {
    server.on::<CreateUserJwt>().fails(Fault::status(429).retry_after(1)).fails(Fault::status(422));
    assert!(log_in(&client, "hana").await.is_err());
    // Two arrived: the 429 and the 422.
    std::panic::set_hook(Box::new(|panic| println!("\na test that fails: {panic}\n")));
    catch_unwind(AssertUnwindSafe(|| server.assert_received::<CreateUserJwt>(1))).expect_err("it fails");
    _ = std::panic::take_hook();
}

async fn run<F: Future<Output = ()>>(name: &str, test: impl FnOnce(Server, Client) -> F) {
    let server = Server::start().await.expect("a server");
    // Without sockets, so that paused time can pass.
    let client = Client::builder().token(server.token()).base_url(server.url()).transport(server.transport());
    let (start, wall) = (tokio::time::Instant::now(), std::time::Instant::now());
    test(server, client.build().expect("a client")).await;
    println!("ok: {name}: {:.1?} in {:.1?}", start.elapsed(), wall.elapsed());
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    run("a login mints a token for the user", a_login_mints_a_token_for_the_user).await;
    run("a busy service is waited for", a_busy_service_is_waited_for).await;
    run("one that is busy for longer says how long", one_that_is_busy_for_longer_says_how_long).await;
    run("a lost answer is not asked for again", a_lost_answer_is_not_asked_for_again).await;
    run("an error shows no token", an_error_shows_no_token).await;
    run("a wrong count lists what arrived", a_wrong_count_lists_what_arrived).await;
}

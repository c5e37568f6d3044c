//! A token for a user who logs in: `cargo run --example create_user_jwt`.
//!
//! Look at the three states of a nullable field, each with the JSON that it arrived as; at what is refused before anything is
//! sent; and at the end, where the answer to a create is lost: it isn't sent again, since the token may have been made, and the
//! error says what to look for. The fake server runs beside it, so nothing leaves the machine.

use std::error::Error;
use std::time::Duration;

use magicbell::jwt::{CreateUserJwt, DiscardUserJwt, FetchUserTokens};
use magicbell::testing::{Fault, Server};
use magicbell::{ErrorKind, Nullable, Outcome};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start().await?;
    let client = server.client(); // on the real service: Client::from_env()?

    let requests = [
        ("left out", CreateUserJwt::builder().external_id("user-42").build()),
        ("null", CreateUserJwt::builder().external_id("user-42").email(Nullable::Null).build()),
        ("a value", CreateUserJwt::builder().external_id("user-42").email("hana@example.com").build()),
    ];
    for (email, request) in &requests {
        client.execute(request).await?;
        let sent = server.received::<CreateUserJwt>().pop().expect("it arrived");
        println!("email {email:8}: {}", sent.body_json());
    }

    // An expiry is seconds or a Duration. The token is in this one answer: hand it to the user's device, and keep its id.
    let request = CreateUserJwt::builder().external_id("user-42").expiry(Duration::from_secs(600)).build();
    let created = client.execute(request).await?;
    let secret: &str = created.token.expose_secret();
    println!("\nminted: {} of {} bytes, printed as {:?}", created.token_id, secret.len(), created.token);
    println!("from {} to {}", created.created_at, created.expires_at.ok_or("an expiry was asked for")?);

    let arrived = server.request_count();
    let refused = client.execute(CreateUserJwt::builder().external_id("user-42").expiry(0).build()).await;
    let refused = refused.expect_err("an expiry is at least a second");
    println!("\nrefused: {refused}");
    assert_eq!((refused.kind(), server.request_count()), (ErrorKind::InvalidRequest, arrived));

    // The service makes the token, and the connection breaks before the answer is here.
    server.on::<CreateUserJwt>().fails(Fault::reset().after_processing());
    let lost = client.execute(CreateUserJwt::builder().external_id("user-42").name("lost").build()).await;
    let lost = lost.expect_err("the answer is lost");
    println!("\nlost: {lost}");
    assert_eq!(lost.outcome(), Outcome::Unknown, "the token may have been made, so nothing is sent again");

    // So it is looked for by its name, and discarded: a live token that nobody holds.
    let tokens = client.execute(FetchUserTokens::builder().user_id("user-42").limit(100).build()).await?;
    let made = tokens.data.iter().find(|token| token.name.as_deref() == Some("lost")).ok_or("it was made")?;
    let discarded = client.execute(DiscardUserJwt::new(made.id.as_deref().ok_or("it has an id")?)).await?;
    println!("found and discarded: {}", discarded.token_id);

    let left = server.user_tokens("user-42").iter().filter(|token| token.discarded_at.is_none()).count();
    println!("{left} tokens are left, one for each answer that arrived");
    assert_eq!(left, 4);
    server.verify();
    Ok(())
}

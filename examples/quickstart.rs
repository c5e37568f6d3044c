//! The six operations, over real HTTP: `cargo run --example quickstart`.
//!
//! Without `MAGICBELL_PROJECT_TOKEN` they run on the embedded fake server, offline. With it they run on the real service, and
//! then only the lists do, unless `--write` is given: nobody's tokens are minted or revoked by surprise. The user whose tokens
//! are listed is `user-42`, or the one that `--user ID` names.
//!
//! Look at how each request is built, at what comes back, and at what is never printed: a token.

use std::error::Error;
use std::time::Duration;

use futures_util::TryStreamExt;
use magicbell::jwt::{
    AccessToken, CreateProjectJwt, CreateTokenResponse, CreateUserJwt, DiscardProjectJwt, DiscardUserJwt,
    FetchProjectTokens, FetchUserTokens,
};
use magicbell::testing::Server;
use magicbell::{Client, Nullable};

/// How many rows of a list are shown.
const SHOWN: usize = 5;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let user = arguments.iter().position(|argument| argument == "--user").and_then(|at| arguments.get(at + 1));
    let user = user.map_or("user-42", String::as_str);

    if std::env::var_os("MAGICBELL_PROJECT_TOKEN").is_some() {
        println!("On the real service.");
        let client = Client::from_env()?;
        if arguments.iter().any(|argument| argument == "--write") {
            return all_six(&client, user).await;
        }
        println!("Only the lists; add --write to create two tokens and discard them again.");
        return lists(&client, user).await;
    }
    println!("On the embedded server; set MAGICBELL_PROJECT_TOKEN for the real service.");
    let server = Server::start().await?;
    all_six(&server.client(), user).await?;
    println!("\nThe server counted {} requests.", server.request_count());
    Ok(())
}

async fn all_six(client: &Client, user: &str) -> Result<(), Box<dyn Error>> {
    // A required field that is left out doesn't compile; an expiry is seconds or a Duration.
    let request = CreateProjectJwt::builder().name("quickstart").expiry(Duration::from_secs(3600)).build();
    let project = client.execute(request).await?;
    created("CreateProjectJwt", &project);

    // A nullable field has three states: left out (name), null (email), a value.
    let request = CreateUserJwt::builder().external_id(user).email(Nullable::Null).expiry(600).build();
    let user_token = client.execute(request).await?;
    created("CreateUserJwt", &user_token);

    lists(client, user).await?;

    let discarded = client.execute(DiscardUserJwt::new(&user_token.token_id)).await?;
    println!("\nDiscardUserJwt: {} is revoked", discarded.token_id);
    let discarded = client.execute(DiscardProjectJwt::new(&project.token_id)).await?;
    println!("DiscardProjectJwt: {} is revoked", discarded.token_id);

    // What goes wrong says what is known of the request.
    let error = client.execute(DiscardProjectJwt::new(&project.token_id)).await.expect_err("it is gone");
    println!(
        "\nOnce more: {error}\n  kind {:?}, outcome {:?}, retryable {}",
        error.kind(),
        error.outcome(),
        error.is_retryable()
    );
    Ok(())
}

async fn lists(client: &Client, user: &str) -> Result<(), Box<dyn Error>> {
    // One page …
    let page = client.execute(FetchUserTokens::builder().user_id(user).limit(10).build()).await?;
    println!("\nFetchUserTokens: {} on this page", page.data.len());
    page.data.iter().take(SHOWN).for_each(row);

    // … or every page, one token at a time.
    let tokens = client.paginate(FetchProjectTokens::builder().limit(100).build());
    let tokens = tokens.try_collect::<Vec<_>>().await?;
    println!("\nFetchProjectTokens: {} in all", tokens.len());
    tokens.iter().take(SHOWN).for_each(row);
    Ok(())
}

fn created(operation: &str, token: &CreateTokenResponse) {
    // The token itself is shown by the service once: keep `token.token.expose_secret()`, and don't print it.
    let expires = token.expires_at.as_ref().map_or_else(|| "never".to_owned(), ToString::to_string);
    println!("{operation}: {} made at {}, expires {expires}", token.token_id, token.created_at);
}

fn row(token: &AccessToken) {
    let id = token.id.as_deref().unwrap_or("(no id)");
    // Whoever named it may have put in what a terminal would obey.
    let name = token.name.as_deref().unwrap_or("(no name)").escape_debug();
    println!("  {}  {}  {name}", id.escape_debug(), token.created_at);
}

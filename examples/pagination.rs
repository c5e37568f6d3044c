//! Every page of a list, one token at a time: `cargo run --example pagination`.
//!
//! Look at the requests, which are sent as the tokens are asked for, so that a search that finds what it wants sends no more; at
//! the 503 in the middle, which nobody notices; and at the list that goes round in circles, which ends in an error and is never
//! taken for a whole one. One page at a time, with its links, is a request like any other.

use std::error::Error;
use std::future::ready;

use futures_util::{StreamExt, TryStreamExt};
use magicbell::jwt::FetchUserTokens;
use magicbell::testing::{Fault, Server};
use serde_json::json;

const TOKENS: usize = 250;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start().await?;
    let ids = server.add_user_tokens("hana", TOKENS);
    let client = server.client();
    let list = || FetchUserTokens::builder().user_id("hana").limit(100).build();

    // One page, and where the next one begins.
    let page = client.execute(list()).await?;
    let next = page.links.next.ok_or("there are more")?;
    println!("one page: {} tokens; the next one is at {next}", page.data.len());

    // A search ends where it has found what it looks for, here on the second page.
    server.clear_requests();
    let wanted = &ids[120];
    let tokens = client.paginate(list()).try_filter(|token| ready(token.id.as_deref() == Some(wanted)));
    let found = std::pin::pin!(tokens).try_next().await?.ok_or("it is on the list")?;
    println!("\nfound {} made at {}, after {} requests:", wanted, found.created_at, server.request_count());
    print_requests(&server);
    assert_eq!(server.request_count(), 2);

    // All of them, although the service fails once.
    server.clear_requests();
    server
        .on::<FetchUserTokens>()
        .when(|request| request.query_parameter("starting_after").is_some())
        .fails(Fault::status(503));
    let tokens = client.paginate(list()).try_collect::<Vec<_>>().await?;
    println!("\nall {}, after {} requests:", tokens.len(), server.request_count());
    print_requests(&server);
    assert!(tokens.iter().map(|token| token.id.as_ref()).eq(ids.iter().map(Some)), "each once, oldest first");
    server.verify();

    // A list that points back to itself: what was read comes, and then an error.
    let row = json!({ "id": ids[0], "created_at": "2021-01-01T00:00:00Z" });
    let circle = json!({ "data": [row], "links": { "first": "", "next": "?starting_after=again" } });
    server.on::<FetchUserTokens>().answers(circle).always();
    let items = client.paginate(list()).collect::<Vec<_>>().await;
    let error = items.last().and_then(|item| item.as_ref().err()).ok_or("it can't be whole")?;
    println!("\na circle: {} token, then: {error}", items.len() - 1);
    assert_eq!(items.len(), 2);
    Ok(())
}

fn print_requests(server: &Server) {
    for request in server.received::<FetchUserTokens>() {
        let after = request.query_parameter("starting_after").unwrap_or_else(|| "the beginning".to_owned());
        println!("  after {after}: {}", request.status.unwrap_or_default());
    }
}

//! A small batch by plain tower: `cargo run --example tower_batch`.
//!
//! The typed client is a tower service, so `ServiceBuilder` and `call_all` do for a batch, with any layer of tower's around it.
//! Look at what comes out: answers and errors, in the order in which they come, and nothing that says which id each belongs to.
//!
//! Prefer it for a handful of requests of any kind: creations, say, or a mix. For revocations, `client.jwt().discard_user_jwts(ids)`
//! tells a token that is gone from one that never was, waits quotas out without giving an id up, stops where no other id would fare
//! better, and has exactly one outcome for each id; and `examples/batch_revocation.rs` shows how to plan and to verify.

use std::error::Error;

use futures_util::StreamExt;
use magicbell::jwt::DiscardUserJwt;
use magicbell::testing::Server;
use tower::{ServiceBuilder, ServiceExt};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start().await?;
    let mut ids = server.add_user_tokens("hana", 20);
    ids.push("550e8400-e29b-41d4-a716-446655440000".to_owned());

    let service = ServiceBuilder::new().concurrency_limit(8).service(server.client());
    let requests = futures_util::stream::iter(ids.into_iter().map(DiscardUserJwt::new));
    let mut answers = service.call_all(requests).unordered();

    let mut discarded = 0;
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(_) => discarded += 1,
            Err(error) => println!("{error}"),
        }
    }
    println!("{discarded} discarded");
    assert_eq!((discarded, server.count("discard_user_jwt")), (20, 21));
    Ok(())
}

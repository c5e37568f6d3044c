//! Without an async runtime of one's own: `cargo run --example blocking`.
//!
//! A script that issues a token, lists what there is, and revokes a user's tokens with one outcome each. Only the fake server that
//! it talks to needs a runtime here.

use std::error::Error;

use magicbell::Client;
use magicbell::jwt::{CreateUserJwt, FetchUserTokens};
use magicbell::testing::Server;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Runtime::new()?;
    let server = runtime.block_on(Server::start())?;
    server.add_user_tokens("hana", 24);

    // On the real service: magicbell::blocking::Client::from_env()?
    let client = Client::builder().token(server.token()).base_url(server.url()).build_blocking()?;
    let created = client.execute(CreateUserJwt::builder().external_id("hana").expiry(3600).build())?;
    let end = created.expires_at.map_or_else(|| "never".to_owned(), |end| end.to_string());
    println!("issued {}, which ends: {end}", created.token_id);

    let mut ids = Vec::new();
    for token in client.paginate(FetchUserTokens::builder().user_id("hana").limit(10).build()) {
        ids.extend(token?.id);
    }
    println!("hana has {} tokens", ids.len());

    // Any number of threads may use the client at once.
    let (first, second) = ids.split_at(ids.len() / 2);
    let revoked = std::thread::scope(|scope| {
        let halves = [first, second].map(|half| {
            let batch = client.jwt().discard_user_jwts(half).concurrency(4);
            scope.spawn(move || batch.run())
        });
        halves.map(|half| half.join().map_err(|_| "a thread panicked"))
    });
    for report in revoked {
        let report = report??;
        println!("{report:#}");
        assert!(report.is_complete());
    }
    assert_eq!(client.paginate(FetchUserTokens::builder().user_id("hana").build()).count(), 0);
    Ok(())
}

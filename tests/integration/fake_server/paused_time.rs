//! The fake server without sockets, in paused time: hours pass in a moment, and the server's clock with them.

use std::time::Duration;

use magicbell::jwt::{CreateUserJwt, DiscardUserJwt, FetchProjectTokens, FetchUserTokens};
use magicbell::testing::{Fault, Server};
use tokio::time::{Instant, advance};

use super::support::without_sockets;

#[tokio::test(start_paused = true)]
async fn retries_and_their_waits_run_at_once_and_keep_their_time() {
    let (server, wall, start) = (Server::start().await.expect("a server"), std::time::Instant::now(), Instant::now());
    server.on::<DiscardUserJwt>().fails(Fault::status(503)).fails(Fault::status(429).retry_after(30));
    let id = server.add_user_tokens("hana", 1).remove(0);
    without_sockets(&server).execute(DiscardUserJwt::new(id)).await.expect("discarded");

    let requests = server.received::<DiscardUserJwt>();
    assert_eq!(requests.iter().map(|request| request.status).collect::<Vec<_>>(), [503, 429, 200].map(Some));
    assert!(requests[2].received_at - requests[1].received_at >= Duration::from_secs(30), "Retry-After is kept");
    assert!(start.elapsed() >= Duration::from_secs(30));
    assert!(wall.elapsed() < Duration::from_secs(20), "and nobody waited for it");
    assert_eq!(server.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_token_expires_by_paused_time() {
    let server = Server::start().await.expect("a server");
    let client = without_sockets(&server);
    client.execute(CreateUserJwt::builder().external_id("hana").expiry(3_600).build()).await.expect("created");
    let list = FetchUserTokens::builder().user_id("hana").build();
    advance(Duration::from_secs(3_599)).await;
    assert_eq!(client.execute(&list).await.expect("a list").data.len(), 1);
    advance(Duration::from_secs(2)).await;
    assert!(client.execute(&list).await.expect("a list").data.is_empty());
    let token = server.user_tokens("hana").remove(0);
    let later = server.add_user_tokens("hana", 1);
    assert_eq!(server.user_tokens("hana")[1].token_id, later[0]);
    assert!(server.user_tokens("hana")[1].created_at >= token.expires_at.expect("a time"));
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_an_hour_ends_in_the_calls_own_limit() {
    let server = Server::start().await.expect("a server");
    server.on::<FetchProjectTokens>().fails(Fault::stall().always());
    let start = Instant::now();
    let error = without_sockets(&server).execute(FetchProjectTokens::builder().build()).await.expect_err("an outage");
    assert!(error.is_timeout());
    let attempts = server.received::<FetchProjectTokens>();
    assert_eq!(attempts.last().map(|request| request.attempt()), Some(attempts.len()));
    assert!(start.elapsed() >= Duration::from_secs(10) * u32::try_from(attempts.len()).expect("a few"));
}

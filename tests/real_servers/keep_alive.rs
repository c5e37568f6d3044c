//! nginx closes connections while they are in use: after a few requests, or as soon as they are idle.

use std::time::Duration;

use futures_util::future::join_all;
use magicbell::Client;
use magicbell::jwt::{DiscardUserJwt, FetchUserTokens};
use magicbell::testing::Server;

use crate::nginx;
use crate::support::{client, create, creates, made, server_without_keys};

/// Every connection ends after five requests.
const FIVE_REQUESTS: &str = "keepalive_requests 5;";
/// Every connection ends once it was idle for a millisecond: often just when it is taken for the next request.
const ONE_MILLISECOND: &str = "keepalive_timeout 1ms;";

async fn calls_in_a_row_are_answered(keep_alive: &str) {
    let server = Server::start().await.unwrap();
    let nginx = nginx::before(server.addr()).server(keep_alive).start().await;
    let client = client(&server, nginx.url());
    for number in 0..200 {
        wait_around_a_millisecond(number).await;
        client.execute(FetchUserTokens::builder().user_id("user").build()).await.unwrap();
    }
}

/// No wait, one that ends at about the time when the connection is closed, and one that is longer.
async fn wait_around_a_millisecond(number: usize) {
    if let Some(millis) = u64::try_from(number % 3).ok().filter(|millis| *millis > 0) {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
}

async fn discards_at_once_are_answered(keep_alive: &str) {
    let server = Server::start().await.unwrap();
    let nginx = nginx::before(server.addr()).server(keep_alive).start().await;
    let client = client(&server, nginx.url());
    let ids = server.add_user_tokens("user", 400);
    // Twice 200, so that the second ones find connections in the pool.
    for ids in ids.chunks(200) {
        for (id, result) in ids.iter().zip(discard(&client, ids).await) {
            assert_eq!(&result.unwrap().token_id, id);
            assert_eq!(server.is_discarded(id), Some(true));
        }
    }
}

async fn discard(
    client: &Client,
    ids: &[String],
) -> Vec<Result<magicbell::jwt::DiscardTokenResponse, magicbell::Error>> {
    join_all(ids.iter().map(|id| client.execute(DiscardUserJwt::new(id)))).await
}

/// In a row, with waits, and 20 at once: what was answered has one token, what was not has one at most.
async fn creates_make_one_token_each(keep_alive: &str) {
    let server = server_without_keys().await;
    let nginx = nginx::before(server.addr()).server(keep_alive).start().await;
    let client = client(&server, nginx.url());
    let mut results = Vec::new();
    for number in 0..200 {
        wait_around_a_millisecond(number).await;
        results.push(client.execute(create(number)).await);
    }
    let made_in_a_row = made(&server, &results);
    println!("{keep_alive} in a row: {made_in_a_row:?}");

    let server = server_without_keys().await;
    let nginx = nginx::before(server.addr()).server(keep_alive).start().await;
    let results = creates(&self::client(&server, nginx.url()), 200, 20).await;
    let made_at_once = made(&server, &results);
    println!("{keep_alive} 20 at once: {made_at_once:?}");
    assert!(made_in_a_row.answered + made_at_once.answered > 300, "{made_in_a_row:?} {made_at_once:?}");
}

#[tokio::test]
async fn calls_in_a_row_are_answered_where_connections_end_after_five() {
    calls_in_a_row_are_answered(FIVE_REQUESTS).await;
}

#[tokio::test]
async fn calls_in_a_row_are_answered_where_connections_end_as_soon_as_they_are_idle() {
    calls_in_a_row_are_answered(ONE_MILLISECOND).await;
}

#[tokio::test]
async fn discards_at_once_are_answered_where_connections_end_after_five() {
    discards_at_once_are_answered(FIVE_REQUESTS).await;
}

#[tokio::test]
async fn discards_at_once_are_answered_where_connections_end_as_soon_as_they_are_idle() {
    discards_at_once_are_answered(ONE_MILLISECOND).await;
}

#[tokio::test]
async fn creates_make_one_token_each_where_connections_end_after_five() {
    creates_make_one_token_each(FIVE_REQUESTS).await;
}

#[tokio::test]
async fn creates_make_one_token_each_where_connections_end_as_soon_as_they_are_idle() {
    creates_make_one_token_each(ONE_MILLISECOND).await;
}

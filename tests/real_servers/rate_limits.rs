//! nginx refuses what comes too fast: 429 with a page, and without `Retry-After`.

use std::time::Duration;

use futures_util::future::join_all;
use magicbell::jwt::DiscardUserJwt;
use magicbell::middleware::retry::Backoff;
use magicbell::testing::Server;
use magicbell::{Client, ErrorKind, RetryBudget, RetryPolicy};

use crate::nginx::{self, Nginx};
use crate::support::{create, creates, made, server_without_keys};

async fn limited(server: &Server, rate: &str) -> Nginx {
    let zone = format!("limit_req_zone $server_port zone=all:1m rate={rate}; limit_req_status 429;");
    nginx::before(server.addr()).http(&zone).server("limit_req zone=all;").start().await
}

/// Shorter waits than by default, and more of them: without `Retry-After`, calls that are made at once don't wait for each other.
fn client(server: &Server, nginx: &Nginx) -> Client {
    let backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(2));
    let budget = RetryBudget::new(1_000);
    let retry = RetryPolicy::builder().rate_limit_backoff(backoff).max_attempts(12).budget(budget).build();
    Client::builder().token(server.token()).base_url(nginx.url()).retry(retry).build().unwrap()
}

fn refused(log: &[String]) -> usize {
    log.iter().filter(|line| line.ends_with("429")).count()
}

#[tokio::test]
async fn creates_wait_and_each_makes_one_token() {
    let server = server_without_keys().await;
    let nginx = limited(&server, "20r/s").await;
    let results = creates(&client(&server, &nginx), 10, 1).await;
    assert_eq!(made(&server, &results).answered, 10, "{results:?}");
    assert_eq!(server.count("create_user_jwt"), 10);
    let log = nginx.access_log();
    println!("10 creates in a row: {} refused", refused(&log));
    assert!(refused(&log) > 0);
}

#[tokio::test]
async fn discards_at_once_wait_and_none_is_lost() {
    let server = Server::start().await.unwrap();
    let nginx = limited(&server, "50r/s").await;
    let client = client(&server, &nginx);
    let ids = server.add_user_tokens("user", 30);
    let results = join_all(ids.iter().map(|id| client.execute(DiscardUserJwt::new(id)))).await;
    for (id, result) in ids.iter().zip(results) {
        assert_eq!(&result.unwrap().token_id, id);
        assert_eq!(server.is_discarded(id), Some(true));
    }
    assert_eq!(server.count("discard_user_jwt"), 30);
    let log = nginx.access_log();
    println!("30 discards at once: {} refused", refused(&log));
    assert!(refused(&log) > 0);
}

#[tokio::test]
async fn a_limit_that_stays_is_an_error_that_says_so() {
    let server = Server::start().await.unwrap();
    let nginx = limited(&server, "1r/m").await;
    let client = client(&server, &nginx);
    client.execute(create(1)).await.unwrap();
    let error = client.request(create(2)).max_attempts(2).send().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::Api, 2), "{error:?}");
    assert!(error.is_rate_limited() && error.is_retryable() && !error.has_api_envelope());
    assert_eq!((error.retry_after(), server.count("create_user_jwt")), (None, 1));
}

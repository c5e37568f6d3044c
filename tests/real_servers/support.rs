//! What several tests use.

use std::time::Duration;

use futures_util::StreamExt as _;
use magicbell::jwt::{CreateTokenResponse, CreateUserJwt};
use magicbell::middleware::retry::Backoff;
use magicbell::testing::Server;
use magicbell::{Client, Error, Outcome, RetryPolicy};

/// Ids that URL libraries and proxies cut, drop or resolve.
pub(crate) const ODD_IDS: [&str; 13] =
    ["a/b", "../jwt/project", "a b", "a?b", "a#b", "a%2Fb", "%2e%2e", "é", "日本", "a;b=c", "a:b", "@", "..."];

/// The ordinary policy, but for waits that a test need not sit out.
pub(crate) fn quick() -> RetryPolicy {
    let backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(5));
    RetryPolicy::builder().backoff(backoff).build()
}

/// A client of what stands in front of the server.
pub(crate) fn client(server: &Server, url: impl Into<String>) -> Client {
    Client::builder().token(server.token()).base_url(url).retry(quick()).build().unwrap()
}

/// The same over HTTP/2 from the first byte.
pub(crate) fn http2_client(server: &Server, url: impl Into<String>) -> Client {
    let builder = Client::builder().token(server.token()).base_url(url).retry(quick());
    builder.http2_prior_knowledge(true).build().unwrap()
}

/// A server that makes a token for each request that it gets, whatever its idempotency key: one that is sent twice shows.
pub(crate) async fn server_without_keys() -> Server {
    Server::builder().honour_idempotency_keys(false).start().await.unwrap()
}

/// The user whose token a create of this number makes.
fn user(number: usize) -> String {
    format!("user-{number}")
}

pub(crate) fn create(number: usize) -> CreateUserJwt {
    CreateUserJwt::builder().external_id(user(number)).build()
}

/// Makes so many creates, each for a user of its own, `concurrency` at once; returns their results by number.
pub(crate) async fn creates(
    client: &Client,
    count: usize,
    concurrency: usize,
) -> Vec<Result<CreateTokenResponse, Error>> {
    let calls = (0..count).map(|number| client.execute(create(number)));
    futures_util::stream::iter(calls).buffered(concurrency).collect().await
}

/// How many creates were answered, and how many were not and made a token or none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) answered: usize,
    pub(crate) unknown_and_made: usize,
    pub(crate) unknown_and_not_made: usize,
    pub(crate) not_sent: usize,
}

/// Compares what the client says of each create with the tokens that the server has: one for each that was answered, none for
/// each that was not sent, at most one for each other.
pub(crate) fn made(server: &Server, results: &[Result<CreateTokenResponse, Error>]) -> Made {
    let mut made = Made::default();
    for (number, result) in results.iter().enumerate() {
        let tokens = server.user_tokens(&user(number)).len();
        match result {
            Ok(_) => {
                assert_eq!(tokens, 1, "answered: {number}");
                made.answered += 1;
            }
            Err(error) => match (error.outcome(), tokens) {
                (Outcome::Unknown, 1) => made.unknown_and_made += 1,
                (Outcome::Unknown, 0) => made.unknown_and_not_made += 1,
                (Outcome::NotSent, 0) => made.not_sent += 1,
                (_, tokens) => panic!("{tokens} tokens of {number}: {error:?}"),
            },
        }
    }
    made
}

//! What several subjects use.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response};
use magicbell::middleware::retry::{Backoff, Jitter};
use magicbell::testing::Server;
use magicbell::{Body, BoxError, Client, RetryPolicy};
use tower::Service;

/// A token id that no server has.
pub(crate) const UNKNOWN_ID: &str = "550e8400-e29b-41d4-a716-446655440000";

/// The ordinary policy, but for waits that a test need not sit out.
pub(crate) fn quick() -> RetryPolicy {
    let backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(2));
    RetryPolicy::builder().backoff(backoff).rate_limit_backoff(backoff).jitter(Jitter::off()).build()
}

/// A client of a fake server, with waits that a test need not sit out.
pub(crate) fn client(server: &Server) -> Client {
    Client::builder().token(server.token()).base_url(server.url()).retry(quick()).build().unwrap()
}

/// What a scripted transport received: method, path with query, headers, body.
pub(crate) type Received = Arc<Mutex<Vec<Request<Body>>>>;

/// Answers of a scripted transport.
pub(crate) type Answer = Result<Response<Body>, BoxError>;

/// A transport that keeps what it receives and answers by a script.
pub(crate) fn transport<F>(
    answer: F,
) -> (
    Received,
    impl Service<Request<Body>, Response = Response<Body>, Error = BoxError, Future: Send> + Clone + Sync + Send,
)
where
    F: Fn(&Request<Body>) -> Answer + Clone + Send + Sync + 'static,
{
    let received = Received::default();
    let log = Arc::clone(&received);
    let service = tower::service_fn(move |request: Request<Body>| {
        let answer = answer(&request);
        log.lock().unwrap().push(request);
        std::future::ready(answer)
    });
    (received, service)
}

/// A JSON answer.
pub(crate) fn json(status: u16, body: &str) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

/// The answer to a create.
pub(crate) fn created() -> Response<Body> {
    json(
        201,
        r#"{"token":"minted","token_id":"019b1b1e-7b1b-4b1b-8b1b-1b1b1b1b1b1b","created_at":"2021-01-01T00:00:00Z"}"#,
    )
}

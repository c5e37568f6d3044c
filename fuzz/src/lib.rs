//! What several targets use.

use std::future::Future;
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use magicbell::{Body, BoxError, Client, Error, RetryPolicy};

/// The token of each client.
pub const TOKEN: &str = "fuzzed-token-0123456789";

/// What a client's transport received.
pub type Received = Arc<Mutex<Vec<Request<Body>>>>;

/// Runs a future, with time paused: a wait takes none.
pub fn block_on<F: Future>(future: F) -> F::Output {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// Makes a client whose transport keeps what it receives, and gives each request the same answer.
pub fn client(base_url: &str, retry: RetryPolicy, answer: Response<Body>) -> (Received, Result<Client, Error>) {
    let received = Received::default();
    let log = Arc::clone(&received);
    let transport = tower::service_fn(move |request: Request<Body>| {
        log.lock().unwrap().push(request);
        std::future::ready(Ok::<_, BoxError>(answer.clone()))
    });
    let client = Client::builder().token(TOKEN).base_url(base_url).retry(retry).transport(transport);
    (received, client.build())
}

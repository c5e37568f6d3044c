//! What several subjects use.

use std::future::Future;
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use magicbell::{Body, BoxError, Client, RetryPolicy};
use proptest::prelude::*;

/// How many cases a property is checked with, unless `PROPTEST_CASES` says otherwise.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { config } else { ProptestConfig { cases, ..config } }
}

/// Runs a future, with time paused: a wait takes none.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// What a scripted transport received.
pub(crate) type Received = Arc<Mutex<Vec<Request<Body>>>>;

/// Makes a client whose transport keeps what it receives, and gives each request the same answer. No request is repeated.
pub(crate) fn client(
    base_url: &str,
    token: &str,
    answer: Response<Body>,
) -> (Received, Result<Client, magicbell::Error>) {
    let received = Received::default();
    let log = Arc::clone(&received);
    let transport = tower::service_fn(move |request: Request<Body>| {
        log.lock().unwrap().push(request);
        std::future::ready(Ok::<_, BoxError>(answer.clone()))
    });
    let client = Client::builder().token(token).base_url(base_url).retry(RetryPolicy::never()).transport(transport);
    (received, client.build())
}

/// An answer with a status and a body.
pub(crate) fn answer(status: u16, body: impl Into<Body>) -> Response<Body> {
    Response::builder().status(status).body(body.into()).unwrap()
}

/// Encodes all but RFC 3986's unreserved characters and those in `kept`.
pub(crate) fn percent_encode(text: &str, kept: &[u8]) -> String {
    let is_kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.contains(&byte);
    text.bytes().map(|byte| if is_kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Any text, control characters included, and often such as parsers stumble over.
pub(crate) fn text() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        ".", "..", "/", "//", "%", "%2f", "%2e%2E", "%00", "?", "#", "\\", "@", ":", "://", "&", "=", "+", ";", "\r\n",
        "\0", "\t", " ", "\u{a0}", "\u{feff}", "\u{202e}", "\u{200b}", "\u{9b}", "\u{7f}", "é", "日本", "a", "7", "\"",
        "{", "}", "[", "]",
    ];
    prop_oneof![
        proptest::collection::vec(any::<char>(), 0..24).prop_map(String::from_iter),
        proptest::collection::vec(proptest::sample::select(PIECES), 0..8).prop_map(|pieces| pieces.concat()),
        "[ -~]{0,32}",
    ]
}

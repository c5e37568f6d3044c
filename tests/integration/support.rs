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

/// A list that pages by position, as many services do: what is added and removed between two pages shifts the rest. Cursors are
/// positions.
#[derive(Clone, Default)]
pub(crate) struct ShiftingList {
    pub(crate) rows: Arc<Mutex<Vec<serde_json::Value>>>,
    pages: Arc<Mutex<usize>>,
}

impl ShiftingList {
    pub(crate) fn new(ids: impl IntoIterator<Item = String>) -> Self {
        Self { rows: Arc::new(Mutex::new(ids.into_iter().map(|id| Self::row(&id)).collect())), ..Self::default() }
    }

    pub(crate) fn row(id: &str) -> serde_json::Value {
        serde_json::json!({ "id": id, "name": "ci", "created_at": "2021-01-01T00:00:00Z" })
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        let rows = self.rows.lock().unwrap();
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn pages(&self) -> usize {
        *self.pages.lock().unwrap()
    }

    /// A client of it; `churn` changes the rows after each page, of which it is told the number.
    pub(crate) fn client(
        &self,
        churn: impl Fn(usize, &mut Vec<serde_json::Value>) + Clone + Send + Sync + 'static,
    ) -> Client {
        let list = self.clone();
        let (_, transport) = transport(move |request| {
            let mut rows = list.rows.lock().unwrap();
            if request.method() == http::Method::DELETE {
                let id = request.uri().path().rsplit('/').next().unwrap();
                rows.retain(|row| row["id"] != id);
                return Ok(json(200, &serde_json::json!({ "token_id": id }).to_string()));
            }
            let page = list.page(request, &rows);
            let mut pages = list.pages.lock().unwrap();
            *pages += 1;
            churn(*pages, &mut rows);
            Ok(json(200, &page.to_string()))
        });
        Client::builder().token("a.project.token").retry(quick()).transport(transport).build().unwrap()
    }

    fn page(&self, request: &Request<Body>, rows: &[serde_json::Value]) -> serde_json::Value {
        let number = |name: &str| {
            let query = request.uri().query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
            query.into_iter().find(|(found, _)| *found == name).map(|(_, value)| value.parse::<usize>().unwrap())
        };
        let (start, limit) = (number("starting_after").unwrap_or(0), number("limit").unwrap());
        let page = rows.iter().skip(start).take(limit).collect::<Vec<_>>();
        let next = (start + limit < rows.len()).then(|| format!("starting_after={}", start + limit));
        serde_json::json!({ "data": page, "links": { "next": next } })
    }
}

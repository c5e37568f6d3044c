//! What the client adds to a request that is written by hand: in memory, so that nothing but the code itself is measured.
//!
//! `cargo bench --bench request_overhead`. Read the ratios within one run, not the times.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::task::{Context, Poll};

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::FutureExt as _;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use magicbell::jwt::{DiscardTokenResponse, DiscardUserJwt};
use magicbell::{Body, Client};
use tower::layer::util::Identity;
use tower::{Service, ServiceExt as _};

const ID: &str = "550e8400-e29b-41d4-a716-446655440000";
const ANSWER: &[u8] = br#"{"discarded_at":"2021-01-01T00:00:00Z","token_id":"550e8400-e29b-41d4-a716-446655440000"}"#;

/// Answers at once.
#[derive(Clone)]
struct InMemory;

impl<B> Service<Request<B>> for InMemory {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Full<Bytes>>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        black_box(request);
        let mut answer = Response::new(Full::new(Bytes::from_static(ANSWER)));
        answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(ANSWER.len()));
        ready(Ok(answer))
    }
}

/// The same request, by hand: URI, headers, send, collect, decode.
async fn by_hand(headers: &HeaderMap, id: &str) -> DiscardTokenResponse {
    let uri = Uri::builder()
        .scheme("https")
        .authority("api.magicbell.com")
        .path_and_query(format!("/v2/jwt/user/{id}"))
        .build()
        .unwrap();
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::DELETE;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers.clone();
    let answer = InMemory.oneshot(request).await.unwrap();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap()
}

fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static("by-hand/1.0"));
    headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer a.project.token"));
    headers
}

fn now<F: Future>(future: F) -> F::Output {
    future.now_or_never().expect("nothing in memory has to wait")
}

fn discard(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("discard");
    let headers = headers();
    group.bench_function("by hand", |bencher| bencher.iter(|| now(by_hand(&headers, black_box(ID)))));

    let builder = || Client::builder().token("a.project.token").transport(InMemory);
    for (name, client) in [
        ("client", builder().build()),
        ("client, one layer", builder().layer(Identity::new()).build()),
        ("client, one attempt layer", builder().attempt_layer(Identity::new()).build()),
    ] {
        let client = client.unwrap();
        group.bench_function(name, |bencher| {
            bencher.iter(|| now(client.execute(DiscardUserJwt::new(black_box(ID)))).unwrap())
        });
    }
    group.finish();
}

criterion_group!(benches, discard);
criterion_main!(benches);

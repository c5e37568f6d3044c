//! Transports that answer at once, so that nothing but the code itself is measured.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use tower::Service;

/// The id that every discard but a batch's names.
pub(crate) const ID: &str = "550e8400-e29b-41d4-a716-446655440000";

const DISCARDED: &[u8] =
    br#"{"discarded_at":"2021-01-01T00:00:00Z","token_id":"550e8400-e29b-41d4-a716-446655440000"}"#;
const CREATED: &[u8] = br#"{"created_at":"2021-01-01T00:00:00Z","expires_at":"2021-01-01T01:00:00Z","token":"eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl","token_id":"550e8400-e29b-41d4-a716-446655440000"}"#;

/// Gives every request the same answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InMemory {
    status: StatusCode,
    body: &'static [u8],
}

impl InMemory {
    pub(crate) fn discarded() -> Self {
        Self { status: StatusCode::OK, body: DISCARDED }
    }

    pub(crate) fn created() -> Self {
        Self { status: StatusCode::CREATED, body: CREATED }
    }

    /// Answers a page of so many tokens.
    pub(crate) fn listed(rows: usize) -> Self {
        let row = r#"{"id":"550e8400-e29b-41d4-a716-446655440000","name":"inbox","created_at":"2021-01-01T00:00:00Z","expires_at":"2021-01-01T01:00:00Z","discarded_at":null}"#;
        let rows = vec![row; rows].join(",");
        let body = format!(r#"{{"data":[{rows}],"links":{{"first":"/v2/jwt/user/u1","next":null,"prev":null}}}}"#);
        // Once a case: so that an answer is as cheap as that of the others.
        Self { status: StatusCode::OK, body: Box::leak(body.into_boxed_str()).as_bytes() }
    }
}

impl<B> Service<Request<B>> for InMemory {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Full<Bytes>>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        black_box(request);
        ready(Ok(answer(self.status, Bytes::from_static(self.body))))
    }
}

/// Discards whichever token the path names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Discarding;

impl<B> Service<Request<B>> for Discarding {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Full<Bytes>>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let id = request.uri().path().rsplit('/').next().unwrap_or_default();
        let body = format!(r#"{{"discarded_at":"2021-01-01T00:00:00Z","token_id":"{id}"}}"#);
        ready(Ok(answer(StatusCode::OK, body.into())))
    }
}

fn answer(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let length = HeaderValue::from(body.len());
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer.headers_mut().insert(CONTENT_LENGTH, length);
    answer
}

//! A server by script, and the stack above it.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body::{Frame, SizeHint};
use magicbell_middleware::collect::{Collect, CollectLayer};
use magicbell_middleware::idempotency_key::{IdempotencyKey, IdempotencyKeyLayer};
use magicbell_middleware::retry::{Jitter, Retry, RetryError, RetryLayer, RetryPolicy};
use magicbell_middleware::timeout::{Limit, Timeout, TimeoutError, TimeoutLayer};
use magicbell_middleware::{AttemptError, AttemptNumber, Body, BoxError, find_source};
use tokio::time::Instant;
use tower::{Service, ServiceBuilder};

/// The longest body that is collected.
const CAP: usize = 1_024;
/// How long an attempt may take.
pub(crate) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
/// Timers have a millisecond's resolution, and are late by at most that.
pub(crate) const TICK: Duration = Duration::from_millis(1);

/// What becomes of one request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reply {
    Status(u16),
    /// A status with `Retry-After`.
    Asks(u16, &'static str),
    /// The same, a hundredth of a second later.
    AsksLate(u16, &'static str),
    /// A status after a time.
    Slow(Duration, u16),
    /// No connection.
    NotSent,
    /// A certificate that can't be verified.
    Permanent,
    /// A connection that breaks off after the request was sent.
    Reset,
    /// An error that says nothing of the request.
    Silent,
    /// No answer, ever.
    Never,
    /// A status, and then a body that breaks off.
    Lost(u16),
    /// A status, and then a body that stops in the middle and doesn't go on.
    Stalls(u16),
    /// A status, and then a body over the cap.
    Oversized(u16),
}

/// One request, as the server received it.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) at: Duration,
    pub(crate) number: u32,
    /// Whether the number is in the request's extensions.
    pub(crate) is_numbered: bool,
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Answers by script; the last reply is repeated. Clones share the script and the record.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    script: Arc<[Reply]>,
    start: Instant,
    received: Arc<Mutex<Vec<Sent>>>,
}

impl Server {
    pub(crate) fn new(script: impl Into<Arc<[Reply]>>) -> Self {
        Self { script: script.into(), start: Instant::now(), received: Arc::default() }
    }

    pub(crate) fn received(&self) -> Vec<Sent> {
        self.received.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.received.lock().unwrap().len()
    }

    /// Returns when each request arrived, counted from the server's start.
    pub(crate) fn times(&self) -> Vec<Duration> {
        self.received().iter().map(|sent| sent.at).collect()
    }

    /// Asserts that each request was the first one again, byte for byte.
    pub(crate) fn assert_identical(&self) {
        let received = self.received();
        for sent in &received {
            assert_eq!(sent.method, received[0].method);
            assert_eq!(sent.uri, received[0].uri);
            assert_eq!(sent.headers, received[0].headers);
            assert_eq!(sent.body, received[0].body);
        }
    }
}

impl Service<Request<Body>> for Server {
    type Response = Response<Frames>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Frames>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut received = self.received.lock().unwrap();
        let reply = *self.script.get(received.len()).or(self.script.last()).unwrap();
        received.push(Sent {
            at: self.start.elapsed(),
            number: AttemptNumber::of(&request),
            is_numbered: request.extensions().get::<AttemptNumber>().is_some(),
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers: request.headers().clone(),
            body: request.into_body().into_bytes(),
        });
        Box::pin(reply.make())
    }
}

impl Reply {
    async fn make(self) -> Result<Response<Frames>, BoxError> {
        let whole = Frames::of([Ok("{\"ok\":true}")]);
        match self {
            Self::Status(status) => answer(status, whole),
            Self::Asks(status, value) => {
                let mut response = answer(status, whole)?;
                response.headers_mut().insert("retry-after", value.parse()?);
                Ok(response)
            }
            Self::AsksLate(status, value) => {
                tokio::time::sleep(10 * TICK).await;
                Box::pin(Self::Asks(status, value).make()).await
            }
            Self::Slow(time, status) => {
                tokio::time::sleep(time).await;
                answer(status, whole)
            }
            Self::NotSent => Err(AttemptError::not_sent("connection refused").into()),
            Self::Permanent => Err(AttemptError::not_sent("unknown issuer").permanent().into()),
            Self::Reset => Err(AttemptError::unknown(io::Error::from(io::ErrorKind::ConnectionReset)).into()),
            Self::Silent => Err("something".into()),
            Self::Never => std::future::pending().await,
            Self::Lost(status) => answer(status, Frames::of([Ok("{\"token\":\"sec"), Err("reset")])),
            Self::Stalls(status) => {
                let begun = Frames::of([Ok("{\"token\":\"sec")]);
                answer(status, Frames { stalls: true, ..begun })
            }
            Self::Oversized(status) => answer(status, Frames::of([Ok("x"); CAP + 1])),
        }
    }
}

fn answer(status: u16, body: Frames) -> Result<Response<Frames>, BoxError> {
    Ok(Response::builder().status(status).body(body)?)
}

/// A body frame by frame.
#[derive(Debug)]
pub(crate) struct Frames {
    frames: VecDeque<Result<&'static str, &'static str>>,
    /// Whether no end follows.
    stalls: bool,
}

impl Frames {
    fn of(frames: impl IntoIterator<Item = Result<&'static str, &'static str>>) -> Self {
        Self { frames: frames.into_iter().collect(), stalls: false }
    }
}

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let next = self.frames.pop_front();
        if next.is_none() && self.stalls {
            return Poll::Pending;
        }
        Poll::Ready(next.map(|next| next.map(|data| Frame::data(Bytes::from(data))).map_err(Into::into)))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

pub(crate) type Stack<S = Server> = IdempotencyKey<Retry<Timeout<Collect<S>>>>;

/// Puts keys, retry, attempt timeout and collect above a service.
pub(crate) fn stack<S>(layer: RetryLayer, service: S) -> Stack<S> {
    ServiceBuilder::new()
        .layer(IdempotencyKeyLayer::new())
        .layer(layer)
        .layer(TimeoutLayer::new(ATTEMPT_TIMEOUT))
        .layer(CollectLayer::new(CAP))
        .service(service)
}

/// A policy whose waits are exact: 100 ms, 200 ms, … and after a 429 1 s, 2 s, …
pub(crate) fn policy() -> RetryPolicy {
    RetryPolicy::builder().jitter(Jitter::off()).build()
}

/// The same, trusting idempotency keys.
pub(crate) fn trusting() -> RetryPolicy {
    RetryPolicy::builder().jitter(Jitter::off()).trust_idempotency_keys(true).build()
}

pub(crate) fn list() -> Request<Body> {
    Request::get("https://api.example.com/v2/tokens?limit=7").header("x-trace", "a").body(Body::empty()).unwrap()
}

pub(crate) fn discard() -> Request<Body> {
    Request::delete("https://api.example.com/v2/tokens/tok-1").header("x-trace", "b").body(Body::empty()).unwrap()
}

pub(crate) fn create() -> Request<Body> {
    Request::post("https://api.example.com/v2/tokens")
        .header("x-trace", "c")
        .body(Body::from("{\"name\":\"ci\"}"))
        .unwrap()
}

pub(crate) fn retry_error(error: &BoxError) -> &RetryError {
    error.downcast_ref().expect("a RetryError")
}

/// Asserts that the operation's limit on time is why a call ended.
pub(crate) fn assert_out_of_time(error: &BoxError) {
    let timeout = find_source::<TimeoutError>(&**error).expect("a TimeoutError");
    assert_eq!(timeout.limit(), Limit::Operation);
}

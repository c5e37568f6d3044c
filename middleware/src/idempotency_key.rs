//! Gives each creation an `Idempotency-Key`.
//!
//! The key is a UUID v4, as [the IETF's draft](https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/)
//! proposes, but bare, without the quotes that the draft's structured field would have. Above [`retry`](crate::retry) every
//! attempt carries the same one. A key that the request has already stays, unless it is empty.
//!
//! ```
//! use http::{Request, Response};
//! use magicbell_middleware::{Body, idempotency_key::{IDEMPOTENCY_KEY, IdempotencyKeyLayer}};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let service = ServiceBuilder::new()
//!     .layer(IdempotencyKeyLayer::new())
//!     .service_fn(async |request: Request<Body>| {
//!         assert_eq!(request.headers()[IDEMPOTENCY_KEY].len(), 36);
//!         Ok::<_, std::io::Error>(Response::new(Body::empty()))
//!     });
//! service.oneshot(Request::post("/jwt/user").body(Body::from("{}"))?).await?;
//! # Ok(())
//! # }
//! ```

use std::task::{Context, Poll};

use http::header::Entry;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use tower_layer::Layer;
use tower_service::Service;
use uuid::Uuid;

use crate::{Operation, Safety};

/// The header's name.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Gives each request that is neither safe nor idempotent an `Idempotency-Key`.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct IdempotencyKeyLayer {}

impl IdempotencyKeyLayer {
    /// Makes the layer.
    #[must_use]
    pub const fn new() -> Self {
        Self {}
    }
}

impl<S> Layer<S> for IdempotencyKeyLayer {
    type Service = IdempotencyKey<S>;

    fn layer(&self, inner: S) -> IdempotencyKey<S> {
        IdempotencyKey { inner }
    }
}

/// The service of [`IdempotencyKeyLayer`].
#[derive(Debug, Clone)]
pub struct IdempotencyKey<S> {
    inner: S,
}

impl<S, B> Service<Request<B>> for IdempotencyKey<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> S::Future {
        // Apart, so that a request which gets none isn't moved once more.
        match Operation::safety_of(&request) {
            Safety::NonIdempotent => self.call_with_key(request),
            _ => self.inner.call(request),
        }
    }
}

impl<S> IdempotencyKey<S> {
    #[inline(never)]
    fn call_with_key<B>(&mut self, mut request: Request<B>) -> S::Future
    where
        S: Service<Request<B>>,
    {
        give_key(request.headers_mut());
        self.inner.call(request)
    }
}

fn give_key(headers: &mut HeaderMap) {
    let Some(key) = new_key() else { return };
    match headers.entry(IDEMPOTENCY_KEY) {
        Entry::Vacant(place) => drop(place.insert(key)),
        // An empty one is none.
        Entry::Occupied(mut own) if own.get().is_empty() => drop(own.insert(key)),
        Entry::Occupied(_) => {}
    }
}

/// Makes a key. It is always `Some`: a UUID's text is a header's value; but nothing here may panic.
fn new_key() -> Option<HeaderValue> {
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    HeaderValue::from_str(Uuid::new_v4().hyphenated().encode_lower(&mut text)).ok()
}

#[cfg(test)]
mod tests {
    use http::Method;
    use tower::{ServiceExt as _, service_fn};

    use super::*;

    async fn key_of(request: Request<()>) -> Option<String> {
        let service = IdempotencyKeyLayer::new().layer(service_fn(async |request: Request<()>| {
            let key = request.headers().get(IDEMPOTENCY_KEY);
            Ok::<_, std::convert::Infallible>(key.map(|key| key.to_str().unwrap().to_owned()))
        }));
        service.oneshot(request).await.unwrap()
    }

    fn request(method: Method) -> Request<()> {
        Request::builder().method(method).body(()).unwrap()
    }

    #[tokio::test]
    async fn a_post_gets_a_uuid_of_its_own() {
        let first = key_of(request(Method::POST)).await.unwrap();
        assert_eq!(Uuid::parse_str(&first).unwrap().get_version_num(), 4);
        assert_ne!(key_of(request(Method::POST)).await.unwrap(), first);
    }

    #[tokio::test]
    async fn get_and_delete_get_none() {
        assert_eq!(key_of(request(Method::GET)).await, None);
        assert_eq!(key_of(request(Method::DELETE)).await, None);
    }

    #[tokio::test]
    async fn the_callers_own_key_stays() {
        let mut request = request(Method::POST);
        request.headers_mut().insert(IDEMPOTENCY_KEY, HeaderValue::from_static("mine"));
        assert_eq!(key_of(request).await.as_deref(), Some("mine"));
    }

    #[tokio::test]
    async fn an_empty_key_is_none() {
        let mut request = request(Method::POST);
        request.headers_mut().insert(IDEMPOTENCY_KEY, HeaderValue::from_static(""));
        assert_eq!(key_of(request).await.unwrap().len(), 36);
    }
}

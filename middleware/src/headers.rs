//! Gives each request a set of headers that was built once.
//!
//! # Differences from tower-http's `SetRequestHeaderLayer`
//!
//! That one makes a layer a header. This one takes a whole map: where the request has no headers yet, which is what a client
//! that builds its requests itself sends down, giving it twenty costs one clone. A header that the request has stays, unless
//! its name is [fixed](DefaultHeadersLayer::fixed): a credential is replaced, never doubled.
//!
//! ```
//! use http::{HeaderMap, HeaderValue, Request, Response, header::ACCEPT};
//! use magicbell_middleware::{Body, headers::DefaultHeadersLayer};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), std::io::Error> {
//! let mut defaults = HeaderMap::new();
//! defaults.insert(ACCEPT, HeaderValue::from_static("application/json"));
//! let service = ServiceBuilder::new()
//!     .layer(DefaultHeadersLayer::new(defaults))
//!     .service_fn(async |request: Request<Body>| {
//!         assert_eq!(request.headers()[ACCEPT], "application/json");
//!         Ok::<_, std::io::Error>(Response::new(Body::empty()))
//!     });
//! service.oneshot(Request::new(Body::empty())).await?;
//! # Ok(())
//! # }
//! ```

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{HeaderMap, HeaderName, Request};
use tower_layer::Layer;
use tower_service::Service;

/// Gives each request a set of headers that was built once.
#[derive(Debug, Clone)]
pub struct DefaultHeadersLayer {
    shared: Arc<Shared>,
}

#[derive(Debug, Clone)]
struct Shared {
    defaults: HeaderMap,
    /// The name whose default a request's own header doesn't replace, where it has one.
    fixed: Option<HeaderName>,
}

/// For how many headers of a request's own there is room in the table.
const ROOM: usize = 3;

impl DefaultHeadersLayer {
    /// Makes a layer from the headers that a request gets where it has none of that name.
    #[must_use]
    pub fn new(defaults: HeaderMap) -> Self {
        // A clone has room for no more headers, but the table of a clone is as large: so it isn't made anew for a request's own.
        let mut roomy = HeaderMap::with_capacity(defaults.len() + ROOM);
        roomy.extend(defaults);
        Self { shared: Arc::new(Shared { defaults: roomy, fixed: None }) }
    }

    /// Fixes one name, a credential's: where there is a default of this name, a request's own is dropped. The last name given
    /// counts.
    #[must_use]
    pub fn fixed(mut self, name: HeaderName) -> Self {
        let has_default = self.shared.defaults.contains_key(&name);
        Arc::make_mut(&mut self.shared).fixed = has_default.then_some(name);
        self
    }
}

impl<S> Layer<S> for DefaultHeadersLayer {
    type Service = DefaultHeaders<S>;

    fn layer(&self, inner: S) -> DefaultHeaders<S> {
        DefaultHeaders { inner, layer: self.clone() }
    }
}

/// The service of [`DefaultHeadersLayer`].
#[derive(Debug, Clone)]
pub struct DefaultHeaders<S> {
    inner: S,
    layer: DefaultHeadersLayer,
}

impl<S, B> Service<Request<B>> for DefaultHeaders<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    // The future is large, and so built in its place.
    #[inline(always)]
    fn call(&mut self, mut request: Request<B>) -> S::Future {
        let Shared { defaults, fixed } = &*self.layer.shared;
        let own = std::mem::replace(request.headers_mut(), defaults.clone());
        if own.capacity() == 0 {
            // A map that was never filled has nothing to free, and to find that out costs more than this look.
            std::mem::forget(own);
        } else {
            merge(request.headers_mut(), own, fixed.as_ref());
        }
        self.inner.call(request)
    }
}

/// Puts a request's own headers over the defaults, except over the one that is fixed.
fn merge(defaults: &mut HeaderMap, own: HeaderMap, fixed: Option<&HeaderName>) {
    // The iterator names a header once, with its first value, and leaves the name out for the values that follow.
    let mut last = None;
    for (name, value) in own {
        let is_first = name.is_some();
        last = name.or(last);
        let Some(name) = &last else { continue };
        if fixed == Some(name) {
            continue;
        }
        if is_first {
            defaults.insert(name, value);
        } else {
            defaults.append(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::AUTHORIZATION;
    use tower::{ServiceExt as _, service_fn};

    use super::*;

    async fn sent(own: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut defaults = HeaderMap::new();
        defaults.insert("accept", HeaderValue::from_static("application/json"));
        defaults.insert("user-agent", HeaderValue::from_static("sdk"));
        let mut credential = HeaderValue::from_static("mine");
        credential.set_sensitive(true);
        defaults.insert("authorization", credential);
        let service =
            DefaultHeadersLayer::new(defaults).fixed(AUTHORIZATION).layer(service_fn(async |request: Request<()>| {
                Ok::<_, std::convert::Infallible>(request.headers().clone())
            }));
        let mut request = Request::new(());
        for (name, value) in own {
            request.headers_mut().append(*name, HeaderValue::from_static(value));
        }
        service.oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn what_the_request_has_wins() {
        let headers = sent(&[("accept", "text/html")]).await;
        assert_eq!(headers["accept"], "text/html");
        assert_eq!(headers["user-agent"], "sdk");
        assert_eq!(headers.get_all("accept").iter().count(), 1);
    }

    #[tokio::test]
    async fn a_fixed_default_is_neither_replaced_nor_doubled() {
        let headers = sent(&[("authorization", "theirs"), ("authorization", "theirs too")]).await;
        assert_eq!(headers.get_all("authorization").iter().collect::<Vec<_>>(), ["mine"]);
    }

    #[tokio::test]
    async fn a_header_with_two_values_keeps_both() {
        let headers = sent(&[("x", "1"), ("x", "2")]).await;
        assert_eq!(headers.get_all("x").iter().collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(headers.len(), 5);
    }
}

//! The layer and the service.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::future::State;
use super::{Credentials, ResponseFuture};
use crate::BoxError;

/// Authorizes each attempt with what its [`Credentials`] give.
pub struct AuthLayer<C> {
    credentials: Arc<C>,
}

impl<C> AuthLayer<C> {
    /// Makes the layer.
    pub fn new(credentials: C) -> Self {
        Self { credentials: Arc::new(credentials) }
    }
}

impl<C> Clone for AuthLayer<C> {
    fn clone(&self) -> Self {
        Self { credentials: Arc::clone(&self.credentials) }
    }
}

impl<C> fmt::Debug for AuthLayer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthLayer").finish_non_exhaustive()
    }
}

impl<C, S> Layer<S> for AuthLayer<C> {
    type Service = Auth<C, S>;

    fn layer(&self, inner: S) -> Auth<C, S> {
        Auth { inner, credentials: Arc::clone(&self.credentials) }
    }
}

/// The service of [`AuthLayer`].
pub struct Auth<C, S> {
    inner: S,
    credentials: Arc<C>,
}

impl<C, S: Clone> Clone for Auth<C, S> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), credentials: Arc::clone(&self.credentials) }
    }
}

impl<C, S: fmt::Debug> fmt::Debug for Auth<C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<C, S, B, R> Service<Request<B>> for Auth<C, S>
where
    C: Credentials,
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
{
    type Response = Response<R>;
    type Error = BoxError;
    type Future = ResponseFuture<C, S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let clone = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, clone);
        let state = State::Asking { future: self.credentials.authorization(), next: Some((ready, request)) };
        ResponseFuture::new(state, Arc::clone(&self.credentials))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::HeaderValue;
    use http::header::AUTHORIZATION;
    use tower::{ServiceExt as _, service_fn};

    use super::*;
    use crate::Outcome;
    use crate::auth::{RotatingCredentials, bearer};

    #[tokio::test]
    async fn a_second_authorization_header_is_never_sent() {
        let service = AuthLayer::new(RotatingCredentials::new(bearer("mine").unwrap())).layer(service_fn(
            async |request: Request<()>| {
                let all = request.headers().get_all(AUTHORIZATION).iter().cloned().collect::<Vec<_>>();
                Ok::<_, Infallible>(Response::new(all))
            },
        ));
        let request = Request::builder().header(AUTHORIZATION, "Bearer theirs").body(()).unwrap();
        let sent = service.oneshot(request).await.unwrap().into_body();
        assert_eq!(sent, ["Bearer mine"]);
        assert!(sent[0].is_sensitive());
    }

    #[tokio::test]
    async fn a_value_that_does_not_change_is_sent_with_each_request() {
        let service = AuthLayer::new(bearer("mine").unwrap()).layer(service_fn(async |request: Request<()>| {
            Ok::<_, Infallible>(Response::new(request.headers()[AUTHORIZATION].clone()))
        }));
        for _ in 0..2 {
            let sent = service.clone().oneshot(Request::new(())).await.unwrap().into_body();
            assert!(sent == "Bearer mine" && sent.is_sensitive());
        }
    }

    #[tokio::test]
    async fn credentials_that_fail_mean_not_sent() {
        let service = AuthLayer::new(|| async { Err::<HeaderValue, BoxError>("vault sealed".into()) })
            .layer(service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(()))));
        let error = service.oneshot(Request::new(())).await.unwrap_err();
        assert_eq!(Outcome::of(&*error), Outcome::NotSent);
    }
}

//! Answers whose bodies are whole already.

use std::any::Any;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use magicbell_middleware::{Body, BoxError};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use super::client_type::StackResult;

/// For what answers with a [`Body`], by whatever name its type has it: takes it for one.
///
/// [`Collect`](magicbell_middleware::collect::Collect) does so too, but has room for a body that isn't one, which every call
/// would carry about.
#[derive(Debug, Clone, Copy)]
pub(super) struct WholeLayer;

impl<S> Layer<S> for WholeLayer {
    type Service = Whole<S>;

    fn layer(&self, inner: S) -> Whole<S> {
        Whole { inner }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Whole<S> {
    inner: S,
}

impl<S, B> Service<Request<Body>> for Whole<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: 'static,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = WholeFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    #[inline]
    fn call(&mut self, request: Request<Body>) -> Self::Future {
        WholeFuture { inner: self.inner.call(request) }
    }
}

pin_project! {
    pub(super) struct WholeFuture<F> {
        #[pin]
        inner: F,
    }
}

impl<F, B, E> Future for WholeFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
    B: 'static,
{
    type Output = StackResult;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<StackResult> {
        let (parts, body) = match ready!(self.project().inner.poll(cx)) {
            Ok(response) => response.into_parts(),
            Err(error) => return Poll::Ready(Err(error.into())),
        };
        let mut body = Some(body);
        match (&mut body as &mut dyn Any).downcast_mut::<Option<Body>>().and_then(Option::take) {
            Some(body) => Poll::Ready(Ok(Response::from_parts(parts, body))),
            None => Poll::Ready(Err("a body that was to be whole is none".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body_util::Full;
    use tower::{ServiceExt as _, service_fn};

    use super::*;

    async fn answer<B: 'static>(body: fn() -> B) -> StackResult {
        let answers = service_fn(move |_: Request<Body>| async move { Ok::<_, Infallible>(Response::new(body())) });
        WholeLayer.layer(answers).oneshot(Request::default()).await
    }

    #[tokio::test]
    async fn a_whole_body_is_passed_on() {
        assert_eq!(answer(|| Body::from("abc")).await.unwrap().body().as_bytes(), b"abc");
    }

    #[tokio::test]
    async fn another_one_is_an_error_and_no_panic() {
        let error = answer(|| Full::new(bytes::Bytes::new())).await.unwrap_err();
        assert_eq!(error.to_string(), "a body that was to be whole is none");
    }
}

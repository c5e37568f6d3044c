//! The layer and the service.

use std::any::Any;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{Request, Response, Version, response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::ResponseBodyError;
use super::body_error::Failure;
use super::limit::Limit;
use super::received::Received;
use crate::{Body, BoxError};

/// Says whether the bytes of an unframed body are a whole one.
type Check = fn(&[u8]) -> bool;

/// Collects the response's body, up to a cap.
#[derive(Debug, Clone, Copy)]
pub struct CollectLayer {
    max_bytes: usize,
    check: Option<Check>,
    timeout: Option<Duration>,
}

impl CollectLayer {
    /// Makes a layer that takes at most `max_bytes` of a body; a longer one is an error, which has the beginning of a success's.
    #[must_use]
    pub const fn new(max_bytes: usize) -> Self {
        Self { max_bytes, check: None, timeout: None }
    }

    /// Checks the bodies whose end nothing marks: an HTTP/1 answer with neither `Content-Length` nor `Transfer-Encoding`
    /// ends where the connection does, so one that was cut short looks like a whole one. Where `check` returns false, the body
    /// counts as broken off.
    #[must_use]
    pub const fn check_unframed(mut self, check: Check) -> Self {
        self.check = Some(check);
        self
    }

    /// Limits the time of an answer, from its first wait to the end of its body, and keeps what has arrived of the body by then.
    ///
    /// It is for beneath a [timeout](crate::timeout) of the same length, which ends later and couldn't keep anything.
    #[cfg(feature = "timeout")]
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

impl CollectLayer {
    /// Says whether nothing is to be checked of a body that is whole already.
    fn passes(self, body: &Body) -> bool {
        body.len() <= self.max_bytes && self.check.is_none()
    }

    /// Checks an answer whose body is whole already.
    #[cold]
    fn check_whole(self, parts: response::Parts, body: Body) -> Result<Response<Body>, BoxError> {
        if body.len() > self.max_bytes {
            let end = Err(Failure::TooLarge { max: self.max_bytes });
            let room = if is_worth_a_part(&parts) { self.max_bytes } else { 0 };
            return finish(self, parts, body.into_bytes().slice(..room), end);
        }
        finish(self, parts, body.into_bytes(), Ok(()))
    }
}

impl<S> Layer<S> for CollectLayer {
    type Service = Collect<S>;

    fn layer(&self, inner: S) -> Collect<S> {
        Collect { inner, layer: *self }
    }
}

/// The service of [`CollectLayer`].
#[derive(Debug, Clone)]
pub struct Collect<S> {
    inner: S,
    layer: CollectLayer,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Collect<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Error: Into<BoxError>,
    ResBody: http_body::Body + 'static,
    ResBody::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    #[inline]
    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let state = State::Calling { future: self.inner.call(request) };
        ResponseFuture { state, layer: self.layer, limit: Limit::default() }
    }
}

pin_project! {
    /// The future of [`Collect`].
    #[derive(Debug)]
    pub struct ResponseFuture<F, B> {
        #[pin]
        state: State<F, B>,
        layer: CollectLayer,
        limit: Limit,
    }
}

pin_project! {
    #[project = StateProj]
    #[derive(Debug)]
    enum State<F, B> {
        Calling { #[pin] future: F },
        Collecting { parts: Option<response::Parts>, #[pin] body: B, received: Received },
    }
}

impl<F, B, E> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
    B: http_body::Body + 'static,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<Body>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProj::Calling { future } => {
                    let Poll::Ready(result) = future.poll(cx) else {
                        this.limit.begin(this.layer.timeout);
                        return Poll::Pending;
                    };
                    let (parts, body) = result.map_err(Into::into)?.into_parts();
                    let body = match whole(body) {
                        // Nearly always, and so without a detour.
                        Ok(body) if this.layer.passes(&body) => {
                            return Poll::Ready(Ok(Response::from_parts(parts, body)));
                        }
                        Ok(body) => return Poll::Ready(this.layer.check_whole(parts, body)),
                        Err(body) => body,
                    };
                    this.state.set(State::Collecting { parts: Some(parts), body, received: Received::default() });
                }
                StateProj::Collecting { parts, mut body, received } => {
                    let worth_a_part = || parts.as_ref().is_some_and(is_worth_a_part);
                    let end = match received.poll_collect(body.as_mut(), this.layer.max_bytes, worth_a_part, cx) {
                        Poll::Ready(end) => end,
                        Poll::Pending => Err(Failure::Broken(ready!(this.limit.poll(this.layer.timeout, cx)))),
                    };
                    let received = std::mem::take(received).into_bytes();
                    return Poll::Ready(match parts.take() {
                        Some(parts) => finish(*this.layer, parts, received, end),
                        None => Err("polled after completion".into()),
                    });
                }
            }
        }
    }
}

/// Returns the body as it is where it is whole already, as one is that another layer of this crate has collected.
#[inline]
fn whole<B: 'static>(body: B) -> Result<Body, B> {
    let mut body = Some(body);
    match (&mut body as &mut dyn Any).downcast_mut::<Option<Body>>() {
        Some(whole) => Ok(whole.take().unwrap_or_default()),
        None => body.map_or_else(|| Ok(Body::empty()), Err),
    }
}

// An answer's parts are large, and so taken where they are.
#[inline(always)]
fn finish(
    layer: CollectLayer,
    parts: response::Parts,
    received: Bytes,
    end: Result<(), Failure>,
) -> Result<Response<Body>, BoxError> {
    let end = end.and_then(|()| match layer.check {
        Some(check) if is_unframed(&parts) && !received.is_empty() && !check(&received) => Err(Failure::CutShort),
        _ => Ok(()),
    });
    match end {
        Ok(()) => Ok(Response::from_parts(parts, received.into())),
        Err(failure) => {
            Err(ResponseBodyError { status: parts.status, headers: Box::new(parts.headers), received, failure }.into())
        }
    }
}

/// Says whether the beginning of a body that is too large is worth keeping: a success may tell what is told once.
fn is_worth_a_part(parts: &response::Parts) -> bool {
    parts.status.is_success()
}

/// Says whether only the end of the connection marked the end of the body.
fn is_unframed(parts: &response::Parts) -> bool {
    // A look at each of a few names costs less than to hash these two.
    parts.version <= Version::HTTP_11
        && !parts.headers.keys().any(|name| matches!(*name, CONTENT_LENGTH | TRANSFER_ENCODING))
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::error::Error as _;

    use bytes::Bytes;
    use http::HeaderMap;
    use http_body::Frame;
    use tokio_test::{assert_ready, task};

    use super::*;
    use crate::find_source;

    type Frames = VecDeque<Result<Frame<Bytes>, BoxError>>;

    struct Script(Frames);
    impl http_body::Body for Script {
        type Data = Bytes;
        type Error = BoxError;
        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
            Poll::Ready(self.0.pop_front())
        }
    }

    fn run<B>(layer: CollectLayer, response: Response<B>) -> Result<Response<Body>, BoxError>
    where
        B: http_body::Body + 'static,
        B::Error: Into<BoxError>,
    {
        let state = State::Calling { future: std::future::ready(Ok::<_, BoxError>(response)) };
        assert_ready!(task::spawn(ResponseFuture { state, layer, limit: Limit::default() }).poll())
    }

    fn frames(parts: &[&'static str]) -> Script {
        Script(parts.iter().map(|part| Ok(Frame::data(Bytes::from_static(part.as_bytes())))).collect())
    }

    #[test]
    fn a_body_that_is_whole_already_passes_and_keeps_to_the_cap() {
        let whole = run(CollectLayer::new(3), Response::new(Body::from("abc"))).unwrap();
        assert_eq!(whole.body().as_bytes(), b"abc");
        let error = run(CollectLayer::new(2), Response::new(Body::from("abc"))).unwrap_err();
        assert!(find_source::<ResponseBodyError>(&*error).unwrap().is_too_large());
        let layer = CollectLayer::new(99).check_unframed(|bytes| bytes.ends_with(b"}"));
        assert!(run(layer, Response::new(Body::from("{\"a\""))).is_err(), "nothing else marks its end");
    }

    #[test]
    fn frames_are_joined_in_order() {
        let whole = run(CollectLayer::new(6), Response::new(frames(&["ab", "cd", "ef"]))).unwrap();
        assert_eq!(whole.body().as_bytes(), b"abcdef");
    }

    #[test]
    fn one_frame_is_not_copied() {
        let bytes = Bytes::from(vec![7; 64]);
        let body = http_body_util::Full::new(bytes.clone());
        let whole = run(CollectLayer::new(64), Response::new(body)).unwrap();
        assert_eq!(whole.into_body().into_bytes().as_ptr(), bytes.as_ptr());
    }

    #[test]
    fn a_body_over_the_cap_is_an_error_with_the_status() {
        for body in [frames(&["abcdefg"]), frames(&["abc", "defg"])] {
            let error = run(CollectLayer::new(6), Response::builder().status(502).body(body).unwrap()).unwrap_err();
            let error = find_source::<ResponseBodyError>(&*error).unwrap();
            assert!(error.is_too_large());
            assert_eq!(error.status(), 502);
        }
    }

    #[test]
    fn a_length_over_the_cap_is_refused_before_anything_is_read_of_a_failure() {
        let received = |status| {
            let body = http_body_util::Full::new(Bytes::from_static(b"abcdefg"));
            let error = run(CollectLayer::new(6), Response::builder().status(status).body(body).unwrap()).unwrap_err();
            find_source::<ResponseBodyError>(&*error).unwrap().received().clone()
        };
        assert_eq!((&*received(500), &*received(201)), (&b""[..], &b"abcdef"[..]));
    }

    #[test]
    fn a_success_over_the_cap_keeps_as_much_as_the_cap() {
        for parts in [&["abc", "defg"][..], &["abcdefgh"], &["abcdef", "g"]] {
            let error = run(CollectLayer::new(6), Response::new(frames(parts))).unwrap_err();
            let error = find_source::<ResponseBodyError>(&*error).unwrap();
            assert!(error.is_too_large());
            assert_eq!(error.received(), "abcdef");
        }
        let error = run(CollectLayer::new(6), Response::new(Body::from("abcdefg"))).unwrap_err();
        assert_eq!(find_source::<ResponseBodyError>(&*error).unwrap().received(), "abcdef");
    }

    #[test]
    fn a_broken_body_keeps_its_headers_and_says_why() {
        let mut script = frames(&["ab"]);
        script.0.push_back(Err("reset by peer".into()));
        let error =
            run(CollectLayer::new(9), Response::builder().header("x-id", "7").body(script).unwrap()).unwrap_err();
        let found = find_source::<ResponseBodyError>(&*error).unwrap();
        assert_eq!(found.headers()["x-id"], "7");
        assert_eq!(found.source().unwrap().to_string(), "reset by peer");
        assert!(format!("{found:?}").contains("received: 2"), "{found:?}");
    }

    #[test]
    fn a_broken_body_keeps_what_had_arrived() {
        let mut script = frames(&["{\"token\":\"secret"]);
        script.0.push_back(Err("reset".into()));
        let error = run(CollectLayer::new(99), Response::new(script)).unwrap_err();
        let found = find_source::<ResponseBodyError>(&*error).unwrap();
        assert_eq!(found.received(), "{\"token\":\"secret");
        assert!(!format!("{error} {error:?}").contains("secret"));
    }

    #[test]
    fn only_an_unframed_body_is_checked() {
        let layer = CollectLayer::new(99).check_unframed(|bytes| bytes.ends_with(b"}"));
        assert!(run(layer, Response::new(frames(&["{\"a\""]))).is_err());
        assert!(run(layer, Response::new(frames(&["{}"]))).is_ok());
        for header in ["content-length", "transfer-encoding"] {
            assert!(run(layer, Response::builder().header(header, "4").body(frames(&["{\"a\""])).unwrap()).is_ok());
        }
        assert!(run(layer, Response::builder().version(Version::HTTP_2).body(frames(&["{\"a\""])).unwrap()).is_ok());
    }

    #[test]
    fn trailers_are_passed_over() {
        let trailers = Frame::<Bytes>::trailers(HeaderMap::new());
        let script = Script([Frame::data(Bytes::from_static(b"ab")), trailers].map(Ok).into());
        assert_eq!(run(CollectLayer::new(9), Response::new(script)).unwrap().body().as_bytes(), b"ab");
    }
}

//! What a layer of the caller's is put around.

use std::any::{Any, TypeId};
use std::fmt;
use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use magicbell_middleware::{Body, BoxError};
use pin_project_lite::pin_project;
use sync_wrapper::SyncWrapper;
use tower::Service;

use super::client_type::StackResult;

pub(super) type CallFuture = Pin<Box<dyn Future<Output = StackResult> + Send>>;

/// What stands beneath a layer that was given to [`ClientBuilder::layer`](crate::ClientBuilder::layer) or
/// [`attempt_layer`](crate::ClientBuilder::attempt_layer): the rest of the stack, erased.
///
/// A layer that is generic over what it is put around never has to name it. Each clone is made ready by itself, and what a layer
/// further in limits is passed on: it is ready once that is.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{Client, StackService, jwt::FetchProjectTokens, testing::Server};
/// use tower::{ServiceBuilder, layer::layer_fn};
///
/// let server = Server::start().await?;
/// let at_most_8 = layer_fn(|inner: StackService| ServiceBuilder::new().concurrency_limit(8).service(inner));
/// let client = Client::builder().token(server.token()).base_url(server.url()).layer(at_most_8).build()?;
/// client.execute(FetchProjectTokens::builder().build()).await?;
/// assert_eq!(server.request_count(), 1);
/// # Ok(())
/// # }
/// ```
pub struct StackService {
    prototype: Arc<dyn Prototype>,
    /// What the next call is made by, once it was asked whether it is ready.
    next: Option<SyncWrapper<Pin<Box<dyn OneCall>>>>,
}

impl StackService {
    pub(super) fn new<S>(service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = BoxError> + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        Self { prototype: Arc::new(Cloned(service)), next: None }
    }

    /// Makes one of a service that answers and fails as the stack does, by whatever names its types have that; `None` of any other.
    pub(super) fn of_same<S>(service: S) -> Result<Self, S>
    where
        S: Service<Request<Body>> + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        match TypeId::of::<Result<S::Response, S::Error>>() == TypeId::of::<StackResult>() {
            true => Ok(Self { prototype: Arc::new(Cloned(service)), next: None }),
            false => Err(service),
        }
    }

    /// Makes one of a function: always ready, so that nothing is made to be asked.
    pub(super) fn always_ready(call: impl Fn(Request<Body>) -> CallFuture + Send + Sync + 'static) -> Self {
        Self { prototype: Arc::new(AlwaysReady(call)), next: None }
    }
}

impl Service<Request<Body>> for StackService {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = CallFuture;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        if self.next.is_none() {
            self.next = self.prototype.one_call().map(SyncWrapper::new);
        }
        self.next.as_mut().map_or(Poll::Ready(Ok(())), |next| next.get_mut().as_mut().poll_ready(cx))
    }

    #[inline(always)]
    fn call(&mut self, request: Request<Body>) -> CallFuture {
        match self.next.take() {
            Some(next) => next.into_inner().call(request),
            None => self.prototype.call(request),
        }
    }
}

impl Clone for StackService {
    fn clone(&self) -> Self {
        Self { prototype: Arc::clone(&self.prototype), next: None }
    }
}

impl fmt::Debug for StackService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StackService").finish_non_exhaustive()
    }
}

/// What makes calls.
trait Prototype: Send + Sync {
    /// Returns what has to be asked whether it is ready for a call, and then makes it; `None` where there is no need to ask.
    fn one_call(&self) -> Option<Pin<Box<dyn OneCall>>>;

    /// Makes a call without asking.
    fn call(&self, request: Request<Body>) -> CallFuture;
}

/// A service, of which there is a clone for each call.
struct Cloned<S>(S);

impl<S> Prototype for Cloned<S>
where
    S: Service<Request<Body>> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    fn one_call(&self) -> Option<Pin<Box<dyn OneCall>>> {
        Some(Box::pin(State::Ready { service: self.0.clone() }))
    }

    fn call(&self, request: Request<Body>) -> CallFuture {
        erase(Box::pin(self.0.clone().call(request)))
    }
}

struct AlwaysReady<C>(C);

impl<C> Prototype for AlwaysReady<C>
where
    C: Fn(Request<Body>) -> CallFuture + Send + Sync,
{
    fn one_call(&self) -> Option<Pin<Box<dyn OneCall>>> {
        None
    }

    fn call(&self, request: Request<Body>) -> CallFuture {
        self.0(request)
    }
}

/// A service that is used once.
trait OneCall: Send {
    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>>;
    fn call(self: Pin<Box<Self>>, request: Request<Body>) -> CallFuture;
}

pin_project! {
    /// A service, and then its future in the same place: one allocation for both.
    #[project = StateProj]
    enum State<S, F> {
        Ready { service: S },
        Calling { #[pin] future: F },
    }
}

impl<S> OneCall for State<S, S::Future>
where
    S: Service<Request<Body>> + Send + 'static,
    S::Future: Send + 'static,
{
    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match self.project() {
            StateProj::Ready { service } => {
                service.poll_ready(cx).map_err(|error| same(error).unwrap_or_else(Into::into))
            }
            StateProj::Calling { .. } => Poll::Ready(Ok(())),
        }
    }

    fn call(mut self: Pin<Box<Self>>, request: Request<Body>) -> CallFuture {
        if let StateProj::Ready { service } = self.as_mut().project() {
            let future = service.call(request);
            self.set(State::Calling { future });
        }
        erase(self)
    }
}

impl<S, F: Future> Future for State<S, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project() {
            // Nobody has it as a future before it was called.
            StateProj::Ready { .. } => Poll::Pending,
            StateProj::Calling { future } => future.poll(cx),
        }
    }
}

/// Erases a future of a service that answers and fails as the stack does: a look at its type is enough, and no answer is moved for it.
fn erase<F: Future + Send + 'static>(future: Pin<Box<F>>) -> CallFuture {
    let future: Pin<Box<dyn Future<Output = F::Output> + Send>> = future;
    same::<_, CallFuture>(future).unwrap_or_else(|error| Box::pin(ready(Err(error.into()))))
}

/// Takes a value of one type for that of another, which is the same.
fn same<T: 'static, U: 'static>(value: T) -> Result<U, &'static str> {
    let mut value = Some(value);
    let same = (&mut value as &mut dyn Any).downcast_mut::<Option<U>>();
    same.and_then(Option::take).ok_or("what was to be of the stack's own type is not")
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tower::limit::ConcurrencyLimit;
    use tower::{ServiceExt as _, service_fn};

    use super::*;

    fn one_at_a_time() -> StackService {
        let answer = service_fn(async |_: Request<Body>| Ok::<_, BoxError>(Response::new(Body::from("1"))));
        StackService::new(ConcurrencyLimit::new(answer, 1))
    }

    #[tokio::test]
    async fn a_clone_is_made_ready_by_itself() {
        let mut first = one_at_a_time();
        assert_eq!(first.ready().await.unwrap().call(Request::default()).await.unwrap().body().as_bytes(), b"1");
        first.ready().await.unwrap();
        let mut second = first.clone();
        assert!(second.ready().now_or_never().is_none(), "the first one has the place");
        assert_eq!(format!("{second:?}"), "StackService { .. }");
        drop(first);
        second.ready().now_or_never().unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_place_is_held_until_the_call_has_ended() {
        let mut service = one_at_a_time();
        let call = service.ready().await.unwrap().call(Request::default());
        assert!(service.ready().now_or_never().is_none());
        call.await.unwrap();
        service.ready().await.unwrap();
    }

    #[tokio::test]
    async fn what_answers_as_the_stack_does_is_erased_by_its_type_alone() {
        let mut service = StackService::of_same(one_at_a_time()).unwrap();
        for _ in 0..2 {
            assert_eq!(service.ready().await.unwrap().call(Request::default()).await.unwrap().body().as_bytes(), b"1");
        }
        let other = service_fn(async |_: Request<Body>| Ok::<_, std::io::Error>(Response::new(Body::from("1"))));
        assert!(StackService::of_same(other).is_err());
    }
}

//! A crate outside the workspace, with a layer of its own in each slot, against the public API alone.

use std::task::{Context, Poll};

use http::{Request, Response};
use magicbell::jwt::DiscardUserJwt;
use magicbell::{AttemptNumber, Body, BoxError, Client, Error, Operation};
use tower::{Layer, Service};

#[derive(Clone)]
struct Named(&'static str);

impl<S> Layer<S> for Named {
    type Service = NamedService<S>;

    fn layer(&self, inner: S) -> NamedService<S> {
        NamedService { inner, name: self.0 }
    }
}

#[derive(Clone)]
struct NamedService<S> {
    inner: S,
    name: &'static str,
}

impl<S> Service<Request<Body>> for NamedService<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = BoxError>,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> S::Future {
        let operation = request.extensions().get::<Operation>().map(Operation::name);
        println!("{}: {operation:?}, attempt {}", self.name, AttemptNumber::of(&request));
        self.inner.call(request)
    }
}

/// A client in a struct of one's own needs no type parameter.
struct App {
    client: Client,
}

fn app() -> Result<App, Error> {
    let client = Client::builder().token("a.project.token").layer(Named("call")).attempt_layer(Named("attempt")).build()?;
    Ok(App { client })
}

fn main() {
    let app = app().unwrap();
    drop(app.client.execute(DiscardUserJwt::new("id")));
}

//! Limits how long making a connection takes: name resolution, TCP and TLS together.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use magicbell_middleware::BoxError;
use magicbell_middleware::timeout::{Limit, TimeoutError};
use tower::{Service, ServiceExt as _};

use super::connection::BoxConnection;

/// A connector whose connections have to be made in time. `HttpConnector`'s own limit covers TCP alone.
///
/// hyper-util clones its connector for each request and carries it about in the request's future, so it is one pointer.
#[derive(Debug)]
pub(super) struct ConnectTimeout<C>(Arc<Limited<C>>);

#[derive(Debug)]
struct Limited<C> {
    connector: C,
    timeout: Duration,
}

impl<C> ConnectTimeout<C> {
    pub(super) fn new(connector: C, timeout: Duration) -> Self {
        Self(Arc::new(Limited { connector, timeout }))
    }
}

impl<C> Clone for ConnectTimeout<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C> Service<Uri> for ConnectTimeout<C>
where
    C: Service<Uri, Error: Into<BoxError>, Response: Send, Future: Send + 'static> + Clone + Send + 'static,
{
    type Response = BoxConnection<C::Response>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (connecting, timeout) = (self.0.connector.clone().oneshot(uri), self.0.timeout);
        // A box a connection, not a request: rare.
        Box::pin(async move {
            match tokio::time::timeout(timeout, connecting).await {
                Ok(connected) => connected.map(BoxConnection::new).map_err(Into::into),
                Err(_) => Err(TimeoutError::new(Limit::Connect, timeout).into()),
            }
        })
    }
}

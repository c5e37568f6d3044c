//! The server without its sockets.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use magicbell_middleware::{Body, BoxError};
use tower::Service;

use super::exchange::exchange_in_memory;
use super::server::Server;
use super::state::Shared;
use crate::error::TransportError;

impl Server {
    /// Returns a transport that hands requests to this server without a socket, for
    /// [`ClientBuilder::transport`](crate::ClientBuilder::transport).
    ///
    /// It is for tests in tokio's paused time, which doesn't wait for sockets: the server's rate limit and its delays keep that
    /// time, so a batch of hours under a quota runs in a moment. Faults that end a connection, or cut a body short, are errors
    /// of which nothing more is known.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use magicbell::{Client, testing::Server};
    ///
    /// let server = Server::builder().published_rate_limit().start().await?;
    /// let client =
    ///     Client::builder().token(server.token()).base_url(server.url()).transport(server.transport()).build()?;
    /// let start = tokio::time::Instant::now();
    /// client.jwt().discard_user_jwts(server.add_user_tokens("hana", 1_000)).run().await;
    /// assert!(start.elapsed().as_secs() >= 4 * 60, "200 a minute");
    /// assert_eq!(server.connections(), 0);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn transport(&self) -> Transport {
        Transport { shared: Arc::clone(&self.shared) }
    }
}

/// Hands requests to a [`Server`] without a socket: [`Server::transport`] makes one.
///
/// A tower service, for a stack of your own too:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), magicbell::BoxError> {
/// use http::Request;
/// use magicbell::{Body, testing::Server};
/// use tower::ServiceExt;
///
/// let server = Server::start().await?;
/// let request = Request::get(format!("{}/jwt/project", server.url())).body(Body::empty())?;
/// let response = server.transport().oneshot(request).await?;
/// assert_eq!(response.status(), 401, "no layer has authorized it");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Transport {
    shared: Arc<Shared>,
}

impl Service<Request<Body>> for Transport {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let request = request.map(|body| Bytes::copy_from_slice(body.as_bytes()));
        let answer = exchange_in_memory(Arc::clone(&self.shared), request);
        Box::pin(async move {
            let answer = answer.await.ok_or_else(|| TransportError::new(false, "a fault ended it"))?;
            Ok(answer.map(Body::from))
        })
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Transport").finish_non_exhaustive()
    }
}

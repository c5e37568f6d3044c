//! The typed client as a tower service.

use std::task::{Context, Poll};

use tower::Service;

use super::{Client, Execute};
use crate::endpoint::Endpoint;
use crate::error::Error;

/// The typed client is itself a tower service, for every endpoint, so tower's own layers can stand around it.
///
/// It is always ready: a call waits for its turn in its own future. Since it is a service for every endpoint, `svc.ready()`
/// alone can't infer which one is meant; `oneshot` and `call_all` can.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{jwt::FetchProjectTokens, testing::Server};
/// use tower::{ServiceBuilder, ServiceExt};
///
/// let server = Server::start().await?;
/// let service = ServiceBuilder::new().concurrency_limit(8).service(server.client());
/// let page = service.oneshot(FetchProjectTokens::builder().build()).await?;
/// assert_eq!(page.data.len(), 1);
/// # Ok(())
/// # }
/// ```
impl<E: Endpoint> Service<E> for Client {
    type Response = E::Response;
    type Error = Error;
    type Future = Execute<E::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, endpoint: E) -> Execute<E::Response> {
        self.execute(endpoint)
    }
}

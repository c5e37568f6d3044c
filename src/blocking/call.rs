//! One call, with settings of its own.

use std::time::Duration;

use http::{HeaderName, HeaderValue};

use super::Client;
use crate::client::Response;
use crate::endpoint::Endpoint;
use crate::error::Error;
use magicbell_middleware::retry::RetryPolicy;

/// One call, with settings of its own: made by [`Client::request`], carried out by [`send`](Self::send).
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = tokio::runtime::Runtime::new()?;
/// # let server = runtime.block_on(magicbell::testing::Server::start())?;
/// # let client = magicbell::Client::builder().token(server.token()).base_url(server.url()).build_blocking()?;
/// use magicbell::jwt::CreateUserJwt;
///
/// let request = CreateUserJwt::builder().external_id("user-42").build();
/// client.request(&request).header("x-login", "7").send()?;
/// assert_eq!(server.requests()[0].header("x-login"), Some("7"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a call does nothing until it is sent"]
pub struct Call<'a, E> {
    client: &'a Client,
    call: crate::Call<'a, E>,
}

impl<'a, E: Endpoint> Call<'a, E> {
    pub(super) fn new(client: &'a Client, call: crate::Call<'a, E>) -> Self {
        Self { client, call }
    }

    /// Sets how long the whole call may take, in place of the client's own limit.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { call: self.call.timeout(timeout), ..self }
    }

    /// Sets how often the request is sent at most: see [`Call::max_attempts`](crate::Call::max_attempts).
    pub fn max_attempts(self, max_attempts: u32) -> Self {
        Self { call: self.call.max_attempts(max_attempts), ..self }
    }

    /// Sets the whole policy of retries: see [`Call::retry`](crate::Call::retry).
    pub fn retry(self, retry: RetryPolicy) -> Self {
        Self { call: self.call.retry(retry), ..self }
    }

    /// Sets a header of the request: see [`Call::header`](crate::Call::header).
    pub fn header(self, name: impl TryInto<HeaderName>, value: impl TryInto<HeaderValue>) -> Self {
        Self { call: self.call.header(name, value), ..self }
    }

    /// Sets the `Idempotency-Key`: see [`Call::idempotency_key`](crate::Call::idempotency_key).
    pub fn idempotency_key(self, key: impl TryInto<HeaderValue>) -> Self {
        Self { call: self.call.idempotency_key(key), ..self }
    }

    /// Carries the call out, and waits for the whole answer.
    ///
    /// # Errors
    ///
    /// As of [`Call::send`](crate::Call::send); also [`ErrorKind::Configuration`](crate::ErrorKind::Configuration)
    /// [in async code](super#how-it-runs), where nothing is sent.
    pub fn send(self) -> Result<Response<E::Response>, Error> {
        self.client.block_on(async { self.call.send().await })?
    }
}

//! The client.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use magicbell_middleware::Safety;

use super::driver::Driver;
use super::{Call, JwtService, Paginated};
use crate::client::{ClientBuilder, client_builder};
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::pagination::Paginate;

/// A client whose calls wait for their answers: see [the module](super).
///
/// Cloning it is cheap, and clones share everything, as those of the [async client](crate::Client) do, and the thread too. Its
/// Debug shows no secret.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = tokio::runtime::Runtime::new()?;
/// # let server = runtime.block_on(magicbell::testing::Server::start())?;
/// use std::thread;
/// use magicbell::{Client, jwt::CreateUserJwt};
///
/// let client = Client::builder().token(server.token()).base_url(server.url()).build_blocking()?;
/// thread::scope(|scope| {
///     let log_in = |user| client.execute(CreateUserJwt::builder().external_id(user).expiry(3600).build());
///     let logins = ["hana", "omar"].map(|user| scope.spawn(move || log_in(user)));
///     logins.into_iter().for_each(|login| assert!(login.join().unwrap().is_ok()));
/// });
/// assert_eq!(server.user_tokens("omar").len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    client: crate::Client,
    driver: Arc<Driver>,
}

impl<S: client_builder::IsComplete> ClientBuilder<S> {
    /// Ends the settings, and makes a [blocking client](crate::blocking) of them.
    ///
    /// # Errors
    ///
    /// As of [`build`](Self::build); also where no thread can be started.
    pub fn build_blocking(self) -> Result<Client, Error> {
        Client::new(self.build()?)
    }
}

impl Client {
    /// Makes one of an async client, whose settings it has. Don't use that one beside it:
    /// [connections live where they were made](super#how-it-runs).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) where no thread can be started.
    pub fn new(client: crate::Client) -> Result<Self, Error> {
        Ok(Self { client, driver: Arc::new(Driver::start()?) })
    }

    /// Makes one from the environment, as [`magicbell::Client::from_env`](crate::Client::from_env) does.
    ///
    /// # Errors
    ///
    /// As of that; also where no thread can be started.
    #[cfg(feature = "_transport")]
    pub fn from_env() -> Result<Self, Error> {
        Self::new(crate::Client::from_env()?)
    }

    /// Executes a request, by value or by reference, and waits for what was read from the answer.
    ///
    /// # Errors
    ///
    /// As of [`magicbell::Client::execute`](crate::Client::execute); also
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) [in async code](super#how-it-runs), where nothing is sent.
    pub fn execute<E: Endpoint>(&self, endpoint: E) -> Result<E::Response, Error> {
        self.block_on(async { self.client.execute(endpoint).await })?
    }

    /// Begins a call with settings of its own, or whose whole answer is wanted.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let runtime = tokio::runtime::Runtime::new()?;
    /// # let server = runtime.block_on(magicbell::testing::Server::start())?;
    /// # let client = magicbell::Client::builder().token(server.token()).base_url(server.url()).build_blocking()?;
    /// # use std::time::Duration;
    /// # use magicbell::jwt::FetchProjectTokens;
    /// let request = FetchProjectTokens::builder().build();
    /// let response = client.request(&request).timeout(Duration::from_secs(5)).max_attempts(1).send()?;
    /// assert_eq!(response.status(), 200);
    /// # Ok(())
    /// # }
    /// ```
    pub fn request<E: Endpoint>(&self, endpoint: E) -> Call<'_, E> {
        Call::new(self, self.client.request(endpoint))
    }

    /// Reads every page of a list, one item at a time, as they are asked for: see
    /// [`magicbell::Client::paginate`](crate::Client::paginate).
    pub fn paginate<E: Paginate>(&self, first: E) -> Paginated<E> {
        Paginated::new(self, self.client.paginate(first))
    }

    /// Returns the operations as methods, many revocations among them.
    #[must_use]
    pub fn jwt(&self) -> JwtService<'_> {
        JwtService::new(self)
    }

    /// Returns how long nothing of a kind will be sent, since the service has asked for a pause: see
    /// [`magicbell::Client::paused_for`](crate::Client::paused_for).
    #[must_use]
    pub fn paused_for(&self, kind: Safety) -> Option<Duration> {
        self.client.paused_for(kind)
    }

    pub(super) fn as_async(&self) -> &crate::Client {
        &self.client
    }

    /// Waits for anything that the async client can do.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let runtime = tokio::runtime::Runtime::new()?;
    /// # let server = runtime.block_on(magicbell::testing::Server::start())?;
    /// # let client = magicbell::Client::builder().token(server.token()).base_url(server.url()).build_blocking()?;
    /// # server.add_user_tokens("hana", 50);
    /// let plan = client.wait(async |client| client.jwt().select_user_tokens("hana").plan().await)??;
    /// let report = client.wait(async |client| plan.revocations(client).run().await)?;
    /// assert!(report.is_complete());
    /// let verification = client.wait(async |client| plan.verify(client).await)??;
    /// assert!(verification.is_clean());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) [in async code](super#how-it-runs), where the work isn't begun.
    pub fn wait<'a, T>(&'a self, work: impl AsyncFnOnce(&'a crate::Client) -> T) -> Result<T, Error> {
        self.block_on(async { work(&self.client).await })
    }

    /// What a future needs a runtime for has to be in an `async` block: only there it has one.
    pub(super) fn block_on<F: Future>(&self, future: F) -> Result<F::Output, Error> {
        self.driver.wait(future)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("client", &self.client).finish_non_exhaustive()
    }
}

//! The server, as a test holds it.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;

use super::accept::accept;
use super::builder::ServerBuilder;
use super::fault::Fault;
use super::router::BASE_PATH;
use super::settings::Settings;
use super::state::Shared;
use super::tasks::Tasks;
use super::validation::NewToken;

/// The name of the token that authenticates at first.
const FIRST_NAME: &str = "Project token of the fake server";

/// A fake JwtService on a loopback port, over HTTP/1.1 and over HTTP/2 with prior knowledge.
///
/// It serves on the runtime that started it until it is dropped, which ends every connection.
/// See the [module's documentation](super) for an example.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::jwt::{DiscardProjectJwt, FetchProjectTokens};
/// use magicbell::testing::Server;
///
/// let server = Server::start().await?;
/// let client = server.client();
/// // It keeps tokens as the service does, the client's own too.
/// client.execute(DiscardProjectJwt::new(server.token_id())).await?;
/// let error = client.execute(FetchProjectTokens::builder().build()).await.unwrap_err();
/// assert!(error.is_unauthorized());
/// # Ok(())
/// # }
/// ```
pub struct Server {
    addr: SocketAddr,
    url: String,
    token: String,
    token_id: String,
    pub(super) shared: Arc<Shared>,
    tasks: Tasks,
}

impl Server {
    /// Starts a server on a free port of 127.0.0.1, on the Tokio runtime that this is called on.
    ///
    /// # Errors
    ///
    /// What binding the port says.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// A builder, for a server that differs from the usual one.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::new()
    }

    /// The base URL, `http://127.0.0.1:PORT/v2`, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address that the server listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The project token that authenticates: in the shape of a JWT, random, and worth nothing elsewhere.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The id of [`token`](Self::token). Once it is discarded, requests with the token get 401.
    #[must_use]
    pub fn token_id(&self) -> &str {
        &self.token_id
    }

    /// Queues a fault: the next request that matches it meets it, once those queued before it for
    /// the same request are used up.
    pub fn fail_next(&self, fault: Fault) {
        self.shared.lock().faults.queue(fault);
    }

    /// Lets every request that matches the fault meet it with the probability 1/`one_in`, as `seed`
    /// determines; never where `one_in` is 0. Queued faults come first. How often the fault
    /// applies ([`Fault::times`]) doesn't matter here.
    pub fn fail_randomly(&self, seed: u64, one_in: u32, fault: Fault) {
        self.shared.lock().faults.add_random(seed, one_in, fault);
    }

    /// Resets the next `count` connections on arrival, before anything is read from them. They
    /// count as [`connections`](Self::connections). Replaces a count set before.
    pub fn reset_connections(&self, count: usize) {
        self.shared.reset_connections(count);
    }

    /// Forgets all queued and random faults, all steps of [scripts](Self::on), and connections to reset.
    pub fn clear_faults(&self) {
        self.shared.scripts().clear();
        self.shared.lock().faults.clear();
        self.shared.reset_connections(0);
    }

    pub(super) async fn listen(addr: SocketAddr, settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared::new(settings));
        let (token_id, token) = first_token(&shared);
        let tasks = Tasks::new();
        tasks.spawn(accept(listener, Arc::clone(&shared), tasks.clone()));
        Ok(Self { addr, url: format!("http://{addr}{BASE_PATH}"), token, token_id, shared, tasks })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Server")
            .field("url", &self.url)
            .field("token_id", &self.token_id)
            .finish_non_exhaustive()
    }
}

/// Makes the token that authenticates at first: its id and its text.
fn first_token(shared: &Shared) -> (String, String) {
    let new = NewToken { name: Some(FIRST_NAME.to_owned()), user: None, expires_at: None };
    let mut state = shared.lock();
    let now = state.clock.now();
    let (record, token) = state.tokens.create(new, now);
    (record.id.to_string(), token)
}

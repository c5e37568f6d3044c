//! Builds a server.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::rate_limit::RateLimit;
use super::server::Server;
use super::settings::Settings;

const MINUTE: Duration = Duration::from_secs(60);
const PUBLISHED_READS: u32 = 250;
const PUBLISHED_WRITES: u32 = 200;

/// Builds a [`Server`]; [`Server::builder`] makes one.
///
/// Unless told otherwise, the server takes a free port of 127.0.0.1, has no rate limit, honours
/// idempotency keys, and has pages of 20 tokens, at most 100.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use magicbell::{jwt::FetchProjectTokens, testing::Server};
///
/// let server = Server::builder().rate_limit(1, 1, Duration::from_secs(60)).start().await?;
/// let (client, request) = (server.client(), FetchProjectTokens::builder().build());
/// client.execute(&request).await?;
/// let error = client.request(&request).max_attempts(1).send().await.unwrap_err();
/// assert!(error.is_rate_limited());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is started"]
pub struct ServerBuilder {
    addr: SocketAddr,
    settings: Settings,
}

impl ServerBuilder {
    pub(super) fn new() -> Self {
        Self { addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), settings: Settings::default() }
    }

    /// Listens on this address, which must be a loopback one; port 0 is any free port.
    pub fn bind(mut self, addr: SocketAddr) -> Self {
        self.addr = addr;
        self
    }

    /// Takes at most this many reads (GET, HEAD, OPTIONS) and this many writes (all others) in a
    /// window; beyond that answers 429 with `Retry-After`, the whole seconds until the window's end.
    ///
    /// Windows are fixed: one begins with the first request after the last one's end. Only requests
    /// with a valid token for a known operation count, and faults don't.
    pub fn rate_limit(mut self, reads_per_window: u32, writes_per_window: u32, window: Duration) -> Self {
        self.settings.rate_limit = Some(RateLimit { reads: reads_per_window, writes: writes_per_window, window });
        self
    }

    /// Takes what the service's documentation publishes: 250 reads and 200 writes a minute.
    pub fn published_rate_limit(self) -> Self {
        self.rate_limit(PUBLISHED_READS, PUBLISHED_WRITES, MINUTE)
    }

    /// Whether a creation with an `Idempotency-Key` that was used in the last 24 hours gets the
    /// first one's answer again (`true`, as unless told otherwise), or makes another token.
    pub fn honour_idempotency_keys(mut self, honour: bool) -> Self {
        self.settings.honour_idempotency_keys = honour;
        self
    }

    /// Puts at most this many tokens on a page, whatever `limit` asks for; 0 counts as 1.
    pub fn max_page_size(mut self, tokens: usize) -> Self {
        self.settings.max_page_size = tokens.max(1);
        self
    }

    /// Puts this many tokens on a page where there is no `limit`; 0 counts as 1. The maximum
    /// applies to it too.
    pub fn default_page_size(mut self, tokens: usize) -> Self {
        self.settings.default_page_size = tokens.max(1);
        self
    }

    /// Starts the server on the Tokio runtime that this is called on.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] where the address isn't a loopback one, otherwise what
    /// binding it says.
    pub async fn start(self) -> io::Result<Server> {
        if !self.addr.ip().is_loopback() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the address is not a loopback address"));
        }
        Server::listen(self.addr, self.settings.consistent()).await
    }
}

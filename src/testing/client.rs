//! A client for the server.

use super::Server;
use crate::client::Client;

impl Server {
    /// Makes a client for this server, with its token and every other setting at its default.
    ///
    /// # Panics
    ///
    /// Never: the server's own URL and token are of the kind that a client takes.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the server's own URL and token are of the kind that a client takes")]
    pub fn client(&self) -> Client {
        Client::builder().token(self.token()).base_url(self.url()).build().expect("the server's own settings")
    }
}

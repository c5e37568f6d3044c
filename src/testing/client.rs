//! A client for the server.

use super::Server;
use crate::client::Client;

impl Server {
    /// Makes a client for this server, with its token and every other setting at its default.
    ///
    /// Where the SDK is built without a transport of its own, requests are handed over without a socket, by
    /// [`transport`](Self::transport).
    ///
    /// # Panics
    ///
    /// Never: the server's own URL and token are of the kind that a client takes.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the server's own URL and token are of the kind that a client takes")]
    pub fn client(&self) -> Client {
        let client = Client::builder().token(self.token()).base_url(self.url());
        #[cfg(not(feature = "_transport"))]
        let client = client.transport(self.transport());
        client.build().expect("the server's own settings")
    }
}

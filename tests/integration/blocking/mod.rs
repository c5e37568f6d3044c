//! The blocking client.

mod calls;
mod in_async_code;
mod threads;

use magicbell::testing::Server;
use magicbell::{Client, blocking};
use tokio::runtime::Runtime;

/// A server on a runtime of its own, as it is for whoever has none.
struct Room {
    server: Server,
    _runtime: Runtime,
}

impl Room {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        Self { server: runtime.block_on(Server::start()).unwrap(), _runtime: runtime }
    }

    fn client(&self) -> blocking::Client {
        client(&self.server)
    }
}

fn client(server: &Server) -> blocking::Client {
    Client::builder().token(server.token()).base_url(server.url()).build_blocking().unwrap()
}

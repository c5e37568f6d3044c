//! Serves the fake until standard input ends: `cargo run --example fake_server -- 8080`.
//!
//! Without a port, or with 0, any free one is taken.

use std::error::Error;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};

use magicbell::testing::Server;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).map_or(Ok(0), |port| port.parse())?;
    let server = Server::builder().bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).start().await?;
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "MAGICBELL_API_URL={}", server.url())?;
    writeln!(stdout, "MAGICBELL_PROJECT_TOKEN={}", server.token())?;
    stdout.flush()?;
    tokio::task::spawn_blocking(|| io::copy(&mut io::stdin().lock(), &mut io::sink())).await??;
    Ok(())
}

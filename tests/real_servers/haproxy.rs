//! haproxy in front of a server.

use std::net::SocketAddr;

use crate::process::{Directory, Process, free_address};

/// The header in which haproxy tells the server which of its processes a request came through: 0 for the first.
pub(crate) const GENERATION: &str = "x-front-generation";

/// When a process of haproxy that was told to end does so at the latest.
///
/// Over HTTP/1 it ends idle connections at once, but a connection over which no request came yet stays until `timeout client`. The
/// client has such a connection where another became free before it was established.
const HARD_STOP: &str = "5s";

/// How haproxy is configured.
#[derive(Debug)]
pub(crate) struct Config {
    upstream: SocketAddr,
    frontend: String,
    bind: &'static str,
    server: String,
}

/// Passes everything on to the server at this address.
pub(crate) fn before(upstream: SocketAddr) -> Config {
    Config { upstream, frontend: String::new(), bind: "", server: String::new() }
}

impl Config {
    /// Adds a rule to the frontend.
    pub(crate) fn rule(mut self, rule: &str) -> Self {
        self.frontend.push_str(rule);
        self.frontend.push('\n');
        self
    }

    /// Speaks HTTP/2 from the first byte.
    pub(crate) fn http2(mut self) -> Self {
        self.bind = "proto h2";
        self
    }

    /// Adds parameters to the server that requests are passed on to.
    pub(crate) fn server(mut self, parameters: impl Into<String>) -> Self {
        self.server = parameters.into();
        self
    }

    pub(crate) async fn start(self) -> Haproxy {
        let address = free_address();
        let directory = Directory::create(&format!("haproxy-{}", address.port()));
        let mut process = self.run(address, &directory, 0, &[]);
        process.accepts(address).await;
        Haproxy { config: self, address, generation: 0, process, directory }
    }

    fn run(&self, address: SocketAddr, directory: &Directory, generation: u32, arguments: &[&str]) -> Process {
        let file = directory.write(&format!("haproxy-{generation}.cfg"), &self.text(address, generation));
        // `-db`: in the foreground.
        let arguments = [&["-db", "-f", file.to_str().unwrap()], arguments].concat();
        Process::start("haproxy", "haproxy", &arguments, directory.path().join(format!("output-{generation}")))
    }

    fn text(&self, address: SocketAddr, generation: u32) -> String {
        let Self { upstream, frontend, bind, server } = self;
        format!(
            "global
            maxconn 2000
            nbthread 2
            hard-stop-after {HARD_STOP}
            defaults
            mode http
            timeout connect 5s
            timeout client 30s
            timeout server 30s
            frontend front
            bind {address} {bind}
            http-request set-header {GENERATION} {generation}
            {frontend}
            default_backend back
            backend back
            server up {upstream} {server}\n"
        )
    }
}

/// A running haproxy.
#[derive(Debug)]
pub(crate) struct Haproxy {
    config: Config,
    address: SocketAddr,
    generation: u32,
    process: Process,
    directory: Directory,
}

impl Haproxy {
    pub(crate) fn url(&self) -> String {
        format!("http://{}/v2", self.address)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Reloads as the service's own script does: a new process takes the port over and asks the old one to end once what it has in
    /// flight is answered. Returns when the old one has.
    pub(crate) async fn reload(&mut self) {
        self.generation += 1;
        let old = self.process.id().to_string();
        let new = self.config.run(self.address, &self.directory, self.generation, &["-sf", &old]);
        let mut old = std::mem::replace(&mut self.process, new);
        old.ended().await;
        self.process.accepts(self.address).await;
    }

    /// Ends it at once, with whatever is in flight.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }
}

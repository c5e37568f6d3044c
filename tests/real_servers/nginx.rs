//! nginx in front of a server.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use crate::process::{Directory, Process, free_address};

/// The header in which nginx tells the server over which protocol a request came.
pub(crate) const PROTOCOL: &str = "x-front-protocol";

/// A path that nginx answers itself, without a line in its log.
const LAST: &str = "/last";

/// How nginx is configured.
#[derive(Debug)]
pub(crate) struct Config {
    upstream: SocketAddr,
    http: String,
    server: String,
    listen: &'static str,
    pass: &'static str,
}

/// Passes everything on to the server at this address, the path as it came.
pub(crate) fn before(upstream: SocketAddr) -> Config {
    Config { upstream, http: String::new(), server: String::new(), listen: "", pass: "http://up" }
}

impl Config {
    /// Adds directives to `http`.
    pub(crate) fn http(mut self, directives: &str) -> Self {
        self.http.push_str(directives);
        self
    }

    /// Adds directives to `server`.
    pub(crate) fn server(mut self, directives: &str) -> Self {
        self.server.push_str(directives);
        self
    }

    /// Adds parameters to `listen`.
    pub(crate) fn listen(mut self, parameters: &'static str) -> Self {
        self.listen = parameters;
        self
    }

    /// Passes requests on to this in place of `http://up`.
    pub(crate) fn pass(mut self, to: &'static str) -> Self {
        self.pass = to;
        self
    }

    pub(crate) async fn start(self) -> Nginx {
        let address = free_address();
        let directory = Directory::create(&format!("nginx-{}", address.port()));
        let file = directory.write("nginx.conf", &self.text(address, directory.path()));
        let prefix = directory.path().to_str().unwrap();
        let arguments = ["-p", prefix, "-c", file.to_str().unwrap(), "-e", "stderr"];
        let mut process = Process::start("nginx", "nginx-light", &arguments, directory.path().join("output"));
        process.accepts(address).await;
        Nginx { address, process, directory }
    }

    /// One process, so that ending it ends all of nginx; nothing outside of its directory is written, so that any user can run it.
    fn text(&self, address: SocketAddr, directory: &Path) -> String {
        let Self { upstream, http, server, listen, pass } = self;
        let directory = directory.display();
        format!(
            "daemon off;
            master_process off;
            pid {directory}/pid;
            error_log stderr warn;
            events {{ worker_connections 2048; }}
            http {{
              log_format short '$request_method $status';
              access_log {directory}/access.log short;
              client_body_temp_path {directory}/body;
              proxy_temp_path {directory}/proxy;
              fastcgi_temp_path {directory}/fastcgi;
              uwsgi_temp_path {directory}/uwsgi;
              scgi_temp_path {directory}/scgi;
              proxy_http_version 1.1;
              proxy_set_header Connection '';
              proxy_set_header {PROTOCOL} $server_protocol;
              upstream up {{ server {upstream}; keepalive 64; }}
              {http}
              server {{
                listen {address} {listen};
                {server}
                location / {{ proxy_pass {pass}; }}
                location = {LAST} {{ access_log off; return 204; }}
              }}
            }}"
        )
    }
}

/// A running nginx.
#[derive(Debug)]
pub(crate) struct Nginx {
    address: SocketAddr,
    process: Process,
    directory: Directory,
}

impl Nginx {
    /// The base URL, in plain HTTP.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/v2", self.address)
    }

    /// The base URL, in TLS.
    pub(crate) fn https_url(&self) -> String {
        format!("https://{}/v2", self.address)
    }

    /// Ends it, and returns the method and the status of each request before.
    pub(crate) fn access_log(mut self) -> Vec<String> {
        // nginx is one process that does one thing after the other. So where it has answered this, it has written the lines of
        // all that it had answered before.
        self.ask_for_the_last();
        self.process.kill();
        let log = std::fs::read_to_string(self.directory.path().join("access.log")).unwrap();
        log.lines().map(str::to_owned).collect()
    }

    fn ask_for_the_last(&self) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        write!(stream, "GET {LAST} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    }
}

//! A client that shows what a server sends: parsed, and byte by byte.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Version};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use magicbell::testing::Server;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than anything that is expected to end takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// An answer, parsed.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) version: Version,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Reply {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().expect("text")
    }

    pub(super) fn text(&self, field: &str) -> String {
        self.json()[field].as_str().unwrap_or_else(|| panic!("no {field} in {:?}", self.body)).to_owned()
    }

    /// The first code of the error envelope.
    pub(super) fn code(&self) -> String {
        self.json()["errors"][0]["code"].as_str().expect("a code").to_owned()
    }

    /// The ids of a list.
    pub(super) fn ids(&self) -> Vec<String> {
        let json = self.json();
        let tokens = json["data"].as_array().expect("a list");
        tokens.iter().map(|token| token["id"].as_str().expect("an id").to_owned()).collect()
    }
}

/// A request with the server's token; the path begins after the base URL.
pub(super) fn request(server: &Server, method: &str, path: &str, body: &str) -> Request<Full<Bytes>> {
    let request = Request::builder().method(method).uri(format!("{}{path}", server.url()));
    let request = request.header("authorization", format!("Bearer {}", server.token()));
    request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).expect("a request")
}

/// Sends a request on a connection of its own.
pub(super) async fn send(request: Request<Full<Bytes>>) -> Result<Reply, Box<dyn std::error::Error + Send + Sync>> {
    let client = Client::builder(TokioExecutor::new()).retry_canceled_requests(false).build_http();
    exchange(&client, request).await
}

/// Sends a request on a connection of HTTP/2.
pub(super) async fn send_http2(
    request: Request<Full<Bytes>>,
) -> Result<Reply, Box<dyn std::error::Error + Send + Sync>> {
    exchange(&http2_client(), request).await
}

pub(super) type HttpClient = Client<hyper_util::client::legacy::connect::HttpConnector, Full<Bytes>>;

pub(super) fn http2_client() -> HttpClient {
    Client::builder(TokioExecutor::new()).http2_only(true).retry_canceled_requests(false).build_http()
}

pub(super) async fn exchange(
    client: &HttpClient,
    request: Request<Full<Bytes>>,
) -> Result<Reply, Box<dyn std::error::Error + Send + Sync>> {
    let (parts, body) = client.request(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(Reply { status: parts.status.as_u16(), version: parts.version, headers: parts.headers, body })
}

pub(super) async fn get(server: &Server, path: &str) -> Reply {
    send(request(server, "GET", path, "")).await.expect("an answer")
}

pub(super) async fn post(server: &Server, path: &str, body: &str) -> Reply {
    send(request(server, "POST", path, body)).await.expect("an answer")
}

pub(super) async fn delete(server: &Server, path: &str) -> Reply {
    send(request(server, "DELETE", path, "")).await.expect("an answer")
}

/// What a raw client got before the connection ended, and how it ended.
#[derive(Debug)]
pub(super) struct RawReply {
    pub(super) bytes: Vec<u8>,
    pub(super) end: io::Result<()>,
}

impl RawReply {
    pub(super) fn head(&self) -> String {
        self.split().0
    }

    pub(super) fn body(&self) -> Vec<u8> {
        self.split().1
    }

    fn split(&self) -> (String, Vec<u8>) {
        let end = self.bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
        (String::from_utf8_lossy(&self.bytes[..end]).into_owned(), self.bytes[end..].to_vec())
    }
}

/// Writes a request for a path under the base URL and reads to the connection's end.
pub(super) async fn raw(server: &Server, method: &str, path: &str) -> RawReply {
    let mut stream = raw_stream(server, method, path).await;
    read_to_end(&mut stream).await
}

pub(super) async fn raw_stream(server: &Server, method: &str, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.addr()).await.expect("a connection");
    stream.write_all(raw_request(server, method, path).as_bytes()).await.expect("a request");
    stream
}

pub(super) fn raw_request(server: &Server, method: &str, path: &str) -> String {
    format!("{method} /v2{path} HTTP/1.1\r\nhost: fake\r\nauthorization: Bearer {}\r\n\r\n", server.token())
}

pub(super) async fn read_to_end(stream: &mut TcpStream) -> RawReply {
    let mut bytes = Vec::new();
    let end = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("an end");
    RawReply { bytes, end: end.map(drop) }
}

/// Lets other tasks run until the condition holds.
pub(super) async fn until(condition: impl Fn() -> bool) {
    let met = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, met).await.expect("the condition holds in time");
}

/// A client of the server, but for its sockets, with every setting at its default.
pub(super) fn without_sockets(server: &Server) -> magicbell::Client {
    let client = magicbell::Client::builder().token(server.token()).base_url(server.url());
    client.transport(server.transport()).build().expect("a client")
}

/// The message of the panic that this ends in.
pub(super) fn panic_message(panics: impl FnOnce()) -> String {
    let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).expect_err("a panic");
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(|&text| text.to_owned())).expect("a message")
}

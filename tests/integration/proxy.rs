//! A proxy carries the connection and never sees the token.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use magicbell::jwt::{CreateProjectJwt, FetchProjectTokens};
use magicbell::testing::Server;
use magicbell::{Client, ErrorKind, Outcome};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::quick;
use crate::tls;

/// Everything that clients sent through a proxy.
type Carried = Arc<Mutex<Vec<u8>>>;

/// A proxy that answers CONNECT with a line, and carries on from there if it is a 200.
async fn proxy(answer: &'static str) -> (SocketAddr, Carried) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let carried = Carried::default();
    let log = Arc::clone(&carried);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(carry(client, answer, Arc::clone(&log)));
        }
    });
    (address, carried)
}

async fn carry(mut client: TcpStream, answer: &'static str, carried: Carried) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    carried.lock().unwrap().extend_from_slice(&head);
    client.write_all(answer.as_bytes()).await.unwrap();
    if !answer.starts_with("HTTP/1.1 200") {
        return;
    }
    let head = String::from_utf8(head).unwrap();
    let target = head.split(' ').nth(1).unwrap().replace("localhost", "127.0.0.1");
    let (mut server_read, mut server_write) = TcpStream::connect(target).await.unwrap().into_split();
    let (mut client_read, mut client_write) = client.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut server_read, &mut client_write).await });
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = client_read.read(&mut buffer).await {
        carried.lock().unwrap().extend_from_slice(&buffer[..read]);
        server_write.write_all(&buffer[..read]).await.unwrap();
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn it_carries_the_connection_and_never_sees_the_token() {
    let authority = tls::authority();
    let (server, mut versions) = tls::serve(&authority, "localhost", &["h2", "http/1.1"], |_| {}).await;
    let (proxy, carried) = proxy("HTTP/1.1 200 Connection established\r\n\r\n").await;
    let client = Client::builder()
        .token("canary-token")
        .base_url(format!("https://localhost:{}/v2", server.port()))
        .root_certificates(authority.pem())
        .proxy(format!("http://user:p%40ss@{proxy}"))
        .build()
        .unwrap();
    client.execute(FetchProjectTokens::builder().build()).await.unwrap();
    assert_eq!(versions.recv().await, Some(http::Version::HTTP_2));

    let carried = carried.lock().unwrap().clone();
    assert!(contains(&carried, &format!("CONNECT localhost:{} HTTP/1.1\r\n", server.port())));
    assert!(contains(&carried, "Basic dXNlcjpwQHNz"), "base64 of user:p@ss");
    assert!(carried.len() > 500, "TLS went through it");
    assert!(!contains(&carried, "canary-token") && !contains(&carried, "Bearer"));
    assert!(!format!("{client:?}").contains("p@ss"));
}

#[tokio::test]
async fn one_that_refuses_means_not_sent() {
    for answer in ["HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "HTTP/1.1 502 Bad Gateway\r\n\r\n"] {
        let (proxy, carried) = proxy(answer).await;
        let client = Client::builder()
            .token("canary-token")
            .base_url("https://localhost:1/v2")
            .proxy(format!("http://user:canary-password@{proxy}"))
            .retry(quick())
            .build()
            .unwrap();
        let error = client.execute(CreateProjectJwt::builder().name("x").build()).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Connect, Outcome::NotSent));
        let text = format!("{error:?} {error:#?}");
        assert!(!text.contains("canary") && !text.contains("Y2FuYXJ5"), "{text}");
        assert!(!contains(&carried.lock().unwrap(), "canary-token"));
    }
}

#[test]
fn a_plain_http_base_url_is_refused_with_it() {
    let builder = Client::builder().token("t").base_url("http://127.0.0.1:1/v2").proxy("http://127.0.0.1:2");
    assert_eq!(builder.build().unwrap_err().kind(), ErrorKind::Configuration);
}

#[tokio::test]
async fn the_environments_proxy_is_not_asked() {
    // The variables are a process's own, so the client is in another one.
    let (proxy, carried) = proxy("HTTP/1.1 502 Bad Gateway\r\n\r\n").await;
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "proxy::child_calls_with_a_proxy_in_its_environment"]).env("MAGICBELL_TEST_CHILD", "1");
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(name, format!("http://{proxy}"));
    }
    assert!(child.status().await.unwrap().success());
    assert!(carried.lock().unwrap().is_empty());
}

/// The other side of the test above: without it, there is nothing to do.
#[tokio::test]
async fn child_calls_with_a_proxy_in_its_environment() {
    if std::env::var_os("MAGICBELL_TEST_CHILD").is_some() {
        let server = Server::start().await.unwrap();
        server.client().execute(FetchProjectTokens::builder().build()).await.unwrap();
    }
}

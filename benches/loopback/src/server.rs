//! The server: a process of its own, so that its CPU time isn't the client's.

use std::convert::Infallible;
use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::protocol::Protocol;

/// Listens, and says on standard output where, and by which certificate.
pub(crate) async fn serve(protocol: Protocol) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    let key = PrivateKeyDer::try_from(signing_key.serialize_der())?;
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert.der().clone()], key)?;
    config.alpn_protocols = vec![if protocol.is_http2() { b"h2".to_vec() } else { b"http/1.1".to_vec() }];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    println!("{}\n{}", listener.local_addr()?.port(), cert.pem().replace(['\r', '\n'], "|"));
    std::io::stdout().flush()?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            if !protocol.is_tls() {
                answer_all(stream).await;
            } else if let Ok(stream) = acceptor.accept(stream).await {
                answer_all(stream).await;
            }
        });
    }
}

async fn answer_all(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
    let builder = auto::Builder::new(TokioExecutor::new());
    // An error is the client's end, which is its own to report.
    let _ = builder.serve_connection(TokioIo::new(stream), service_fn(discard)).await;
}

async fn discard(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let id = request.uri().path().rsplit('/').next().unwrap_or_default();
    let body = format!(r#"{{"discarded_at":"2021-01-01T00:00:00Z","token_id":"{id}"}}"#);
    let mut answer = Response::new(Full::from(body));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(answer)
}

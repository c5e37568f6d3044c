//! TLS, for real: certificates made by the test, a server that speaks it.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::rt::{TokioExecutor, TokioIo};
use magicbell::jwt::{CreateProjectJwt, FetchProjectTokens};
use magicbell::{Client, ErrorKind, Outcome, RetryPolicy};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SupportedProtocolVersion};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_rustls::TlsAcceptor;

pub(crate) fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Serves an empty list over TLS, and tells the HTTP version of each request.
pub(crate) async fn serve(
    authority: &CertifiedIssuer<'static, KeyPair>,
    name: &str,
    alpn: &[&str],
    change: impl FnOnce(&mut CertificateParams),
) -> (SocketAddr, UnboundedReceiver<http::Version>) {
    serve_versions(authority, name, alpn, rustls::ALL_VERSIONS, change).await
}

async fn serve_versions(
    authority: &CertifiedIssuer<'static, KeyPair>,
    name: &str,
    alpn: &[&str],
    versions: &[&'static SupportedProtocolVersion],
    change: impl FnOnce(&mut CertificateParams),
) -> (SocketAddr, UnboundedReceiver<http::Version>) {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, versions) = unbounded_channel();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, sender) = (acceptor.clone(), sender.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = hyper::service::service_fn(move |request: http::Request<_>| {
                    sender.send(request.version()).unwrap();
                    std::future::ready(Ok::<_, std::convert::Infallible>(http::Response::new(Full::new(Bytes::from(
                        "{}",
                    )))))
                });
                let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    (address, versions)
}

fn client(address: SocketAddr, root: Option<String>) -> Client {
    let builder = Client::builder().token("t").base_url(format!("https://localhost:{}/v2", address.port()));
    let builder = match root {
        Some(pem) => builder.root_certificates(pem),
        None => builder,
    };
    builder.retry(RetryPolicy::default()).build().unwrap()
}

#[tokio::test]
async fn alpn_decides_between_http_1_and_2() {
    let authority = authority();
    for (alpn, version) in [
        (&["h2", "http/1.1"][..], http::Version::HTTP_2),
        (&["http/1.1"], http::Version::HTTP_11),
        (&[], http::Version::HTTP_11),
    ] {
        let (address, mut versions) = serve(&authority, "localhost", alpn, |_| {}).await;
        let client = client(address, Some(authority.pem()));
        client.execute(FetchProjectTokens::builder().build()).await.unwrap();
        assert_eq!(versions.recv().await, Some(version));
    }
}

#[tokio::test]
async fn http_1_alone_is_spoken_where_that_is_asked_for() {
    let authority = authority();
    let (address, mut versions) = serve(&authority, "localhost", &["h2", "http/1.1"], |_| {}).await;
    let builder = Client::builder().token("t").base_url(format!("https://localhost:{}/v2", address.port()));
    let client = builder.root_certificates(authority.pem()).http1_only(true).build().unwrap();
    client.execute(FetchProjectTokens::builder().build()).await.unwrap();
    assert_eq!(versions.recv().await, Some(http::Version::HTTP_11));
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken() {
    let authority = authority();
    for version in [&TLS12, &TLS13] {
        for alpn in [&["h2"][..], &["http/1.1"]] {
            let (address, _versions) = serve_versions(&authority, "localhost", alpn, &[version], |_| {}).await;
            client(address, Some(authority.pem())).execute(FetchProjectTokens::builder().build()).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_certificate_that_can_not_be_trusted_sends_nothing_and_is_not_retried() {
    let authority = authority();
    let expired = |params: &mut CertificateParams| params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let not_yet = |params: &mut CertificateParams| params.not_before = rcgen::date_time_ymd(2999, 1, 1);
    let cases = [
        (serve(&authority, "localhost", &[], |_| {}).await, None),
        (serve(&authority, "elsewhere.example", &[], |_| {}).await, Some(authority.pem())),
        (serve(&authority, "localhost", &[], expired).await, Some(authority.pem())),
        (serve(&authority, "localhost", &[], not_yet).await, Some(authority.pem())),
    ];
    for ((address, mut versions), root) in cases {
        let error = client(address, root).execute(CreateProjectJwt::builder().name("x").build()).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Tls, Outcome::NotSent), "{error:?}");
        assert_eq!(error.attempts().len(), 1);
        assert!(error.is_connect() && !error.is_retryable());
        assert!(versions.try_recv().is_err());
    }
}

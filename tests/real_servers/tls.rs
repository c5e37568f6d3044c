//! HTTP/2 and HTTP/1.1 through nginx with TLS, chosen by ALPN.

use futures_util::future::join_all;
use magicbell::jwt::{DiscardUserJwt, FetchUserTokens};
use magicbell::testing::Server;
use magicbell::{Client, ErrorKind, Outcome};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::nginx::{self, Nginx, PROTOCOL};
use crate::process::Directory;
use crate::support::{create, creates, made, quick, server_without_keys};

/// Starts nginx with a certificate for 127.0.0.1; returns the authority's in PEM.
async fn start(server: &Server, name: &str, listen: &'static str, directives: &str) -> (Nginx, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    // nginx reads them before it accepts connections, so they can go then.
    let files = Directory::create(&format!("tls-{name}"));
    let certificate = files.write("certificate.pem", &certificate.pem());
    let key = files.write("key.pem", &key.serialize_pem());
    let (certificate, key) = (certificate.display(), key.display());
    let tls = format!("ssl_certificate {certificate}; ssl_certificate_key {key}; {directives}");
    (nginx::before(server.addr()).listen(listen).server(&tls).start().await, authority.pem())
}

fn client(server: &Server, nginx: &Nginx, root: String) -> Client {
    let builder = Client::builder().token(server.token()).base_url(nginx.https_url()).retry(quick());
    builder.root_certificates(root).build().unwrap()
}

#[tokio::test]
async fn nginx_is_spoken_to_in_the_version_that_it_offers() {
    for (name, listen, protocol) in [("alpn-2", "ssl http2", "HTTP/2.0"), ("alpn-1", "ssl", "HTTP/1.1")] {
        let server = Server::start().await.unwrap();
        let (nginx, root) = start(&server, name, listen, "").await;
        let client = client(&server, &nginx, root);
        client.execute(create(1)).await.unwrap();
        let ids = server.add_user_tokens("user", 100);
        for result in join_all(ids.iter().map(|id| client.execute(DiscardUserJwt::new(id)))).await {
            result.unwrap();
        }
        assert_eq!(server.request_count(), 101);
        assert!(server.requests().iter().all(|request| request.headers[PROTOCOL] == protocol));
    }
}

#[tokio::test]
async fn an_authority_that_was_not_given_is_not_trusted() {
    let server = Server::start().await.unwrap();
    let (nginx, _) = start(&server, "untrusted", "ssl http2", "").await;
    let client = Client::builder().token(server.token()).base_url(nginx.https_url()).retry(quick()).build().unwrap();
    let error = client.execute(create(1)).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Tls, Outcome::NotSent), "{error:?}");
    assert_eq!(server.request_count(), 0);
}

/// After so many requests nginx sends GOAWAY, and ignores the streams of that connection that come after the last it names: they
/// were not sent (RFC 9113, section 6.8), and are sent again over the next.
const REQUESTS_A_CONNECTION: &str = "keepalive_requests 50;";

#[tokio::test]
async fn calls_over_http_2_are_answered_where_connections_end_after_fifty() {
    let server = Server::start().await.unwrap();
    let (nginx, root) = start(&server, "goaway-calls", "ssl http2", REQUESTS_A_CONNECTION).await;
    let client = client(&server, &nginx, root);
    for _ in 0..200 {
        client.execute(FetchUserTokens::builder().user_id("user").build()).await.unwrap();
    }
    let ids = server.add_user_tokens("user", 500);
    let report = client.jwt().discard_user_jwts(&ids).concurrency(16).run().await;
    assert_eq!(report.total(), 500);
    assert!(report.is_complete(), "{report:?}");
    assert!(ids.iter().all(|id| server.is_discarded(id) == Some(true)));
}

#[tokio::test]
async fn creates_over_http_2_make_one_token_each_where_connections_end_after_fifty() {
    for concurrency in [1, 16] {
        let server = server_without_keys().await;
        let (nginx, root) = start(&server, "goaway-creates", "ssl http2", REQUESTS_A_CONNECTION).await;
        let results = creates(&client(&server, &nginx, root), 500, concurrency).await;
        let made = made(&server, &results);
        println!("{concurrency} creates at once over HTTP/2: {made:?}");
        // Under load a stream can be passed over three times, and then its create has not been sent.
        assert_eq!((made.answered + made.not_sent, server.request_count()), (500, made.answered), "{made:?}");
        assert!(made.answered == 500 || concurrency > 1, "{made:?}");
    }
}

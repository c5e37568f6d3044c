//! The clients, each of which discards one token at a time: its request is made when it is called, and what it returns sends it.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, USER_AGENT};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Method, Request, Uri, uri};
use http_body_util::{BodyExt as _, Full};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use magicbell::Client;
use magicbell::jwt::{DiscardTokenResponse, DiscardUserJwt};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::protocol::Protocol;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;
type Connector = HttpsConnector<HttpConnector>;

const TOKEN: &str = "a.project.token";

/// Where the server is, and how to trust it.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) protocol: Protocol,
    pub(crate) port: u16,
    pub(crate) pem: String,
}

impl Target {
    fn scheme(&self) -> Scheme {
        if self.protocol.is_tls() { Scheme::HTTPS } else { Scheme::HTTP }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("{}://127.0.0.1:{}/v2", self.scheme(), self.port)
    }

    fn certificate(&self) -> Result<CertificateDer<'static>> {
        Ok(CertificateDer::from_pem_slice(self.pem.as_bytes())?)
    }
}

pub(crate) fn magicbell(target: &Target) -> Result<Client> {
    let builder = Client::builder().token(TOKEN).base_url(target.base_url());
    let builder = builder.http2_prior_knowledge(target.protocol == Protocol::Http2);
    Ok(builder.root_certificates(target.pem.as_bytes()).build()?)
}

pub(crate) fn by_magicbell(client: &Client, id: String) -> impl Future<Output = ()> + use<> {
    let call = client.execute(DiscardUserJwt::new(id));
    async { drop(call.await.unwrap()) }
}

/// The same in an `async fn`: the call is made, and its memory allocated, only when it is first polled.
pub(crate) async fn by_magicbell_in_an_async_fn(client: &Client, id: String) {
    client.execute(DiscardUserJwt::new(id)).await.unwrap();
}

/// hyper-util's client, and requests written by hand: with the headers that magicbell sends, and no limit on time.
#[derive(Debug, Clone)]
pub(crate) struct Bare {
    client: legacy::Client<Connector, Full<Bytes>>,
    scheme: Scheme,
    authority: Authority,
    headers: HeaderMap,
}

impl Bare {
    pub(crate) fn new(target: &Target, keep_alive: bool) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(target.certificate()?)?;
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let mut http = HttpConnector::new();
        http.set_nodelay(true);
        http.enforce_http(false);
        let connector = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(config).https_or_http();
        let connector = connector.enable_all_versions().wrap_connector(http);
        let mut builder = legacy::Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new()).http2_only(target.protocol == Protocol::Http2);
        if keep_alive {
            let interval = Duration::from_secs(5);
            builder.timer(TokioTimer::new()).http2_keep_alive_interval(interval).http2_keep_alive_timeout(interval);
        }
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static("magicbell-rust/0.1.0"));
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer a.project.token"));
        let authority = Authority::from_maybe_shared(Bytes::from(format!("127.0.0.1:{}", target.port)))?;
        Ok(Self { client: builder.build(connector), scheme: target.scheme(), authority, headers })
    }

    pub(crate) fn discard(&self, id: String) -> impl Future<Output = ()> + use<> {
        let mut parts = uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        let path = Bytes::from(format!("/v2/jwt/user/{id}"));
        parts.path_and_query = Some(PathAndQuery::from_maybe_shared(path).unwrap());
        let mut request = Request::new(Full::default());
        *request.method_mut() = Method::DELETE;
        *request.uri_mut() = Uri::from_parts(parts).unwrap();
        *request.headers_mut() = self.headers.clone();
        let call = self.client.request(request);
        async move {
            let answer = call.await.unwrap();
            assert!(answer.status().is_success());
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            let discarded: DiscardTokenResponse = serde_json::from_slice(&body).unwrap();
            assert_eq!(discarded.token_id, id);
        }
    }
}

/// reqwest, as its own documents show it.
#[derive(Debug, Clone)]
pub(crate) struct Reqwest {
    client: reqwest::Client,
    base_url: String,
}

impl Reqwest {
    pub(crate) fn new(target: &Target) -> Result<Self> {
        let certificate = reqwest::Certificate::from_pem(target.pem.as_bytes())?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let mut builder = reqwest::Client::builder().user_agent("magicbell-rust/0.1.0").default_headers(headers);
        if target.protocol.is_tls() {
            builder = builder.tls_certs_only([certificate]);
        }
        if target.protocol == Protocol::Http2 {
            builder = builder.http2_prior_knowledge();
        }
        Ok(Self { client: builder.build()?, base_url: target.base_url() })
    }

    pub(crate) fn discard(&self, id: String) -> impl Future<Output = ()> + use<> {
        let request = self.client.delete(format!("{}/jwt/user/{id}", self.base_url)).bearer_auth(TOKEN);
        let call = request.send();
        async move {
            let answer = call.await.unwrap().error_for_status().unwrap();
            let discarded: DiscardTokenResponse = answer.json().await.unwrap();
            assert_eq!(discarded.token_id, id);
        }
    }
}

/// Installs ring, which reqwest has to be told of.
pub(crate) fn install_provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

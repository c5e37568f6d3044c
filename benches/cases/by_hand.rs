//! The floor: the same requests, written by hand, with the headers that the client sends.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, uri};
use http_body_util::{BodyExt as _, Full};
use magicbell::jwt::{AccessTokenCollection, CreateTokenResponse, DiscardTokenResponse};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::ServiceExt as _;
use uuid::Uuid;

use super::in_memory::{ID, InMemory};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Requests by hand: URI, headers, send, collect, decode.
#[derive(Debug, Clone)]
pub(crate) struct ByHand {
    headers: HeaderMap,
    transport: InMemory,
}

/// A create's body.
#[derive(Serialize)]
struct Create<'a> {
    external_id: &'a str,
    expiry: u64,
    name: &'a str,
}

impl ByHand {
    pub(crate) fn new(transport: InMemory) -> Self {
        Self { headers: headers(), transport }
    }

    pub(crate) async fn discard(&self, id: &str) -> DiscardTokenResponse {
        let discarded: DiscardTokenResponse =
            self.send(Method::DELETE, uri(&format!("/v2/jwt/user/{id}")), Bytes::new()).await;
        assert!(discarded.token_id.eq_ignore_ascii_case(id));
        discarded
    }

    /// The same, by somebody who has measured: nothing is parsed that is known, and the path is written once.
    pub(crate) async fn discard_leanly(&self, id: &str) -> DiscardTokenResponse {
        let discarded: DiscardTokenResponse = self.send(Method::DELETE, lean_uri(id), Bytes::new()).await;
        assert!(discarded.token_id.eq_ignore_ascii_case(id));
        discarded
    }

    pub(crate) async fn create(&self, external_id: &str) -> CreateTokenResponse {
        let body = serde_json::to_vec(&Create { external_id, expiry: 3600, name: "inbox" }).unwrap();
        self.send(Method::POST, uri("/v2/jwt/user"), body.into()).await
    }

    pub(crate) async fn list(&self, user_id: &str) -> AccessTokenCollection {
        self.send(Method::GET, uri(&format!("/v2/jwt/user/{user_id}?limit=100")), Bytes::new()).await
    }

    async fn send<T: DeserializeOwned>(&self, method: Method, uri: Uri, body: Bytes) -> T {
        let mut headers = self.headers.clone();
        if method == Method::POST {
            let mut key = Uuid::encode_buffer();
            let key = Uuid::new_v4().hyphenated().encode_lower(&mut key);
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_str(key).unwrap());
        }
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        let answer = self.transport.oneshot(request).await.unwrap();
        assert!(answer.status().is_success());
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&bytes).unwrap()
    }
}

fn uri(path_and_query: &str) -> Uri {
    let uri = Uri::builder().scheme("https").authority("api.magicbell.com");
    uri.path_and_query(path_and_query).build().unwrap()
}

fn lean_uri(id: &str) -> Uri {
    let mut path = String::with_capacity(64);
    path.push_str("/v2/jwt/user/");
    path.push_str(id);
    let mut parts = uri::Parts::default();
    parts.scheme = Some(Scheme::HTTPS);
    parts.authority = Some(Authority::from_static("api.magicbell.com"));
    parts.path_and_query = Some(PathAndQuery::from_maybe_shared(Bytes::from(path)).unwrap());
    Uri::from_parts(parts).unwrap()
}

/// Makes a discard for the layers to send, its headers still to come.
pub(crate) fn bare_discard() -> Request<magicbell::Body> {
    let mut request = Request::new(magicbell::Body::empty());
    *request.method_mut() = Method::DELETE;
    *request.uri_mut() = uri(&format!("/v2/jwt/user/{ID}"));
    request
}

/// The headers that go out with every request.
pub(crate) fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static("by-hand/1.0"));
    headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer a.project.token"));
    headers
}

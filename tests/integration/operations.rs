//! The six operations on the wire, as the service's documents say.

use magicbell::jwt::*;
use magicbell::testing::Server;
use magicbell::{Client, Endpoint, Nullable};

use crate::support::{client, created, json, transport};

/// Sends a request to a transport and returns what arrived: method, path with query, body.
async fn wire<E: Endpoint>(request: E, answer: http::Response<magicbell::Body>) -> (String, String, String) {
    let (received, transport) = transport(move |_| Ok(answer.clone()));
    let client = Client::builder().token("t").transport(transport).build().unwrap();
    let _ = client.execute(request).await.unwrap();
    let sent = received.lock().unwrap().pop().unwrap();
    let body = String::from_utf8(sent.body().as_bytes().to_vec()).unwrap();
    assert_eq!(sent.uri().host(), Some("api.magicbell.com"));
    assert_eq!(sent.headers().contains_key("content-type"), !body.is_empty());
    (sent.method().to_string(), sent.uri().path_and_query().unwrap().to_string(), body)
}

fn is(sent: &(String, String, String), method: &str, path: &str, body: &str) {
    assert_eq!((&*sent.0, &*sent.1, &*sent.2), (method, path, body));
}

#[tokio::test]
async fn each_operation_is_sent_as_documented() {
    let list = FetchProjectTokens::builder().limit(3).starting_after("a b").ending_before("c&d").build();
    is(
        &wire(list, json(200, "{}")).await,
        "GET",
        "/v2/jwt/project?limit=3&starting_after=a%20b&ending_before=c%26d",
        "",
    );
    is(&wire(FetchProjectTokens::builder().build(), json(200, "{}")).await, "GET", "/v2/jwt/project", "");
    let list = FetchUserTokens::builder().user_id("u/1").limit(1).build();
    is(&wire(list, json(200, "{}")).await, "GET", "/v2/jwt/user/u%2F1?limit=1", "");
    let create = CreateProjectJwt::builder().name("ci").build();
    is(&wire(create, created()).await, "POST", "/v2/jwt/project", r#"{"name":"ci"}"#);
    let create = CreateUserJwt::builder().external_id("x").email(Nullable::Null).build();
    is(&wire(create, created()).await, "POST", "/v2/jwt/user", r#"{"email":null,"external_id":"x"}"#);
    let discarded = || json(200, r#"{"token_id":"abc","discarded_at":"2021-01-01T00:00:00Z"}"#);
    is(&wire(DiscardProjectJwt::new("abc"), discarded()).await, "DELETE", "/v2/jwt/project/abc", "");
    is(&wire(DiscardUserJwt::new("abc"), discarded()).await, "DELETE", "/v2/jwt/user/abc", "");
}

#[tokio::test]
async fn every_request_carries_the_headers_that_the_service_wants() {
    let server = Server::start().await.unwrap();
    let client =
        Client::builder().token(server.token()).base_url(server.url()).user_agent("my-app/1.0").build().unwrap();
    client.execute(CreateProjectJwt::builder().name("ci").build()).await.unwrap();
    let sent = server.requests().pop().unwrap();
    assert_eq!(sent.headers["accept"], "application/json");
    assert_eq!(sent.headers["content-type"], "application/json");
    assert_eq!(sent.headers["user-agent"], concat!("my-app/1.0 magicbell-rust/", env!("CARGO_PKG_VERSION")));
    assert_eq!(sent.headers.get_all("authorization").iter().count(), 1);
    assert!(!sent.headers.contains_key("accept-encoding"), "no coding is asked for, so none has to be undone");
}

#[tokio::test]
async fn a_project_token_lives_from_its_creation_to_its_discard() {
    let server = Server::start().await.unwrap();
    let admin = client(&server);
    let created = admin.execute(CreateProjectJwt::builder().name("ci").expiry(3600).build()).await.unwrap();
    let lifetime = created.expires_at.as_ref().unwrap().to_system_time().unwrap();
    let lifetime = lifetime.duration_since(created.created_at.to_system_time().unwrap()).unwrap();
    assert_eq!(lifetime.as_secs(), 3600);

    let own = Client::builder().token(created.token.clone()).base_url(server.url()).build().unwrap();
    let page = own.execute(FetchProjectTokens::builder().build()).await.unwrap();
    let row = page.data.iter().find(|row| row.id.as_ref() == Some(&created.token_id)).unwrap();
    assert_eq!(row.name.as_deref(), Some("ci"));

    let discarded = admin.execute(DiscardProjectJwt::new(&created.token_id)).await.unwrap();
    assert_eq!(discarded.token_id, created.token_id);
    assert!(discarded.discarded_at.is_some());
    assert_eq!(server.is_discarded(&created.token_id), Some(true));
    assert!(own.execute(FetchProjectTokens::builder().build()).await.unwrap_err().is_unauthorized());
}

#[tokio::test]
async fn a_user_token_is_listed_under_its_user_and_is_no_administrators() {
    let server = Server::start().await.unwrap();
    let admin = client(&server);
    let create = CreateUserJwt::builder().external_id("user/42").email("a@b.example").name("inbox").build();
    let created = admin.execute(create).await.unwrap();
    let page = admin.execute(FetchUserTokens::builder().user_id("user/42").build()).await.unwrap();
    assert_eq!(page.data[0].id.as_ref(), Some(&created.token_id));
    let user = Client::builder().token(created.token).base_url(server.url()).build().unwrap();
    assert!(user.execute(FetchProjectTokens::builder().build()).await.unwrap_err().is_unauthorized());
}

#[tokio::test]
async fn what_is_out_of_bounds_is_never_sent() {
    let server = Server::start().await.unwrap();
    let client = client(&server);
    let long = "x".repeat(256);
    assert!(client.execute(CreateProjectJwt::builder().name(&*long).build()).await.is_err());
    assert!(client.execute(CreateUserJwt::builder().email(&*long).build()).await.is_err());
    assert!(client.execute(CreateUserJwt::builder().expiry(0).build()).await.is_err());
    assert!(client.execute(FetchProjectTokens::builder().limit(0).build()).await.is_err());
    assert!(client.request(FetchProjectTokens::builder().build()).max_attempts(0).send().await.is_err());
    assert!(client.request(FetchProjectTokens::builder().build()).header("host", "evil").send().await.is_err());
    assert!(client.request(FetchProjectTokens::builder().build()).header("x", "a\r\nb").send().await.is_err());
    assert_eq!(server.request_count(), 0);
    assert_eq!(server.connections(), 0);
}

//! What the SDK does with a transport of the caller's, whatever features it is built with: `.ci/run features` runs this with none
//! as well.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use magicbell::jwt::{CreateUserJwt, DiscardUserJwt};
use magicbell::testing::Server;
use magicbell::{Body, BoxError, Client};

#[tokio::test(start_paused = true)]
async fn a_request_is_executed_over_a_transport_of_the_callers() {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let transport = tower::service_fn(async |request: Request<Body>| {
        assert_eq!(request.method(), "DELETE");
        assert_eq!(request.uri(), "https://api.magicbell.com/v2/jwt/user/a%2Fb");
        assert_eq!(request.headers()[AUTHORIZATION], "Bearer a.project.token");
        let mut response = Response::new(Body::from(r#"{"token_id":"a/b","discarded_at":"2026-01-01T00:00:00Z"}"#));
        if ASKED.fetch_add(1, Ordering::Relaxed) == 0 {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        Ok::<_, BoxError>(response)
    });
    let client = Client::builder().token("a.project.token").transport(transport).build().unwrap();

    let response = client.request(DiscardUserJwt::new("a/b")).send().await.unwrap();

    assert_eq!(response.attempts().len(), 2, "a 503 is followed by another attempt");
    assert_eq!(ASKED.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn time_limits_hold_over_a_transport_of_the_callers() {
    let transport = tower::service_fn(|_: Request<Body>| std::future::pending::<Result<Response<Body>, BoxError>>());
    let client = Client::builder().token("a.project.token").transport(transport);
    let client = client.timeout(Duration::from_secs(7)).build().unwrap();
    let start = tokio::time::Instant::now();

    let error = client.execute(DiscardUserJwt::new("1")).await.unwrap_err();

    assert!(error.is_timeout(), "{error}");
    assert_eq!(start.elapsed(), Duration::from_secs(7));
}

#[tokio::test]
async fn the_fake_servers_client_makes_and_discards_a_token() {
    let server = Server::start().await.unwrap();
    let client = server.client();

    let created = client.execute(CreateUserJwt::builder().external_id("hana").build()).await.unwrap();
    client.execute(DiscardUserJwt::new(&created.token_id)).await.unwrap();

    assert_eq!(server.is_discarded(&created.token_id), Some(true));
    let has_transport = cfg!(any(feature = "rustls-ring", feature = "rustls-aws-lc-rs"));
    assert_eq!(server.connections() > 0, has_transport, "without a transport of the SDK's there is no socket");
}

#[test]
#[cfg(not(any(feature = "rustls-ring", feature = "rustls-aws-lc-rs")))]
fn without_any_transport_a_client_can_not_be_built() {
    let error = Client::builder().token("a.project.token").build().unwrap_err();
    assert!(error.to_string().contains("there is no transport"), "{error}");
}

#[test]
#[cfg(any(feature = "rustls-ring", feature = "rustls-aws-lc-rs"))]
fn a_client_of_https_needs_authorities_and_one_of_loopback_does_not() {
    let builder = || Client::builder().token("a.project.token");
    match builder().build() {
        Ok(_) if cfg!(feature = "webpki-roots") => {}
        Err(error) if !cfg!(feature = "webpki-roots") => assert!(error.to_string().contains("authority"), "{error}"),
        other => panic!("{other:?}"),
    }
    assert!(builder().base_url("http://127.0.0.1:1").build().is_ok());
}

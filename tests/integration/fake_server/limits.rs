//! Idempotency keys and rate limits of the fake server.

use std::time::Duration;

use super::support::{Reply, delete, get, request, send};
use magicbell::testing::{Fault, Server};

async fn create(server: &Server, path: &str, key: &str, body: &str) -> Reply {
    let mut request = request(server, "POST", path, body);
    request.headers_mut().insert("idempotency-key", key.parse().expect("a value"));
    send(request).await.expect("an answer")
}

#[tokio::test]
async fn the_same_key_makes_one_token() {
    let server = Server::start().await.expect("a server");
    let first = create(&server, "/jwt/user", "k", r#"{"external_id":"7"}"#).await;
    let second = create(&server, "/jwt/user", "k", r#"{"external_id":"7"}"#).await;
    assert_eq!((first.status, second.status), (201, 201));
    assert_eq!(first.body, second.body);
    assert_eq!(first.headers.get("idempotent-replayed"), None);
    assert_eq!(second.header("idempotent-replayed"), "true");
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
    assert_eq!(server.user_tokens("7").len(), 1);
}

#[tokio::test]
async fn a_lost_answer_is_replayed_to_the_same_key() {
    let server = Server::start().await.expect("a server");
    server.fail_next(Fault::status(502).after_processing());
    assert_eq!(create(&server, "/jwt/user", "k", r#"{"external_id":"7"}"#).await.status, 502);
    let replayed = create(&server, "/jwt/user", "k", r#"{"external_id":"7"}"#).await;
    assert_eq!((replayed.status, replayed.header("idempotent-replayed")), (201, "true"));
    assert_eq!(replayed.text("token_id"), server.user_tokens("7")[0].token_id);
    assert_eq!(server.user_tokens("7").len(), 1);
}

#[tokio::test]
async fn a_key_with_another_body_or_operation_is_refused() {
    let server = Server::start().await.expect("a server");
    assert_eq!(create(&server, "/jwt/user", "k", r#"{"name":"a"}"#).await.status, 201);
    for (path, body) in [("/jwt/user", r#"{"name":"b"}"#), ("/jwt/project", r#"{"name":"a"}"#)] {
        let refused = create(&server, path, "k", body).await;
        assert_eq!((refused.status, refused.code().as_str()), (422, "idempotency_key_reused"));
    }
}

#[tokio::test]
async fn a_refused_creation_does_not_use_its_key() {
    let server = Server::start().await.expect("a server");
    assert_eq!(create(&server, "/jwt/project", "k", "{}").await.status, 422);
    assert_eq!(create(&server, "/jwt/project", "k", r#"{"name":"a"}"#).await.status, 201);
}

#[tokio::test]
async fn keys_can_be_passed_over() {
    let server = Server::builder().honour_idempotency_keys(false).start().await.expect("a server");
    let ids = [create(&server, "/jwt/user", "k", "{}").await, create(&server, "/jwt/user", "k", "{}").await];
    assert_ne!(ids[0].text("token_id"), ids[1].text("token_id"));
}

#[tokio::test]
async fn beyond_the_limit_nothing_is_applied() {
    let builder = Server::builder().rate_limit(1, 1, Duration::from_secs(3_600));
    let server = builder.start().await.expect("a server");
    let ids = server.add_user_tokens("7", 2);
    assert_eq!(get(&server, "/jwt/project").await.status, 200);
    assert_eq!(get(&server, "/jwt/project").await.status, 429);
    assert_eq!(delete(&server, &format!("/jwt/user/{}", ids[0])).await.status, 200);
    let refused = delete(&server, &format!("/jwt/user/{}", ids[1])).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "rate_limited"));
    let seconds: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..=3_600).contains(&seconds), "{seconds}");
    assert_eq!(server.is_discarded(&ids[1]), Some(false));
}

#[tokio::test]
async fn the_published_limit_takes_200_writes() {
    let server = Server::builder().published_rate_limit().start().await.expect("a server");
    let client = super::support::http2_client();
    let mut statuses = Vec::new();
    for _ in 0..201 {
        let request = request(&server, "DELETE", "/jwt/user/nonsense", "");
        statuses.push(super::support::exchange(&client, request).await.expect("an answer").status);
    }
    assert!(statuses[..200].iter().all(|&status| status == 404));
    assert_eq!(statuses[200], 429);
}

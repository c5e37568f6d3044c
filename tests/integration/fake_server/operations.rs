//! The six operations of the fake server.

use super::support::{delete, get, post, request, send};
use magicbell::testing::Server;

async fn server() -> Server {
    Server::start().await.expect("a server")
}

#[tokio::test]
async fn a_created_user_token_is_listed_and_discarded() {
    let server = server().await;
    let created = post(&server, "/jwt/user", r#"{"external_id":"7","name":"Hana","expiry":60}"#).await;
    assert_eq!(created.status, 201);
    let id = created.text("token_id");
    assert_eq!(created.text("token").split('.').count(), 3);
    assert!(created.text("expires_at") > created.text("created_at"));

    let listed = get(&server, "/jwt/user/7").await;
    let token = &listed.json()["data"][0];
    assert_eq!((token["id"].as_str(), token["name"].as_str()), (Some(&*id), Some("Hana")));
    assert_eq!(token["expires_at"].as_str(), Some(&*created.text("expires_at")));
    assert!(token["discarded_at"].is_null() && token.get("token").is_none());

    let discarded = delete(&server, &format!("/jwt/user/{id}")).await;
    assert_eq!((discarded.status, discarded.text("token_id")), (200, id.clone()));
    assert!(discarded.text("discarded_at").ends_with('Z'));
    assert_eq!(server.is_discarded(&id), Some(true));
    assert!(get(&server, "/jwt/user/7").await.ids().is_empty());
    assert!(server.user_tokens("7")[0].discarded_at.is_some());
}

#[tokio::test]
async fn a_created_project_token_authenticates_until_it_is_discarded() {
    let server = server().await;
    let created = post(&server, "/jwt/project", r#"{"name":"CI"}"#).await;
    assert_eq!(created.status, 201);
    assert!(created.json()["expires_at"].is_null());
    let status = async || {
        let mut request = request(&server, "GET", "/jwt/project", "");
        let value = format!("bEARER {}", created.text("token")).parse().expect("a value");
        request.headers_mut().insert("authorization", value);
        send(request).await.expect("an answer").status
    };
    assert_eq!(status().await, 200);
    assert_eq!(delete(&server, &format!("/jwt/project/{}", created.text("token_id"))).await.status, 200);
    assert_eq!(status().await, 401);
}

#[tokio::test]
async fn the_servers_own_token_can_be_discarded() {
    let server = server().await;
    assert_eq!(get(&server, "/jwt/project").await.ids(), [server.token_id()]);
    assert_eq!(delete(&server, &format!("/jwt/project/{}", server.token_id())).await.status, 200);
    let refused = get(&server, "/jwt/project").await;
    assert_eq!((refused.status, refused.code().as_str()), (401, "unauthorized"));
    assert_eq!(refused.header("www-authenticate"), "Bearer");
}

#[tokio::test]
async fn other_credentials_are_refused() {
    let server = server().await;
    let user_token = post(&server, "/jwt/user", "{}").await.text("token");
    for value in [format!("Bearer {user_token}"), format!("Basic {}", server.token()), "Bearer".into(), "".into()] {
        let mut request = request(&server, "GET", "/jwt/project", "");
        request.headers_mut().insert("authorization", value.parse().expect("a value"));
        assert_eq!(send(request).await.expect("an answer").status, 401, "{value}");
    }
    let mut without = request(&server, "GET", "/jwt/project", "");
    without.headers_mut().remove("authorization");
    assert_eq!(send(without).await.expect("an answer").status, 401);
    let mut twice = request(&server, "GET", "/jwt/project", "");
    twice.headers_mut().append("authorization", "Bearer x".parse().expect("a value"));
    assert_eq!(send(twice).await.expect("an answer").status, 401);
}

#[tokio::test]
async fn an_expired_token_is_neither_listed_nor_accepted() {
    let server = server().await;
    let created = post(&server, "/jwt/project", r#"{"name":"brief","expiry":1}"#).await;
    let id = created.text("token_id");
    assert!(get(&server, "/jwt/project").await.ids().contains(&id));
    let expires_at = server.project_tokens()[1].expires_at.expect("an expiry");
    while std::time::SystemTime::now() < expires_at {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(!get(&server, "/jwt/project").await.ids().contains(&id));
    let mut request = request(&server, "GET", "/jwt/project", "");
    let value = format!("Bearer {}", created.text("token")).parse().expect("a value");
    request.headers_mut().insert("authorization", value);
    assert_eq!(send(request).await.expect("an answer").status, 401);
}

#[tokio::test]
async fn unknown_and_discarded_and_wrong_kind_ids_are_404() {
    let server = server().await;
    let ids = server.add_user_tokens("7", 2);
    assert_eq!(delete(&server, &format!("/jwt/user/{}", ids[0])).await.status, 200);
    for path in [
        format!("/jwt/user/{}", ids[0]),
        format!("/jwt/project/{}", ids[1]),
        format!("/jwt/user/{}", server.token_id()),
        format!("/jwt/user/{}", ids[1].to_uppercase()),
        format!("/jwt/user/{}", ids[1].replace('-', "")),
        "/jwt/user/nonsense".into(),
    ] {
        let refused = delete(&server, &path).await;
        assert_eq!((refused.status, refused.code().as_str()), (404, "not_found"), "{path}");
    }
    assert_eq!(server.is_discarded(&ids[1]), Some(false));
    assert_eq!(server.is_discarded("nonsense"), None);
}

#[tokio::test]
async fn unknown_paths_are_404_and_unknown_methods_405() {
    let server = server().await;
    assert_eq!(get(&server, "/jwt/nothing").await.code(), "not_found");
    assert_eq!(get(&server, "/jwt/user/%FF%FE").await.status, 404);
    let refused = send(request(&server, "PATCH", "/jwt/user/7", "")).await.expect("an answer");
    assert_eq!((refused.status, refused.header("allow")), (405, "GET, DELETE"));
    assert_eq!(refused.code(), "method_not_allowed");
}

#[tokio::test]
async fn a_users_id_is_the_external_id_or_else_the_email_address() {
    let server = server().await;
    let both = r#"{"external_id":"a/b é","email":"hana@example.com"}"#;
    let by_external_id = post(&server, "/jwt/user", both).await.text("token_id");
    let by_email = post(&server, "/jwt/user", r#"{"email":"hana@example.com"}"#).await.text("token_id");
    assert_eq!(get(&server, "/jwt/user/a%2Fb%20%C3%A9").await.ids(), [by_external_id]);
    assert_eq!(get(&server, "/jwt/user/hana%40example.com").await.ids(), [by_email]);
    let nobody = get(&server, "/jwt/user/nobody").await;
    assert_eq!((nobody.status, nobody.ids().len()), (200, 0));
    let links = serde_json::json!({ "first": "/v2/jwt/user/nobody", "next": null, "prev": null });
    assert_eq!(nobody.json()["links"], links);
}

#[tokio::test]
async fn refusals_say_what_is_wrong() {
    let server = server().await;
    let refused = post(&server, "/jwt/project", r#"{"expiry":0}"#).await;
    assert_eq!(refused.status, 422);
    let errors = refused.json()["errors"].clone();
    assert_eq!((&errors[0]["field"], &errors[1]["field"]), (&"name".into(), &"expiry".into()));
    assert!(errors[0]["code"].is_string() && errors[0]["message"].is_string());
    assert_eq!(post(&server, "/jwt/project", "{").await.status, 400);
    assert_eq!(post(&server, "/jwt/user", "[]").await.status, 422);
    assert_eq!(post(&server, "/jwt/user", r#"{"expiry":18446744073709551615}"#).await.status, 422);
    assert_eq!(server.project_tokens().len(), 1);
}

#[tokio::test]
async fn every_answer_says_when_and_which_and_what() {
    let server = server().await;
    let (first, second) = (get(&server, "/jwt/project").await, get(&server, "/nothing").await);
    for reply in [&first, &second] {
        assert!(httpdate::parse_http_date(reply.header("date")).is_ok());
        assert_eq!(reply.header("content-type"), "application/json");
        assert_eq!(reply.header("x-request-id").len(), 36);
    }
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
}

#[tokio::test]
async fn what_other_clients_send_is_accepted() {
    let server = server().await;
    let mut list = request(&server, "GET", "/jwt/user/7?limit=&starting_after=&ending_before=", "");
    list.headers_mut().insert("content-type", "application/json".parse().expect("a value"));
    list.headers_mut().insert("accept", "*/*".parse().expect("a value"));
    assert_eq!(send(list).await.expect("an answer").status, 200);
    let body = r#"{"email":null,"expiry":null,"external_id":"7","name":null}"#;
    let mut create = request(&server, "POST", "/jwt/user", body);
    create.headers_mut().insert("content-type", "application/json; charset=utf-8".parse().expect("a value"));
    assert_eq!(send(create).await.expect("an answer").status, 201);
}

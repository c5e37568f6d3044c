//! What a test tells the server to answer.

use std::borrow::Cow;
use std::time::Duration;

use http::Response;
use magicbell::jwt::{CreateUserJwt, DiscardUserJwt, FetchProjectTokens};
use magicbell::testing::{Fault, ReceivedRequest, Server};
use magicbell::{Body, Client, Endpoint, Error, ErrorKind, InvalidRequest, Operation};
use serde_json::json;

use super::support::{panic_message, without_sockets};
use crate::support;

/// An operation that the service has and the fake doesn't.
pub(super) struct FetchUser(pub(super) &'static str);

#[derive(Debug, PartialEq, serde::Deserialize)]
pub(super) struct User {
    pub(super) id: String,
}

impl Endpoint for FetchUser {
    type Response = User;
    const OPERATION: Operation = Operation::get("fetch_user", "/users/{user_id}");

    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        (name == "user_id").then_some(Cow::Borrowed(self.0))
    }
}

/// Another one of the same path.
struct SaveUser(&'static str);

impl Endpoint for SaveUser {
    type Response = User;
    const OPERATION: Operation = Operation::put("save_user", "/users/{user_id}");

    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        (name == "user_id").then_some(Cow::Borrowed(self.0))
    }

    fn body(&self) -> Result<Body, InvalidRequest> {
        magicbell::json(&json!({ "email": "hana@example.com" }))
    }
}

async fn server() -> Server {
    Server::start().await.expect("a server")
}

fn create() -> CreateUserJwt {
    CreateUserJwt::builder().external_id("hana").build()
}

#[tokio::test(start_paused = true)]
async fn steps_are_taken_in_their_order_and_then_the_service_goes_on() {
    let server = server().await;
    let script = server.on::<CreateUserJwt>();
    script
        .fails(Fault::status(429).retry_after(7))
        .answers(json!({ "token": "scripted", "token_id": "a" }))
        .times(2)
        .fails(Fault::status(422));
    let client = without_sockets(&server);
    for _ in 0..2 {
        let created = client.execute(create()).await.expect("created");
        assert_eq!((created.token.expose_secret(), created.token_id.as_str()), ("scripted", "a"));
    }
    assert!(server.user_tokens("hana").is_empty(), "a scripted answer makes nothing");
    assert_eq!(client.execute(create()).await.expect_err("refused").status().expect("one"), 422);
    let created = client.execute(create()).await.expect("created");
    assert_eq!(server.user_tokens("hana")[0].token_id, created.token_id);
    let statuses = server.received::<CreateUserJwt>().iter().map(|request| request.status).collect::<Vec<_>>();
    assert_eq!(statuses, [429, 201, 201, 422, 201].map(Some));
    server.verify();
}

#[tokio::test]
async fn over_sockets_it_is_the_same() {
    let server = server().await;
    server.on::<FetchUser>().fails(Fault::reset()).answers(json!({ "id": "7" }));
    let user = support::client(&server).execute(FetchUser("7")).await.expect("a user");
    assert_eq!(user, User { id: "7".to_owned() });
    let statuses = server.received::<FetchUser>().iter().map(|request| request.status).collect::<Vec<_>>();
    assert_eq!(statuses, [None, Some(200)]);
    server.verify();
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_the_fake_lacks_is_answered_and_counted() {
    let server = server().await;
    let by_id = |request: &ReceivedRequest| json!({ "id": request.path_parameter("user_id") });
    server.on::<FetchUser>().answers_with(by_id).always();
    let client = without_sockets(&server);
    for id in ["7", "a/b é"] {
        assert_eq!(client.execute(FetchUser(id)).await.expect("a user").id, id);
    }
    assert_eq!(client.execute(SaveUser("7")).await.expect_err("no script").status().expect("one"), 404);
    assert_eq!(server.count("fetch_user"), 2);
    server.fail_next(Fault::status(403).on("fetch_user"));
    assert_eq!(client.execute(FetchUser("7")).await.expect_err("a fault").status().expect("one"), 403);
    server.verify();
}

#[tokio::test(start_paused = true)]
async fn a_condition_lets_other_requests_pass() {
    let server = server().await;
    let ids = server.add_user_tokens("hana", 2);
    let id = ids[1].clone();
    server
        .on::<DiscardUserJwt>()
        .when(move |request| request.path_parameter("token_id") == id)
        .fails(Fault::status(403));
    let is_for_mail = |request: &ReceivedRequest| request.body_json()["email"] == "hana@example.com";
    server.on::<SaveUser>().when(is_for_mail).when(|request| request.path_parameter("user_id") == "7").answers(json!({
        "id": "7"
    }));
    let client = without_sockets(&server);
    let status = |error: Error| error.status().expect("a status").as_u16();
    assert!(client.execute(DiscardUserJwt::new(&ids[0])).await.is_ok());
    assert_eq!(client.execute(DiscardUserJwt::new(&ids[1])).await.map_err(status), Err(403));
    assert_eq!(client.execute(SaveUser("8")).await.map_err(status), Err(404));
    assert!(client.execute(SaveUser("7")).await.is_ok());
    server.verify();
}

#[tokio::test(start_paused = true)]
async fn a_condition_may_look_at_the_server() {
    let server = std::sync::Arc::new(server().await);
    let seen = std::sync::Arc::downgrade(&server);
    server
        .on::<FetchProjectTokens>()
        .when(move |_| seen.upgrade().is_some_and(|server| server.request_count() == 2))
        .fails(Fault::status(403));
    let client = without_sockets(&server);
    assert!(client.execute(FetchProjectTokens::builder().build()).await.is_ok());
    assert!(client.execute(FetchProjectTokens::builder().build()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn of_several_scripts_the_first_with_a_step_left_takes_the_request() {
    let server = server().await;
    server.on::<FetchUser>().answers(json!({ "id": "first" }));
    server.on::<FetchUser>().answers(json!({ "id": "second" })).always();
    server.fail_next(Fault::status(503));
    let client = without_sockets(&server);
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(client.execute(FetchUser("7")).await.expect("a user").id);
    }
    assert_eq!(ids, ["first", "second", "second"]);
    assert_eq!(server.received::<FetchUser>()[0].status, Some(503), "faults come before");
    server.clear_faults();
    assert!(client.execute(FetchUser("7")).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn credentials_and_the_rate_limit_come_before_an_answer_and_use_no_step() {
    let builder = Server::builder().rate_limit(1, 1, Duration::from_secs(3_600));
    let server = builder.start().await.expect("a server");
    server.on::<FetchUser>().answers(json!({ "id": "7" })).times(2);
    let stranger = Client::builder().token("another.token.entirely").base_url(server.url());
    let stranger = stranger.transport(server.transport()).build().expect("a client");
    assert!(stranger.execute(FetchUser("7")).await.expect_err("refused").is_unauthorized());
    let client = without_sockets(&server);
    assert!(client.execute(FetchUser("7")).await.is_ok());
    let call = client.request(FetchUser("7")).max_attempts(1);
    assert!(call.send().await.expect_err("refused").is_rate_limited());
    tokio::time::advance(Duration::from_secs(3_600)).await;
    assert!(client.execute(FetchUser("7")).await.is_ok());
    server.verify();
}

#[tokio::test(start_paused = true)]
async fn a_scripted_fault_is_not_counted_in_the_rate_limit_and_asks_for_no_credentials() {
    let server = Server::builder().rate_limit(1, 1, Duration::from_secs(3_600)).start().await.expect("a server");
    server.on::<FetchProjectTokens>().fails(Fault::status(403)).times(3);
    let client = without_sockets(&server);
    for _ in 0..3 {
        let error = client.execute(FetchProjectTokens::builder().build()).await.expect_err("a fault");
        assert_eq!(error.status().expect("one"), 403);
    }
    assert!(client.execute(FetchProjectTokens::builder().build()).await.is_ok());
    let stranger = Client::builder().token("another.token.entirely").base_url(server.url());
    let stranger = stranger.transport(server.transport()).build().expect("a client");
    server.on::<FetchProjectTokens>().fails(Fault::status(403));
    let error = stranger.execute(FetchProjectTokens::builder().build()).await.expect_err("a fault");
    assert_eq!(error.status().expect("one"), 403);
}

#[tokio::test]
async fn an_answer_of_the_wrong_type_is_refused_where_it_is_scripted() {
    let server = server().await;
    assert_eq!(
        panic_message(|| _ = server.on::<FetchUser>().answers(json!({ "id": 7 }))),
        "fetch_user can't read {\"id\":7}: the JSON is not what was expected (line 1, column 7). \
         An answer that is meant to be odd is a Fault::body"
    );
    let message = panic_message(|| _ = server.on::<CreateUserJwt>().answers(json!({ "token_id": "a" })));
    assert!(message.starts_with("create_user_jwt can't read {\"token_id\":\"a\"}: "), "{message}");
    let map = std::collections::BTreeMap::from([((1, 2), 3)]);
    let message = panic_message(|| _ = server.on::<FetchUser>().answers(&map));
    assert!(message.contains("can't be written as JSON"), "{message}");
}

/// A success with a header, as a proxy or a gateway adds one.
fn user_page(status: u16, body: &'static str) -> Response<&'static str> {
    Response::builder().status(status).header("x-page", "7").body(body).expect("a response")
}

#[tokio::test(start_paused = true)]
async fn a_response_is_answered_with_its_status_its_headers_and_its_body() {
    let server = server().await;
    server.on::<FetchUser>().answers_response(user_page(206, r#"{"id":"7"}"#)).times(2).fails(Fault::status(403));
    let client = without_sockets(&server);
    for _ in 0..2 {
        let response = client.request(FetchUser("7")).send().await.expect("a user");
        assert_eq!((response.status().as_u16(), &response.headers()["x-page"]), (206, &"7".parse().unwrap()));
        assert!(response.request_id().is_some(), "it has one, as every answer of the service's");
        assert_eq!(response.data().id, "7");
    }
    assert_eq!(client.execute(FetchUser("7")).await.expect_err("a fault").status().expect("one"), 403);
    server.verify();
}

#[tokio::test(start_paused = true)]
async fn credentials_come_before_a_response_and_use_no_step() {
    let server = server().await;
    server.on::<FetchUser>().answers_response(user_page(200, r#"{"id":"7"}"#));
    let stranger = Client::builder().token("another.token.entirely").base_url(server.url());
    let stranger = stranger.transport(server.transport()).build().expect("a client");
    assert!(stranger.execute(FetchUser("7")).await.expect_err("refused").is_unauthorized());
    assert!(without_sockets(&server).execute(FetchUser("7")).await.is_ok());
    server.verify();
}

#[tokio::test]
async fn a_response_that_is_no_success_or_can_not_be_read_is_refused_where_it_is_scripted() {
    let server = server().await;
    assert_eq!(
        panic_message(|| _ = server.on::<FetchUser>().answers_response(user_page(404, r#"{"id":"7"}"#))),
        "404 Not Found is no success of fetch_user: that is a Fault::response"
    );
    let message = panic_message(|| _ = server.on::<FetchUser>().answers_response(user_page(200, "{}")));
    assert!(message.starts_with("fetch_user can't read {}: "), "{message}");
}

#[tokio::test(start_paused = true)]
async fn one_made_from_the_request_that_can_not_be_read_is_an_error_of_the_call() {
    let server = server().await;
    server.on::<FetchUser>().answers_with(|request| json!({ "user": request.path_parameter("user_id") }));
    let error = without_sockets(&server).execute(FetchUser("7")).await.expect_err("no id");
    assert_eq!(error.kind(), ErrorKind::Decode);
    server.verify();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_is_taken_as_often_as_it_says_however_many_ask_at_once() {
    let server = server().await;
    server.on::<FetchUser>().answers(json!({ "id": "7" })).times(10);
    let client = support::client(&server);
    let calls = (0..32).map(|_| tokio::spawn(client.execute(FetchUser("7"))));
    let mut answered = 0;
    for call in calls.collect::<Vec<_>>() {
        answered += usize::from(call.await.expect("no panic").is_ok());
    }
    assert_eq!(answered, 10);
    server.assert_received::<FetchUser>(32);
    server.verify();
}

#[tokio::test(start_paused = true)]
async fn a_discards_answer_may_name_any_token_and_the_client_compares() {
    let server = server().await;
    let id = support::UNKNOWN_ID;
    server.on::<DiscardUserJwt>().answers(json!({ "token_id": id })).answers(json!({ "token_id": "another" }));
    let client = without_sockets(&server);
    assert_eq!(client.execute(DiscardUserJwt::new(id)).await.expect("discarded").token_id, id);
    let error = client.execute(DiscardUserJwt::new(id)).await.expect_err("another token");
    assert_eq!(error.kind(), ErrorKind::Unverified);
}

#[tokio::test]
async fn a_script_without_a_step_has_nothing_to_repeat() {
    let server = server().await;
    let no_step = "the script for fetch_user has no step to repeat";
    assert_eq!(panic_message(|| _ = server.on::<FetchUser>().times(2)), no_step);
    assert_eq!(panic_message(|| _ = server.on::<FetchUser>().always()), no_step);
    server.verify();
}

#[tokio::test(start_paused = true)]
async fn what_was_not_used_is_named_with_the_line_that_scripted_it() {
    let server = server().await;
    server.on::<FetchUser>().answers(json!({ "id": "7" })).times(3);
    let line = line!() - 1;
    server.on::<CreateUserJwt>().fails(Fault::reset()).fails(Fault::status(503).always());
    server.on::<DiscardUserJwt>().answers(json!({})).times(0);
    server.fail_next(Fault::delay(Duration::from_secs(1)).on("fetch_user_tokens").times(2));
    server.fail_next(Fault::stall().on("fetch_project_tokens").always());
    without_sockets(&server).execute(FetchUser("7")).await.expect("a user");

    let message = panic_message(|| server.verify());
    let lines = message.lines().collect::<Vec<_>>();
    let place = format!("{}:{line}:12", file!());
    assert_eq!(
        lines[..2],
        [
            "what was scripted was not all used:",
            &format!("  fetch_user, scripted at {place}: an answer of 200, taken 1 of 3 times")
        ]
    );
    assert!(
        lines[2].starts_with("  create_user_jwt, scripted at ") && lines[2].ends_with(": a reset, taken 0 of 1 times")
    );
    let rest = [
        "  fetch_user_tokens, by fail_next: a delay of 1s, 2 times more",
        "What arrived:",
        "  1. GET /v2/users/7, answered 200",
    ];
    assert_eq!(lines[3..], rest, "{message}");
    server.clear_faults();
    server.verify();
}

//! Operations of the caller's own.

use std::borrow::Cow;

use http::Method;
use magicbell::testing::{Fault, Server};
use magicbell::{
    Answer, Body, Client, DecodeError, Endpoint, ErrorKind, InvalidRequest, Operation, Query, Safety, json,
};

use crate::support::{self, client, transport};

/// An operation with a bit of everything.
struct Search {
    user: &'static str,
    text: &'static str,
}

impl Endpoint for Search {
    type Response = Vec<u32>;
    const OPERATION: Operation =
        Operation::new("search", Method::POST, "/users/{user}/search").with_safety(Safety::Safe);

    fn validate(&self) -> Result<(), InvalidRequest> {
        if self.text.is_empty() { Err(InvalidRequest::new("text", "it is empty")) } else { Ok(()) }
    }

    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        (name == "user").then_some(Cow::Borrowed(self.user))
    }

    fn query(&self, query: &mut Query<'_>) {
        query.append("q", self.text);
    }

    fn body(&self) -> Result<Body, InvalidRequest> {
        json(&serde_json::json!({ "text": self.text }))
    }

    fn decode(answer: &Answer<'_>) -> Result<Vec<u32>, DecodeError> {
        assert_eq!(answer.path_parameter("user").as_deref(), Some("a/b"));
        answer.json()
    }
}

#[tokio::test]
async fn it_is_sent_as_it_says() {
    let (received, transport) = transport(|_| Ok(support::json(200, "[1,2]")));
    let client = Client::builder().token("t").transport(transport).build().unwrap();
    assert_eq!(client.execute(Search { user: "a/b", text: "x y" }).await.unwrap(), [1, 2]);
    let sent = received.lock().unwrap().pop().unwrap();
    assert_eq!(sent.uri(), "https://api.magicbell.com/v2/users/a%2Fb/search?q=x%20y");
    assert_eq!(sent.body().as_bytes(), br#"{"text":"x y"}"#);
    assert!(!sent.headers().contains_key("idempotency-key"), "it is safe, whatever its method");
}

#[tokio::test]
async fn its_own_check_comes_first() {
    let server = Server::start().await.unwrap();
    let error = client(&server).execute(Search { user: "u", text: "" }).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert_eq!(error.operation(), Some("search"));
    assert_eq!(error.invalid_request(), Some(&InvalidRequest::new("text", "it is empty")));
    assert_eq!(server.request_count(), 0);
}

#[tokio::test]
async fn a_parameter_that_can_not_be_sent_is_named() {
    let server = Server::start().await.unwrap();
    let error = client(&server).execute(Search { user: "..", text: "x" }).await.unwrap_err();
    assert_eq!(error.invalid_request().unwrap().field(), "user");
    assert!(error.to_string().ends_with(error.invalid_request().unwrap().reason()), "{error}");
}

#[tokio::test]
async fn a_setting_of_one_call_that_can_not_be_used_is_named() {
    let server = Server::start().await.unwrap();
    let error = client(&server).request(Ping).max_attempts(0).send().await.unwrap_err();
    assert_eq!(error.invalid_request().unwrap().field(), "max_attempts");
    assert_eq!(server.request_count(), 0);
}

#[tokio::test]
async fn what_the_service_refuses_is_no_invalid_request() {
    let server = Server::start().await.unwrap();
    server.fail_next(Fault::body(422, r#"{"errors":[{"message":"too long","field":"name"}]}"#));
    let error = client(&server).execute(Ping).await.unwrap_err();
    assert_eq!((error.invalid_request(), error.api_errors()[0].field.as_deref()), (None, Some("name")));
}

#[tokio::test]
async fn a_safe_post_is_sent_again() {
    let server = Server::start().await.unwrap();
    server.fail_next(Fault::reset());
    let error = client(&server).execute(Search { user: "a/b", text: "x" }).await.unwrap_err();
    assert_eq!(error.status().unwrap(), 404, "the fake server has no such path");
    assert_eq!(server.request_count(), 2);
}

struct Ping;
impl Endpoint for Ping {
    type Response = ();
    const OPERATION: Operation = Operation::put("ping", "/ping");
}

#[tokio::test]
async fn an_empty_answer_is_read_as_nothing() {
    let server = Server::start().await.unwrap();
    server.fail_next(Fault::empty(204));
    client(&server).execute(Ping).await.unwrap();
}

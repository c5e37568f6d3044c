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
    assert_eq!(server.request_count(), 0);
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

//! An operation that the SDK lacks: `cargo run --example custom_endpoint`.
//!
//! Look at what has to be written, which is what the operation is, and at what hasn't: URLs, headers, retries, timeouts. How the
//! first operation reads its answer is tested without a server. The fake server knows only tokens, so the example says what it
//! answers; the second operation meets a 503 first, and since a PUT is idempotent, nobody notices.

use std::borrow::Cow;
use std::error::Error;

use http::Response;
use magicbell::testing::{Fault, Server, decode};
use magicbell::{Answer, Body, DecodeError, Endpoint, InvalidRequest, Operation, Query, json};
use serde::{Deserialize, Serialize};

/// `GET /users/{user_id}`
struct FetchUser {
    user_id: String,
}

#[derive(Debug, Deserialize)]
struct User {
    id: String,
    email: Option<String>,
}

impl Endpoint for FetchUser {
    type Response = User;
    const OPERATION: Operation = Operation::get("fetch_user", "/users/{user_id}");

    // Percent-encoded by the library, as one segment of the path.
    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        (name == "user_id").then_some(Cow::Borrowed(&self.user_id))
    }

    fn query(&self, query: &mut Query<'_>) {
        query.append("fields", "id,email");
    }

    // JSON is read by default. This one is strict about whom it gets.
    fn decode(answer: &Answer<'_>) -> Result<User, DecodeError> {
        let user = answer.json::<User>()?;
        let is_asked_for = answer.path_parameter("user_id").is_some_and(|id| id == user.id);
        is_asked_for.then_some(user).ok_or_else(|| DecodeError::unverified("it is another user"))
    }
}

/// In a crate of your own, a `#[test]`.
fn another_user_is_not_taken_for_the_one_that_was_asked_for() -> Result<(), DecodeError> {
    let request = FetchUser { user_id: "a/b".into() };
    assert_eq!(decode(&request, Response::new(r#"{"id":"a/b"}"#))?.id, "a/b");
    let error = decode(&request, Response::new(r#"{"id":"7"}"#)).expect_err("another user");
    assert!(error.is_unverified());
    println!("not read: {error}");
    Ok(())
}

/// `PUT /users/{user_id}`: idempotent by its method, so it is sent again where that may help.
#[derive(Serialize)]
struct SaveUser {
    #[serde(skip)]
    user_id: String,
    email: String,
}

impl Endpoint for SaveUser {
    type Response = User;
    const OPERATION: Operation = Operation::put("save_user", "/users/{user_id}");

    // Checked before anything is sent.
    fn validate(&self) -> Result<(), InvalidRequest> {
        match self.email.contains('@') {
            true => Ok(()),
            false => Err(InvalidRequest::new("email", "it has no @ in it")),
        }
    }

    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        (name == "user_id").then_some(Cow::Borrowed(&self.user_id))
    }

    fn body(&self) -> Result<Body, InvalidRequest> {
        json(self)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    another_user_is_not_taken_for_the_one_that_was_asked_for()?;

    let server = Server::start().await?;
    server.on::<FetchUser>().answers_with(|request| serde_json::json!({ "id": request.path_parameter("user_id") }));
    let saved = serde_json::json!({ "id": "7", "email": "hana@example.com" });
    server.on::<SaveUser>().fails(Fault::status(503)).answers(saved);
    let client = server.client();

    let user = client.execute(FetchUser { user_id: "a/b".into() }).await?;
    println!("read: {} {:?}", user.id, user.email);
    assert_eq!(user.id, "a/b");
    let user = client.execute(SaveUser { user_id: "7".into(), email: "hana@example.com".into() }).await?;
    println!("read: {} {:?}", user.id, user.email);

    let refused = client.execute(SaveUser { user_id: "7".into(), email: "hana".into() }).await;
    let error = refused.expect_err("no @");
    println!("refused, and nothing sent: {error}");
    assert_eq!(error.invalid_request().map(InvalidRequest::field), Some("email"));

    println!("\nwhat was sent:");
    server.requests().iter().for_each(|request| println!("  {request}"));
    server.assert_received::<FetchUser>(1);
    server.assert_received::<SaveUser>(2);
    Ok(())
}

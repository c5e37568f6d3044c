//! An operation that the SDK lacks: `cargo run --example custom_endpoint`.
//!
//! Look at what has to be written, which is what the operation is, and at what hasn't: URLs, headers, retries, timeouts. The
//! fake server knows only tokens, so the example says what it answers; the second operation meets a 503 first, and since a PUT
//! is idempotent, nobody notices.

use std::borrow::Cow;
use std::error::Error;

use magicbell::testing::{Fault, Server};
use magicbell::{Body, Endpoint, InvalidRequest, Operation, Query, json};
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
    println!("refused, and nothing sent: {}", refused.expect_err("no @"));

    println!("\nwhat was sent:");
    server.requests().iter().for_each(|request| println!("  {request}"));
    server.assert_received::<FetchUser>(1);
    server.assert_received::<SaveUser>(2);
    Ok(())
}

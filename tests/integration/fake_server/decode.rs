//! An answer that a test makes up is read as the client reads one.

use std::borrow::Cow;

use http::{Response, StatusCode};
use magicbell::jwt::{CreateUserJwt, DiscardUserJwt};
use magicbell::testing::{Server, decode};
use magicbell::{Answer, DecodeError, Endpoint, InvalidRequest, Operation};

use super::support::{panic_message, without_sockets};

/// An operation that reads all that there is to read.
struct Note {
    user: &'static str,
    note: &'static str,
}

impl Endpoint for Note {
    type Response = (u16, Option<String>, Option<String>, Option<String>, String);
    const OPERATION: Operation = Operation::get("note", "/users/{user}/notes/{note}");

    fn validate(&self) -> Result<(), InvalidRequest> {
        if self.note == "secret" { Err(InvalidRequest::new("note", "nobody may read it")) } else { Ok(()) }
    }

    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "user" => Some(self.user.into()),
            "note" => Some(self.note.into()),
            _ => None,
        }
    }

    fn decode(answer: &Answer<'_>) -> Result<Self::Response, DecodeError> {
        let parameter = |name| answer.path_parameter(name).map(Cow::into_owned);
        let header = answer.headers().get("x-note").and_then(|value| Some(value.to_str().ok()?.to_owned()));
        let body = String::from_utf8_lossy(answer.body()).into_owned();
        Ok((answer.status().as_u16(), header, parameter("user"), parameter("note"), body))
    }
}

const ODD: [&str; 6] = ["7", "a/b", "é ?#", "%2F", "..;", "{note}"];

fn response() -> Response<&'static str> {
    Response::builder().status(203).header("x-note", "kept").body("a, b").expect("a response")
}

#[tokio::test(start_paused = true)]
async fn what_is_read_is_what_the_client_reads_of_the_same_response() {
    let server = Server::start().await.expect("a server");
    server.on::<Note>().answers_response(response()).always();
    let client = without_sockets(&server);
    for user in ODD {
        let request = Note { user, note: "a%b" };
        let read = decode(&request, response()).expect("it is read");
        assert_eq!(read, client.execute(&request).await.expect("it is read"));
        assert_eq!((read.2.as_deref(), read.3.as_deref()), (Some(user), Some("a%b")));
    }
}

#[test]
fn an_answer_about_another_token_is_told_from_one_that_can_not_be_read() {
    let request = DiscardUserJwt::new("550e8400-e29b-41d4-a716-446655440000");
    let own = r#"{"token_id":"550e8400-e29b-41d4-a716-446655440000"}"#;
    assert_eq!(decode(&request, Response::new(own)).expect("its own").token_id, request.token_id);
    assert!(decode(&request, Response::new(r#"{"token_id":"another"}"#)).expect_err("another").is_unverified());
    assert!(!decode(&&request, Response::new("[]".to_owned())).expect_err("no object").is_unverified());
}

#[test]
fn what_the_client_would_not_read_is_a_panic() {
    let refused = Response::builder().status(StatusCode::NOT_FOUND).body("{}").expect("a response");
    assert_eq!(
        panic_message(|| _ = decode(&DiscardUserJwt::new("7"), refused)),
        "discard_user_jwt reads no answer of 404 Not Found: the client makes an error of it"
    );
    let too_long = CreateUserJwt::builder().name("x".repeat(256)).build();
    let message = panic_message(|| _ = decode(&too_long, Response::new("{}")));
    assert!(message.starts_with("create_user_jwt has no answer, since it can't be sent: name: "), "{message}");
    for (user, note) in [("7", "secret"), ("..", "7")] {
        let message = panic_message(|| _ = decode(&Note { user, note }, response()));
        assert!(message.starts_with("note has no answer, since it can't be sent: "), "{message}");
    }
}

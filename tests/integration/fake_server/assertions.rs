//! What a test asks of the requests that arrived.

use magicbell::jwt::{CreateProjectJwt, CreateUserJwt, DiscardUserJwt, FetchUserTokens};
use magicbell::testing::{Fault, Server};
use serde_json::json;

use super::scripts::FetchUser;
use super::support::{panic_message, without_sockets};

#[tokio::test(start_paused = true)]
async fn what_arrived_is_read_by_the_operation() {
    let server = Server::start().await.expect("a server");
    server.on::<CreateUserJwt>().fails(Fault::status(429));
    let client = without_sockets(&server);
    client.execute(CreateUserJwt::builder().external_id("hana").expiry(60).build()).await.expect("created");
    client.execute(FetchUserTokens::builder().user_id("a/b").limit(7).build()).await.expect("a list");

    let creates = server.received::<CreateUserJwt>();
    assert_eq!(creates.len(), 2);
    assert_eq!(creates[0].body_json(), json!({ "external_id": "hana", "expiry": 60 }));
    assert_eq!((creates[0].attempt(), creates[1].attempt()), (1, 2));
    assert!(creates[0].idempotency_key().is_some());
    assert_eq!(creates[0].idempotency_key(), creates[1].idempotency_key());
    assert_eq!(creates[1].header("content-type"), Some("application/json"));
    assert_eq!(creates[1].header("authorization"), None);

    let list = server.received::<FetchUserTokens>().remove(0);
    assert_eq!(list.path_parameter("user_id"), "a/b");
    assert_eq!(list.query_parameter("limit").as_deref(), Some("7"));
    assert_eq!((list.body_json(), list.idempotency_key()), (json!(null), None));
}

#[tokio::test(start_paused = true)]
async fn an_operation_without_a_script_is_found_too() {
    let server = Server::start().await.expect("a server");
    without_sockets(&server).execute(FetchUser("hana")).await.expect_err("the fake has no users");
    assert_eq!(server.received::<FetchUser>()[0].path_parameter("user_id"), "hana");
    server.assert_received::<FetchUser>(1);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_count_lists_what_arrived() {
    let server = Server::start().await.expect("a server");
    assert_eq!(
        panic_message(|| server.assert_received::<DiscardUserJwt>(1)),
        "discard_user_jwt (DELETE /jwt/user/{token_id}): 1 expected, 0 arrived.\nNo request arrived."
    );
    let client = without_sockets(&server);
    let id = server.add_user_tokens("hana", 1).remove(0);
    server.on::<DiscardUserJwt>().fails(Fault::close());
    client.execute(CreateProjectJwt::builder().name("ci").build()).await.expect("created");
    client.execute(DiscardUserJwt::new(&id)).await.expect("discarded");
    server.assert_received::<DiscardUserJwt>(2);
    server.assert_received::<CreateUserJwt>(0);
    let message = panic_message(|| server.assert_received::<DiscardUserJwt>(1));
    let expected = format!(
        "discard_user_jwt (DELETE /jwt/user/{{token_id}}): 1 expected, 2 arrived.\n\
         What arrived:\n  1. POST /v2/jwt/project {{\"name\":\"ci\"}}, answered 201\n\
         > 2. DELETE /v2/jwt/user/{id}, not answered\n> 3. DELETE /v2/jwt/user/{id}, answered 200"
    );
    assert_eq!(message, expected);
}

#[tokio::test(start_paused = true)]
async fn a_long_list_shows_its_end() {
    let server = Server::start().await.expect("a server");
    let client = without_sockets(&server);
    for id in server.add_user_tokens("hana", 60) {
        client.execute(DiscardUserJwt::new(id)).await.expect("discarded");
    }
    let message = panic_message(|| server.assert_received::<CreateUserJwt>(1));
    assert!(message.contains("\nWhat arrived:\n  … 10 more before these\n  11. DELETE "), "{message}");
    assert!(message.lines().last().expect("a line").starts_with("  60. DELETE "), "{message}");
}

#[tokio::test(start_paused = true)]
async fn no_message_shows_a_token() {
    let server = Server::start().await.expect("a server");
    let client = without_sockets(&server);
    let minted = client.execute(CreateUserJwt::builder().external_id("hana").build()).await.expect("created");
    let minted = minted.token.expose_secret();
    // Those who put one where it doesn't belong.
    for token in [minted, server.token()] {
        client.execute(FetchUserTokens::builder().user_id(token).starting_after(token).build()).await.expect_err("422");
    }
    client.execute(CreateUserJwt::builder().name(server.token()).build()).await.expect("created");
    server.on::<FetchUser>().fails(Fault::body(200, minted.to_owned()));

    let messages =
        [panic_message(|| server.assert_received::<FetchUser>(1)), panic_message(|| server.verify())].concat();
    assert!(messages.contains("/v2/jwt/user/[redacted]?starting_after=[redacted]"), "{messages}");
    for request in server.requests() {
        magicbell::testing::assert_hidden(server.token(), &request.to_string());
    }
    for secret in [minted, server.token()] {
        magicbell::testing::assert_hidden(secret, &messages);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asserted_of_requests_that_were_not_recorded() {
    let server = Server::start().await.expect("a server");
    server.record_requests(false);
    without_sockets(&server).execute(DiscardUserJwt::new("id")).await.expect_err("no such token");
    let message = panic_message(|| server.assert_received::<DiscardUserJwt>(0));
    assert!(message.contains("some requests were not recorded"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_script_is_taken_where_requests_are_not_recorded_too() {
    let server = Server::start().await.expect("a server");
    server.record_requests(false);
    server.on::<FetchUser>().when(|request| request.path_parameter("user_id") == "7").answers(json!({ "id": "7" }));
    assert!(without_sockets(&server).execute(FetchUser("7")).await.is_ok());
    server.verify();
}

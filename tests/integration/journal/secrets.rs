//! No token is ever in a journal.

use std::fs;

use magicbell::Client;
use magicbell::revocation::{Journal, JournalErrorKind, RevocationOutcome};
use magicbell::testing::{Fault, Server};

use super::{folder, outcomes, revoke};
use crate::support::{UNKNOWN_ID, client, json, transport};

const JWT: &str = "eyJhbGciOiJub25lIn0.e30.c2lnbmF0dXJl";

#[tokio::test]
async fn neither_the_clients_token_nor_one_given_for_an_id_is_written() {
    let (_folder, path) = folder();
    let server = Server::start().await.unwrap();
    let mut ids = server.add_user_tokens("u", 3);
    let given = [server.token().to_owned(), JWT.to_owned(), format!("Bearer {JWT}"), format!("{JWT}\n")];
    ids.extend(given.clone());
    let revocations = revoke(&client(&server), &ids, &path).await;
    assert!(outcomes(&revocations[3..]).iter().all(|outcome| *outcome == RevocationOutcome::InvalidId));
    let text = fs::read_to_string(&path).unwrap();
    assert!(given.iter().all(|token| !text.contains(token.trim())) && !text.contains("eyJ"));
    assert_eq!(text.matches("invalid_id").count(), 4);
    assert_eq!(server.count("discard_user_jwt"), 3, "and none is sent");
}

#[tokio::test]
async fn an_opaque_token_of_the_clients_own_that_is_given_for_an_id_is_not_written() {
    let (_folder, path) = folder();
    let (received, transport) = transport(|request| {
        let id = request.uri().path().rsplit('/').next().unwrap_or_default();
        Ok(json(200, &format!(r#"{{"token_id":"{id}"}}"#)))
    });
    let client = Client::builder().token("opaque-project-token").transport(transport).build().unwrap();
    let revocations = revoke(&client, &["opaque-project-token".into(), UNKNOWN_ID.into()], &path).await;
    assert_eq!(outcomes(&revocations), [RevocationOutcome::InvalidId, RevocationOutcome::Revoked]);
    assert!(!fs::read_to_string(&path).unwrap().contains("opaque-project-token"));
    assert_eq!(received.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_a_server_echoes_is_not_written() {
    let (_folder, path) = folder();
    let server = Server::start().await.unwrap();
    let ids = server.add_user_tokens("u", 2);
    let echo = format!(r#"{{"errors":[{{"code":"x","message":"{}"}}]}}"#, server.token());
    server.fail_next(Fault::body(403, echo));
    server.fail_next(Fault::body(200, format!(r#"{{"token_id":"{}","discarded_at":"{JWT}"}}"#, ids[1])));
    let journal = Journal::open(&path).unwrap();
    let batch = client(&server).jwt().discard_user_jwts(ids).concurrency(1).journal(journal).unwrap();
    assert_eq!(batch.run().await.count(RevocationOutcome::Revoked), 1);
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains("eyJ"), "{text}");
}

#[test]
fn a_token_is_no_name_of_a_project() {
    let (_folder, path) = folder();
    let error = Journal::options().project(JWT).open(&path).unwrap_err();
    assert_eq!(error.kind(), JournalErrorKind::OtherBatch);
    assert!(!format!("{error} {error:?}").contains("eyJ"));
}

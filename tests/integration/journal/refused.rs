//! Journals that a batch must not go on with.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::StreamExt;
use magicbell::jwt::JwtService;
use magicbell::middleware::auth::bearer;
use magicbell::revocation::{Journal, JournalErrorKind, RevocationReport, StopReason};
use magicbell::testing::Server;
use magicbell::{Client, RotatingCredentials};

use super::{folder, lines, revoke};
use crate::support::{client, json, transport};

/// Asks a service to go on with a journal for users' tokens.
fn users(service: JwtService<'_>, journal: Journal) -> Option<JournalErrorKind> {
    service.discard_user_jwts(["a"]).journal(journal).err().map(|error| error.kind())
}

#[tokio::test]
async fn another_host_or_the_other_kind_of_token_is_refused_and_the_file_is_left_alone() {
    let (_folder, path) = folder();
    let (server, other) = (Server::start().await.unwrap(), Server::start().await.unwrap());
    revoke(&client(&server), &server.add_user_tokens("u", 3), &path).await;
    let before = lines(&path);
    let open = || Journal::open(&path).unwrap();
    assert_eq!(users(client(&other).jwt(), open()), Some(JournalErrorKind::OtherBatch));
    let error = client(&server).jwt().discard_project_jwts(["a"]).journal(open()).unwrap_err();
    assert_eq!(error.kind(), JournalErrorKind::OtherBatch);
    assert!(error.to_string().contains("\"user\"") && error.to_string().contains("\"project\""), "{error}");
    assert_eq!(users(client(&server).jwt(), open()), None);
    assert_eq!((lines(&path), other.request_count()), (before, 0));
}

#[tokio::test]
async fn another_name_of_the_project_or_none_is_refused() {
    let (_folder, path) = folder();
    let server = Server::start().await.unwrap();
    let client = client(&server);
    let acme = || Journal::options().project("acme").open(&path).unwrap();
    let ids = server.add_user_tokens("u", 3);
    let report = client.jwt().discard_user_jwts(ids).journal(acme()).unwrap().run().await;
    assert!(report.is_complete(), "{report}");
    assert_eq!(users(client.jwt(), acme()), None);
    let other = Journal::options().project("other").open(&path).unwrap();
    assert_eq!(users(client.jwt(), other), Some(JournalErrorKind::OtherBatch));
    assert_eq!(users(client.jwt(), Journal::open(&path).unwrap()), Some(JournalErrorKind::OtherBatch));
}

/// A token that says what its project is, and is worth nothing.
fn token_of(project: &str) -> String {
    let claims = URL_SAFE_NO_PAD.encode(format!(r#"{{"project_id":"{project}"}}"#));
    format!("eyJhbGciOiJub25lIn0.{claims}.")
}

/// A client whose every discard succeeds.
fn client_of(token: &str) -> Client {
    client_with(RotatingCredentials::new(bearer(token).unwrap()))
}

fn client_with(credentials: RotatingCredentials) -> Client {
    let (_, transport) = transport(|request| {
        let id = request.uri().path().rsplit('/').next().unwrap_or_default();
        Ok(json(200, &format!(r#"{{"token_id":"{id}"}}"#)))
    });
    Client::builder().credentials(credentials).transport(transport).build().unwrap()
}

#[tokio::test]
async fn a_token_of_another_project_is_found_out_when_it_is_known_and_nothing_is_sent() {
    let (_folder, path) = folder();
    let open = || Journal::open(&path).unwrap();
    let batch = client_of(&token_of("one")).jwt().discard_user_jwts(["a"]).journal(open()).unwrap();
    assert!(batch.run().await.is_complete());
    let before = lines(&path);
    assert!(before[0].contains(r#""token_project":"one""#), "{}", before[0]);

    // It hasn't been asked for its token yet.
    let other = client_of(&token_of("other"));
    let report = other.jwt().discard_user_jwts(["a", "b"]).journal(open()).unwrap().run().await;
    assert_eq!((report.stopped, report.not_attempted().count()), (Some(StopReason::JournalFailed), 2));
    assert_eq!(report.journal_error.unwrap().kind(), JournalErrorKind::OtherBatch);
    // Now it has.
    assert_eq!(users(other.jwt(), open()), Some(JournalErrorKind::OtherBatch));
    assert_eq!(lines(&path), before);

    // A token that has been rotated is of the same project, and one that says nothing may be.
    for token in [token_of("one") + "again", "opaque".to_owned()] {
        let report = client_of(&token).jwt().discard_user_jwts(["a", "b"]).journal(open()).unwrap().run().await;
        assert!(report.is_complete(), "{report}");
    }
}

#[tokio::test]
async fn a_report_of_a_stream_says_what_is_wrong_with_the_journal() {
    let (_folder, path) = folder();
    let open = || Journal::open(&path).unwrap();
    let batch = client_of(&token_of("one")).jwt().discard_user_jwts(["a"]).journal(open()).unwrap();
    assert!(batch.run().await.journal_error.is_none());

    let other = client_of(&token_of("other"));
    let mut outcomes = other.jwt().discard_user_jwts(["a", "b"]).journal(open()).unwrap().stream();
    let mut report = RevocationReport::new();
    while let Some(revocation) = outcomes.next().await {
        report.record(revocation);
    }
    report.finish(&outcomes);
    drop(outcomes);
    assert_eq!((report.stopped, report.not_attempted().count()), (Some(StopReason::JournalFailed), 2));
    assert_eq!(report.journal_error.unwrap().kind(), JournalErrorKind::OtherBatch);
}

#[tokio::test]
async fn two_batches_at_once_are_refused_and_one_after_the_other_is_not() {
    let (_folder, path) = folder();
    let server = Server::start().await.unwrap();
    let first = Journal::open(&path).unwrap();
    assert_eq!(Journal::open(&path).unwrap_err().kind(), JournalErrorKind::InUse);
    let stream = client(&server).jwt().discard_user_jwts(["a"]).journal(first).unwrap().stream();
    assert_eq!(Journal::open(&path).unwrap_err().kind(), JournalErrorKind::InUse);
    drop(stream);
    assert!(Journal::open(&path).is_ok());
}

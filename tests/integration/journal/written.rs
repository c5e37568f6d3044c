//! What is in a journal, and when.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use futures_util::StreamExt as _;
use http::Request;
use magicbell::revocation::{Journal, JournalSync, RevocationOutcome};
use magicbell::testing::{Fault, Server};
use magicbell::{Body, Client};
use serde_json::Value;

use super::{folder, lines, revoke};
use crate::support::{client, quick};

fn values(lines: &[String]) -> Vec<Value> {
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn the_first_line_says_what_it_is_about_and_each_id_has_an_intent_and_an_outcome() {
    let (_folder, path) = folder();
    let server = Server::start().await.unwrap();
    let ids = server.add_user_tokens("u", 30);
    revoke(&client(&server), &ids, &path).await;
    let values = values(&lines(&path));
    assert_eq!(values[0]["magicbell_journal"], 1);
    assert_eq!((&values[0]["base_url"], &values[0]["kind"]), (&server.url().into(), &"user".into()));
    assert_eq!(values.len(), 61);
    let mut state = HashMap::<&str, &str>::new();
    for value in &values[1..] {
        if let Some(id) = value["intent"].as_str() {
            assert_eq!(state.insert(id, "intent"), None, "{value}");
        } else {
            let id = value["id"].as_str().unwrap();
            assert_eq!(state.insert(id, "outcome"), Some("intent"), "{value}");
            assert_eq!((&value["outcome"], &value["status"]), (&"revoked".into(), &200.into()));
            assert_eq!(value["attempts"], 1);
            assert!(value["discarded_at"].is_string());
            assert_eq!(ids[value["index"].as_u64().unwrap() as usize], id);
        }
    }
    assert!(ids.iter().all(|id| state[&**id] == "outcome"));
}

#[tokio::test]
async fn an_intent_is_in_the_file_before_its_request_is_sent() {
    for sync in [JournalSync::Each, JournalSync::Every(Duration::from_secs(3600))] {
        let (_folder, path) = folder();
        let server = Server::start().await.unwrap();
        let ids = server.add_user_tokens("u", 100);
        let journal = Journal::options().sync(sync).open(&path).unwrap();
        let layer = tower::util::MapRequestLayer::new(move |request: Request<Body>| {
            let id = request.uri().path().rsplit('/').next().unwrap();
            assert!(fs::read_to_string(&path).unwrap().contains(&format!("{{\"intent\":\"{id}\"}}\n")), "{id}");
            request
        });
        let builder = Client::builder().token(server.token()).base_url(server.url()).retry(quick());
        let client = builder.attempt_layer(layer).build().unwrap();
        let report = client.jwt().discard_user_jwts(ids).concurrency(16).journal(journal).unwrap().run().await;
        assert_eq!(report.count(RevocationOutcome::Revoked), 100, "{report}");
    }
}

#[tokio::test]
async fn an_outcome_is_in_the_file_before_it_is_handed_out() {
    let (_folder, path) = folder();
    let server = Server::start().await.unwrap();
    let mut ids = server.add_user_tokens("u", 60);
    ids.extend(["unknown".to_owned(), "..".to_owned()]);
    server.fail_randomly(5, 4, Fault::status(500).after_processing());
    let journal = Journal::open(&path).unwrap();
    let batch = client(&server).jwt().discard_user_jwts(ids).concurrency(16).journal(journal).unwrap();
    let mut stream = batch.stream();
    while let Some(revocation) = stream.next().await {
        let text = fs::read_to_string(&path).unwrap();
        let written = format!(r#"{{"outcome":"{}","id":"{}""#, revocation.outcome, revocation.token_id);
        assert!(text.contains(&written) || revocation.outcome == RevocationOutcome::InvalidId, "{written}");
    }
    assert!(lines(&path).contains(&"{\"outcome\":\"invalid_id\",\"index\":61}\n".to_owned()));
}

#[tokio::test]
async fn a_batch_that_sends_nothing_writes_nothing() {
    let (_folder, path) = folder();
    let server = Server::start().await.unwrap();
    assert!(revoke(&client(&server), &[], &path).await.is_empty());
    let batch = client(&server).jwt().discard_user_jwts(["a"]).journal(Journal::open(&path).unwrap()).unwrap();
    batch.stop_handle().stop();
    assert_eq!(batch.run().await.count(RevocationOutcome::NotAttempted), 1);
    assert_eq!(fs::read(&path).unwrap(), b"");
}

//! `tokens create`

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use magicbell::jwt::FetchProjectTokens;
use magicbell::testing::Fault;
use magicbell::{Client, SecretToken};

use crate::support::{Room, interrupt, mode};

const CREATE: [&str; 5] = ["tokens", "create", "--project", "--name", "ci"];

/// Shows that a token works.
async fn works(room: &Room, token: &str) {
    let client = Client::builder().token(SecretToken::from(token)).base_url(room.server.url()).build().unwrap();
    client.execute(FetchProjectTokens::builder().build()).await.unwrap();
}

fn saved(room: &Room) -> PathBuf {
    let files = fs::read_dir(room.path("")).unwrap().map(|entry| entry.unwrap().path());
    let mut files = files.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("magicbell-answer-"));
    let file = files.next().unwrap();
    assert_eq!(files.next(), None);
    file
}

#[tokio::test]
async fn the_token_goes_to_a_new_file_that_its_owner_alone_can_read() {
    let room = Room::new().await;
    let ran = room.run(&[&CREATE[..], &["--expiry", "30d", "--out", "ci.token"]].concat()).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{ran:?}");
    assert_eq!(mode(room.path("ci.token")), 0o600);
    let token = fs::read_to_string(room.path("ci.token")).unwrap();
    assert!(!ran.stderr.contains(token.trim()), "it is in the file alone");
    works(&room, token.trim_end_matches('\n')).await;
    let made = room.server.project_tokens().pop().unwrap();
    assert!(ran.stderr.contains(&made.token_id) && made.expires_at.is_some(), "{}", ran.stderr);
}

#[tokio::test]
async fn a_file_that_is_there_is_kept_and_nothing_is_created() {
    let room = Room::new().await;
    room.file("ci.token", "another's");
    let ran = room.run(&[&CREATE[..], &["--out", "ci.token"]].concat()).await;
    assert_eq!((ran.code, room.server.request_count()), (1, 0), "{ran:?}");
    assert_eq!(fs::read_to_string(room.path("ci.token")).unwrap(), "another's");
}

#[tokio::test]
async fn without_a_file_it_goes_to_standard_output_where_that_is_no_terminal() {
    let room = Room::new().await;
    let arguments =
        ["tokens", "create", "--user", "--external-id", "user-42", "--email", "a@example.com", "--name", "inbox"];
    let ran = room.run(&arguments).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let token = ran.stdout.strip_suffix('\n').unwrap();
    assert!(token.starts_with("eyJ") && !ran.stderr.contains(token), "{ran:?}");
    let made = room.server.user_tokens("user-42");
    assert_eq!((made.len(), made[0].name.as_deref()), (1, Some("inbox")));
}

#[tokio::test]
async fn an_answer_that_can_not_be_read_is_saved_and_the_path_told() {
    let room = Room::new().await;
    for (more, is_out) in [(&["--out", "ci.token"][..], true), (&[], false)] {
        room.server.fail_next(Fault::cut_body(200).after_processing().on("create_project_jwt"));
        let ran = room.run(&[&CREATE[..], more].concat()).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
        let path = if is_out { room.path("ci.token") } else { saved(&room) };
        let body = fs::read_to_string(&path).unwrap();
        assert!(body.len() == 200 && body.contains("eyJ"), "{body}");
        assert_eq!(mode(&path), 0o600);
        assert!(ran.stderr.contains(path.file_name().unwrap().to_str().unwrap()), "{}", ran.stderr);
        assert!(!ran.stderr.contains("eyJ"), "{}", ran.stderr);
    }
    assert_eq!(room.server.count("create_project_jwt"), 2, "neither was sent again");
}

#[tokio::test]
async fn what_was_refused_leaves_no_file() {
    let room = Room::new().await;
    room.server.fail_next(Fault::status(422));
    let ran = room.run(&[&CREATE[..], &["--out", "ci.token"]].concat()).await;
    assert_eq!((ran.code, room.path("ci.token").exists()), (1, false), "{ran:?}");
}

#[tokio::test]
async fn a_create_whose_outcome_is_unknown_says_what_to_look_for() {
    let room = Room::new().await;
    room.server.fail_next(Fault::reset().after_processing());
    let ran = room.run(&CREATE).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("list"), "{}", ran.stderr);
    assert_eq!(room.server.count("create_project_jwt"), 1);
}

#[tokio::test]
async fn a_token_that_can_not_be_handed_over_is_discarded() {
    let room = Room::new().await;
    let mut child = room.command(&CREATE).spawn().unwrap();
    drop(child.stdout.take());
    let ran = room.end(child).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    let made = room.server.project_tokens().pop().unwrap();
    assert_eq!(room.server.is_discarded(&made.token_id), Some(true));
    assert!(ran.stderr.contains("so it was discarded"), "{}", ran.stderr);
}

#[tokio::test]
async fn one_ctrl_c_does_not_lose_a_token_that_is_under_way() {
    let room = Room::new().await;
    room.server.fail_next(Fault::delay(Duration::from_secs(2)).on("create_project_jwt"));
    let child = room.command(&CREATE).spawn().unwrap();
    room.wait_for("create_project_jwt", 1).await;
    interrupt(&child);
    let ran = room.end(child).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stderr.contains("its answer is awaited"), "{}", ran.stderr);
    works(&room, ran.stdout.trim_end()).await;
}

#[tokio::test]
async fn options_that_do_not_go_together_create_nothing() {
    let room = Room::new().await;
    for wrong in [
        &["--project"][..],
        &["--project", "--user", "--name", "x"],
        &["--project", "--name", "x", "--email", "a@example.com"],
        &["--project", "--name", "x", "--external-id", "u"],
        &["--user", "--expiry", "0d"],
        &["--user", "--expiry", "soon"],
        &["--user", "--show", "--out", "x"],
    ] {
        let ran = room.run(&[&["tokens", "create"], wrong].concat()).await;
        assert_eq!(ran.code, 2, "{wrong:?}: {ran:?}");
    }
    assert_eq!(room.server.request_count(), 0);
}

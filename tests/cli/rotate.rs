//! `rotate`

use std::fs;
use std::time::Duration;

use magicbell::jwt::FetchProjectTokens;
use magicbell::testing::Fault;
use magicbell::{Client, SecretToken};

use crate::support::{Room, interrupt, mode};

const ROTATE: [&str; 7] = ["rotate", "--out", "ci.token", "--name", "ci", "--grace", "0"];
const LIST: &str = "fetch_project_tokens";
const CREATE: &str = "create_project_jwt";
const DISCARD: &str = "discard_project_jwt";

fn handed(room: &Room) -> Option<String> {
    let text = fs::read_to_string(room.path("ci.token")).ok()?;
    Some(text.strip_suffix('\n').unwrap().to_owned())
}

async fn works(room: &Room, token: &str) -> bool {
    let client = Client::builder().token(SecretToken::from(token)).base_url(room.server.url()).build().unwrap();
    client.execute(FetchProjectTokens::builder().build()).await.is_ok()
}

/// The live tokens, but for the one that the server began with.
fn made(room: &Room) -> usize {
    let others = room.server.project_tokens();
    others.iter().filter(|token| token.token_id != room.server.token_id() && token.discarded_at.is_none()).count()
}

fn is_old_gone(room: &Room) -> bool {
    room.server.is_discarded(room.server.token_id()).unwrap()
}

/// Looks whether a rotation is at its end: one new token, which works, and nothing else is left.
async fn assert_done(room: &Room) {
    assert!(is_old_gone(room));
    assert_eq!(made(room), 1);
    assert!(works(room, &handed(room).unwrap()).await);
    assert_eq!(mode(room.path("ci.token")), 0o600);
    let left = fs::read_dir(room.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    assert!(!left.iter().any(|name| name.to_str().unwrap().starts_with("ci.token.")), "{left:?}");
}

#[tokio::test]
async fn the_old_token_is_gone_and_the_new_one_works() {
    let room = Room::new().await;
    room.file("ci.token", "what was there");
    let ran = room.run(&[&ROTATE[..], &["--expiry", "30d", "--hand-to", "cat >handed"]].concat()).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{ran:?}");
    assert_done(&room).await;
    let new = handed(&room).unwrap();
    assert_eq!(fs::read_to_string(room.path("handed")).unwrap().trim_end(), new);
    assert!(!ran.stderr.contains(&new), "{}", ran.stderr);
    let token = room.server.project_tokens().pop().unwrap();
    assert!(token.name.unwrap().starts_with("ci #") && token.expires_at.is_some());
}

#[tokio::test]
async fn wherever_it_dies_there_is_a_working_token_and_the_same_command_goes_on() {
    // A list is read twice, to find the old token; the third read is the new one's proof.
    let listed = || Fault::delay(Duration::ZERO).on(LIST).times(2);
    for (operation, requests, faults) in [
        (LIST, 1, vec![Fault::stall().on(LIST)]),
        (CREATE, 1, vec![Fault::stall().on(CREATE)]),
        (CREATE, 1, vec![Fault::stall().after_processing().on(CREATE)]),
        (LIST, 3, vec![listed(), Fault::stall().on(LIST)]),
        (DISCARD, 1, vec![Fault::stall().on(DISCARD)]),
        (DISCARD, 1, vec![Fault::stall().after_processing().on(DISCARD)]),
    ] {
        let room = Room::new().await;
        let when = format!("{faults:?}");
        faults.into_iter().for_each(|fault| room.server.fail_next(fault));
        let mut child = room.command(&ROTATE).spawn().unwrap();
        room.wait_for(operation, requests).await;
        child.start_kill().unwrap();
        child.wait().await.unwrap();
        room.server.clear_faults();
        let handed_works = match handed(&room) {
            Some(new) => works(&room, &new).await,
            None => false,
        };
        assert!(handed_works || !is_old_gone(&room), "{when}: there is no working token");
        let ran = room.run(&ROTATE).await;
        assert_eq!(ran.code, 0, "{when}: {ran:?}");
        assert_done(&room).await;
    }
}

#[tokio::test]
async fn of_two_rotations_at_once_one_is_refused_and_does_nothing() {
    for (operation, stalled) in [(LIST, Fault::stall().on(LIST)), (CREATE, Fault::stall().on(CREATE))] {
        let room = Room::new().await;
        room.server.fail_next(stalled);
        let mut first = room.command(&ROTATE).spawn().unwrap();
        room.wait_for(operation, 1).await;
        let before = room.server.request_count();
        let ran = room.run(&ROTATE).await;
        assert_eq!((ran.code, room.server.request_count()), (1, before), "{operation}: {ran:?}");
        assert!(ran.stderr.contains("another rotation is under way"), "{}", ran.stderr);
        first.start_kill().unwrap();
        first.wait().await.unwrap();
        // Whoever is killed has the file no more.
        let ran = room.run(&ROTATE).await;
        assert_eq!(ran.code, 0, "{operation}: {ran:?}");
        assert_done(&room).await;
    }
}

#[tokio::test]
async fn a_command_that_fails_leaves_the_old_token_and_can_be_tried_again() {
    let room = Room::new().await;
    let ran = room.run(&[&ROTATE[..], &["--hand-to", "cat >handed; exit 7"]].concat()).await;
    assert_eq!((ran.code, is_old_gone(&room), made(&room)), (1, false, 1), "{ran:?}");
    assert_eq!(mode(room.path("ci.token.rotation")), 0o600);
    let ran = room.run(&[&ROTATE[..], &["--hand-to", "cat >handed"]].concat()).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_done(&room).await;
    assert_eq!(room.server.count(CREATE), 1);
}

#[tokio::test]
async fn ctrl_c_in_the_time_of_grace_leaves_the_old_token() {
    let room = Room::new().await;
    let wait = ["rotate", "--out", "ci.token", "--name", "ci", "--grace", "1h"];
    let child = room.command(&[&wait[..], &["--hand-to", "cat >handed"]].concat()).spawn().unwrap();
    while !room.path("handed").exists() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    interrupt(&child);
    let ran = room.end(child).await;
    assert_eq!((ran.code, is_old_gone(&room)), (6, false), "{ran:?}");
    assert_eq!(room.run(&ROTATE).await.code, 0);
    assert_done(&room).await;
}

#[tokio::test]
async fn where_the_old_token_is_not_known_for_sure_nothing_is_made() {
    let room = Room::new().await;
    let other = room.server.add_project_tokens(1);
    let ran = room.run(&[&ROTATE[..], &["--old-id", &other[0]]].concat()).await;
    assert_eq!((ran.code, room.server.count(CREATE)), (2, 0), "{ran:?}");
    assert!(!room.path("ci.token.rotation").exists());
    room.file("ci.token.rotation", "notes of mine");
    let ran = room.run(&ROTATE).await;
    assert_eq!((ran.code, room.server.count(CREATE)), (2, 0), "{ran:?}");
}

/// What is added to the name would make it one that the service refuses, each time the rotation is gone on with.
#[tokio::test]
async fn a_name_that_leaves_no_room_is_refused_before_anything_is_done() {
    let room = Room::new().await;
    for name in ["", &"x".repeat(238)] {
        let run = room.run(&["rotate", "--out", "ci.token", "--name", name, "--grace", "0"]).await;
        assert_eq!(run.code, 2, "{}", run.stderr);
    }
    assert_eq!(room.server.request_count(), 0);
    room.run(&["rotate", "--out", "ci.token", "--name", &"x".repeat(237), "--grace", "0"]).await;
    assert_done(&room).await;
}

//! `tokens revoke`: exit codes of what didn't go well.

use std::process::Stdio;

use magicbell::testing::Fault;

use crate::support::{FAST, Room, count};

const DISCARD: &str = "discard_user_jwt";

#[tokio::test]
async fn an_id_that_is_not_found_is_4() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 1);
    let ran = room.run(&["tokens", "revoke", &ids[0], "nobody-has-this", "--user-tokens", "--yes"]).await;
    assert_eq!(ran.code, 4, "{ran:?}");
    assert_eq!((count(&ran.lines(), "revoked"), count(&ran.lines(), "not_found")), (1, 1));
}

#[tokio::test]
async fn a_refusal_is_4() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 2);
    room.server.fail_next(Fault::status(403).on(DISCARD));
    let ran = room.run(&["tokens", "revoke", &ids[0], &ids[1], "--user-tokens", "--yes"]).await;
    assert_eq!((ran.code, room.live(&ids)), (4, 1), "{ran:?}");
    assert_eq!(count(&ran.lines(), "refused"), 1);
}

#[tokio::test]
async fn no_answer_to_the_end_is_5() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 1);
    room.server.fail_next(Fault::status(503).on(DISCARD).always());
    let ran = room.run(&["tokens", "revoke", &ids[0], "--user-tokens", "--yes"]).await;
    assert_eq!((ran.code, room.live(&ids)), (5, 1), "{ran:?}");
    assert_eq!(count(&ran.lines(), "unknown"), 1);
    assert_eq!(room.discards(), 3);
}

#[tokio::test]
async fn a_survivor_is_5_whatever_was_answered() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 2);
    let answer = format!(r#"{{"token_id":"{}","discarded_at":"2026-01-31T12:00:00Z"}}"#, ids[0]);
    room.server.fail_next(Fault::body(200, answer).on(DISCARD));
    // One at a time, so that the fault meets the first.
    let select = ["tokens", "revoke", "--all-of-user", "hana", "--yes", "--concurrency", "1"];
    let ran = room.run(&select).await;
    assert_eq!((ran.code, room.live(&ids)), (5, 1), "{ran:?}");
    let survived = ids.iter().find(|id| room.server.is_discarded(id) == Some(false)).unwrap();
    assert!(ran.stderr.contains(&format!("1 of the 2 still listed: {survived}")), "{}", ran.stderr);
}

#[tokio::test]
async fn what_was_not_answered_and_is_not_listed_any_more_is_achieved() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 2);
    room.server.fail_next(Fault::status(500).after_processing().on(DISCARD).times(2));
    let ran = room.run(&["tokens", "revoke", "--all-of-user", "hana", "--yes"]).await;
    assert_eq!((ran.code, room.live(&ids)), (0, 0), "{ran:?}");
}

#[tokio::test]
async fn a_list_that_never_comes_to_rest_is_5_although_all_that_was_seen_is_gone() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 5);
    for id in &ids {
        let page = format!(r#"{{"data":[{{"id":"{id}","created_at":"2026-01-31T12:00:00Z"}}]}}"#);
        room.server.fail_next(Fault::body(200, page).on("fetch_user_tokens"));
    }
    let ran = room.run(&["tokens", "revoke", "--all-of-user", "hana", "--yes"]).await;
    assert_eq!((ran.code, room.live(&ids)), (5, 0), "{ran:?}");
    assert!(ran.stderr.contains("the plan may have lacked tokens"), "{}", ran.stderr);
}

#[tokio::test]
async fn tokens_that_were_made_meanwhile_are_told() {
    let room = Room::new().await;
    room.server.add_user_tokens("hana", 2);
    room.server.fail_next(Fault::stall().on(DISCARD));
    let child =
        room.command(&["tokens", "revoke", "--all-of-user", "hana", "--yes", "--timeout", "1s"]).spawn().unwrap();
    room.wait_for(DISCARD, 1).await;
    let made = room.server.add_user_tokens("hana", 1);
    let ran = room.end(child).await;
    assert!(ran.stderr.contains(&format!("1 token made meanwhile: {}", made[0])), "{ran:?}");
    assert!(ran.stderr.contains("CAREFUL: 1 of those"), "{ran:?}");
    assert_eq!((ran.code, room.live(&made)), (7, 1));
    let ran = room.run(&["tokens", "revoke", "--all-of-user", "hana", "--yes"]).await;
    assert_eq!((ran.code, room.live(&made)), (0, 0), "{ran:?}");
}

#[tokio::test]
async fn tokens_that_were_made_meanwhile_and_are_not_meant_are_told_and_nothing_more() {
    for narrowed in [["--created-before", "1s ago"], ["--name-matches", "old*"]] {
        let room = Room::new().await;
        let client = room.server.client();
        let create = |name| magicbell::jwt::CreateUserJwt::builder().external_id("hana").name(name).build();
        let old = client.execute(create("old")).await.unwrap().token_id;
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        room.server.fail_next(Fault::stall().on(DISCARD));
        let revoke = ["tokens", "revoke", "--all-of-user", "hana", "--yes", "--timeout", "1s"];
        let child = room.command(&[&revoke[..], &narrowed].concat()).spawn().unwrap();
        room.wait_for(DISCARD, 1).await;
        let made = client.execute(create("new")).await.unwrap().token_id;
        let ran = room.end(child).await;
        assert!(ran.stderr.contains(&format!("1 token made meanwhile: {made}")), "{ran:?}");
        assert_eq!((ran.code, room.live(&[old])), (0, 0), "{ran:?}");
    }
}

#[tokio::test]
async fn what_was_not_revoked_counts_for_more_than_what_was_made_meanwhile() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 1);
    room.server.fail_next(Fault::stall().on(DISCARD));
    room.server.fail_next(Fault::status(403).on(DISCARD));
    let revoke = ["tokens", "revoke", "--all-of-user", "hana", "--yes", "--timeout", "1s"];
    let child = room.command(&revoke).spawn().unwrap();
    room.wait_for(DISCARD, 1).await;
    room.server.add_user_tokens("hana", 1);
    let ran = room.end(child).await;
    assert_eq!((ran.code, room.live(&ids)), (5, 1), "{ran:?}");
}

#[tokio::test]
async fn a_401_is_3_and_stops_the_rest() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 50);
    room.server.fail_next(Fault::status(401).on(DISCARD).always());
    let ran = room.run(&["tokens", "revoke", "--all-of-user", "hana", "--yes", "--concurrency", "1"]).await;
    assert_eq!((ran.code, room.live(&ids), room.discards()), (3, 50, 1), "{ran:?}");
    assert_eq!(count(&ran.lines(), "not_attempted"), 49);
}

#[tokio::test]
async fn ids_that_are_all_not_found_stop_the_batch() {
    let room = Room::new().await;
    let ids = (0..60).map(|id| format!("nobody-has-{id}")).collect::<Vec<_>>().join("\n");
    let file = room.file("ids.txt", ids);
    let ran = room.run(&["tokens", "revoke", "--file", &file, "--user-tokens", "--yes", "--concurrency", "1"]).await;
    assert_eq!((ran.code, room.discards()), (4, 20), "{ran:?}");
    assert!(ran.stderr.contains("40 were not attempted"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_log_that_can_not_be_opened_sends_nothing() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 1);
    let ran = room.run(&["tokens", "revoke", &ids[0], "--user-tokens", "--yes", "--log", "no-such-folder/log"]).await;
    assert_eq!((ran.code, room.discards()), (1, 0), "{ran:?}");
}

#[tokio::test]
async fn where_outcomes_can_not_be_told_it_stops() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 100);
    let arguments = ["tokens", "revoke", "--all-of-user", "hana", "--yes", "--concurrency", "1"];
    let mut command = room.command(&[&arguments[..], &FAST].concat());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ran = room.end(child).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(room.live(&ids) >= 90, "only {} are live", room.live(&ids));
    assert!(ran.stderr.contains("the outcomes can't be written"), "{}", ran.stderr);
}

#[tokio::test]
async fn nobody_at_the_address_is_1() {
    let room = Room::new().await;
    let arguments = ["tokens", "revoke", "--all-of-user", "hana", "--yes", "--base-url", "http://127.0.0.1:1/v2"];
    let ran = room.run(&arguments).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(room.server.request_count(), 0);
}

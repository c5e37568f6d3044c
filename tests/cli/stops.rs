//! Ctrl-C, and what is so after it.

use std::collections::HashSet;
use std::time::Duration;

use magicbell::testing::Fault;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::support::{FAST, Room, count, interrupt, json_lines};

const DISCARD: &str = "discard_user_jwt";

#[tokio::test]
async fn ctrl_c_lets_what_is_in_flight_end_and_says_what_is_left() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 100);
    // Three go at once, the others one a second.
    let select = ["tokens", "revoke", "--all-of-user", "hana", "--yes", "--rate", "60", "--concurrency", "1"];
    let child = room.command(&[&select[..], &["--journal", "journal"]].concat()).spawn().unwrap();
    room.wait_for(DISCARD, 3).await;
    interrupt(&child);
    let ran = room.end(child).await;
    assert_eq!(ran.code, 6, "{ran:?}");
    assert!(ran.stderr.contains("stopping: of 1 in flight, what was sent may end"), "{}", ran.stderr);
    let (revoked, left) = (count(&ran.lines(), "revoked"), count(&ran.lines(), "not_attempted"));
    assert_eq!((revoked, left), (room.discards(), 100 - room.discards()));
    assert!((3..10).contains(&revoked), "{revoked}");
    assert_eq!(room.live(&ids), left);
    assert!(
        ran.stderr.contains(&format!("{left} were not attempted: the same command with --resume")),
        "{}",
        ran.stderr
    );

    let ran =
        room.run(&["tokens", "revoke", "--all-of-user", "hana", "--yes", "--journal", "journal", "--resume"]).await;
    assert_eq!((ran.code, room.live(&ids), room.discards()), (0, 0, 100), "{ran:?}");
}

#[tokio::test]
async fn ctrl_c_waits_for_no_quota() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 50);
    let file = room.file("ids.txt", ids.join("\n"));
    let select = ["tokens", "revoke", "--file", &file, "--user-tokens", "--yes", "--journal", "journal"];
    // One goes at once, and the next a minute later.
    let slow = [&select[..], &["--rate", "1"]].concat();
    let child = room.command(&slow).spawn().unwrap();
    room.wait_for(DISCARD, 1).await;
    let start = std::time::Instant::now();
    interrupt(&child);
    let ran = room.end(child).await;
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert_eq!((ran.code, room.discards(), room.live(&ids)), (6, 1, 49), "{ran:?}");
    assert_eq!(count(&ran.lines(), "not_attempted"), 49);
    let journal = std::fs::read_to_string(room.path("journal")).unwrap();
    assert_eq!(journal.matches("\"outcome\":\"not_attempted\"").count(), 49, "{journal}");

    let ran = room.run(&[&select[..], &["--resume"]].concat()).await;
    assert_eq!((ran.code, room.live(&ids), room.discards()), (0, 0, 50), "{ran:?}");
}

#[tokio::test]
async fn a_second_ctrl_c_ends_it_and_what_was_in_flight_is_unknown() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 10);
    room.server.fail_next(Fault::stall().on(DISCARD).times(2));
    let file = room.file("ids.txt", ids.join("\n"));
    let arguments = ["tokens", "revoke", "--file", &file, "--user-tokens", "--yes", "--concurrency", "2"];
    let arguments = [&arguments[..], &["--journal", "journal", "--log", "log"]].concat();
    let mut child = room.command(&arguments).spawn().unwrap();
    room.wait_for(DISCARD, 2).await;
    interrupt(&child);
    // Two signals that come at once are one: the second is sent when the first has been taken.
    let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
    while !stderr.next_line().await.unwrap().unwrap().starts_with("stopping: of 2 in flight") {}
    interrupt(&child);
    let ran = room.end(child).await;
    assert_eq!(ran.code, 6, "{ran:?}");
    let log = json_lines(&std::fs::read_to_string(room.path("log")).unwrap());
    assert_eq!((count(&log, "unknown"), count(&log, "not_attempted")), (2, 8), "{log:?}");

    let ran = room.run(&[&arguments[..], &["--resume"]].concat()).await;
    assert_eq!((ran.code, room.live(&ids)), (0, 0), "{ran:?}");
    assert!(ran.stderr.contains("journal goes on: 0 settled already, 2 to be sent again"), "{}", ran.stderr);
}

#[tokio::test]
async fn ctrl_c_while_it_is_planned_ends_it_with_nothing_sent() {
    let room = Room::new().await;
    room.server.add_user_tokens("hana", 10);
    room.server.fail_next(Fault::stall().on("fetch_user_tokens"));
    let child = room.command(&["tokens", "revoke", "--all-of-user", "hana", "--yes"]).spawn().unwrap();
    room.wait_for("fetch_user_tokens", 1).await;
    interrupt(&child);
    let ran = room.end(child).await;
    assert_eq!((ran.code, room.discards()), (6, 0), "{ran:?}");
}

#[tokio::test]
async fn whenever_ctrl_c_comes_each_id_has_one_true_outcome() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 1_000);
    room.server.fail_randomly(1, 20, Fault::reset().after_processing());
    let (file, total) = (room.file("ids.txt", ids.join("\n")), ids.len().to_string());
    let arguments = ["tokens", "revoke", "--file", &file, "--user-tokens", "--yes", "--expect-count", &total];
    let arguments = [&arguments[..], &["--journal", "journal", "--concurrency", "8"], &FAST].concat();
    for round in 0..20 {
        // Not a pipe that nobody reads yet: it would be full before the signal comes.
        let log = format!("log-{round}");
        let resumed = if round == 0 { &[][..] } else { &["--resume"] };
        let child = room.command(&[&arguments[..], &["--log", &log], resumed].concat()).spawn().unwrap();
        room.wait_for(DISCARD, room.discards() + 1 + round * 7 % 30).await;
        interrupt(&child);
        let ran = room.end(child).await;
        assert_eq!(ran.code, 6, "{round}: {ran:?}");
        let lines = json_lines(&std::fs::read_to_string(room.path(&log)).unwrap());
        let told = lines.iter().map(|line| line["token_id"].as_str().unwrap()).collect::<HashSet<_>>();
        assert_eq!((told.len(), lines.len()), (1_000, 1_000), "{round}: one outcome for each");
        for line in &lines {
            let is_discarded = room.server.is_discarded(line["token_id"].as_str().unwrap()).unwrap();
            match line["outcome"].as_str().unwrap() {
                "revoked" | "already_revoked" => assert!(is_discarded, "{round}: {line}"),
                "not_attempted" => assert!(!is_discarded, "{round}: {line}"),
                // It may be either.
                "unknown" => {}
                _ => panic!("{round}: {line}"),
            }
        }
    }
    room.server.clear_faults();
    let ran = room.end(room.command(&[&arguments[..], &["--log", "log", "--resume"]].concat()).spawn().unwrap()).await;
    assert_eq!((ran.code, room.live(&ids)), (0, 0), "{ran:?}");
}

#[tokio::test]
async fn one_whose_output_nobody_reads_can_be_ended_too() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 2_000);
    let arguments = ["tokens", "revoke", "--all-of-user", "hana", "--yes", "--expect-count", "2000"];
    let mut child = room.command(&[&arguments[..], &FAST].concat()).spawn().unwrap();
    // A pipe holds 64 KiB, and a line is longer than 128 bytes: it is full long before the end.
    room.wait_for(DISCARD, 200).await;
    while child.try_wait().unwrap().is_none() {
        interrupt(&child);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let ran = room.end(child).await;
    assert_eq!(ran.code, 6, "{}", ran.stderr);
    assert!(room.live(&ids) > 0);
}

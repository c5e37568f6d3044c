//! A run that is killed again and again, and resumed from its journal.

use std::process::Stdio;

use magicbell::testing::{Fault, assert_hidden};

use crate::support::{FAST, Room, count, json_lines};

const KILLS: usize = 20;
/// More than are in flight at once.
const BETWEEN: usize = 200;

#[tokio::test]
async fn a_run_that_is_killed_twenty_times_is_resumed_to_the_end() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", (KILLS + 5) * BETWEEN);
    room.server.fail_randomly(1, 20, Fault::reset().after_processing());
    let (file, total) = (room.file("ids.txt", ids.join("\n")), ids.len().to_string());
    let arguments = ["tokens", "revoke", "--file", &file, "--user-tokens", "--yes", "--expect-count", &total];
    let files = ["--journal", "journal", "--log", "log", "--concurrency", "8"];
    let arguments = [&arguments[..], &files, &FAST].concat();
    let resumed = [&arguments[..], &["--resume"]].concat();

    let mut killed = 0;
    for round in 0..KILLS {
        let arguments = if round == 0 { &arguments } else { &resumed };
        let mut child = room.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        room.wait_for("discard_user_jwt", room.discards() + 1 + round * 67 % BETWEEN).await;
        child.start_kill().unwrap();
        killed += usize::from(child.wait().await.unwrap().code().is_none());
        let log = std::fs::read_to_string(room.path("log")).unwrap_or_default();
        for line in json_lines(&log).iter().filter(|line| line["outcome"] == "revoked") {
            assert_eq!(room.server.is_discarded(line["token_id"].as_str().unwrap()), Some(true), "{line}");
        }
    }
    assert_eq!(killed, KILLS, "each of them in the middle of its work");
    let live = room.live(&ids);
    assert!(live > 0, "there is something left for the last run");

    room.server.clear_faults();
    std::fs::remove_file(room.path("log")).unwrap();
    let ran = room.end(room.command(&resumed).spawn().unwrap()).await;
    assert_eq!((ran.code, room.live(&ids)), (0, 0), "{ran:?}");
    let log = json_lines(&std::fs::read_to_string(room.path("log")).unwrap());
    assert_eq!(log.len(), ids.len(), "one outcome for each");
    assert_eq!(count(&log, "revoked") + count(&log, "already_revoked"), ids.len());
    assert!(log.iter().filter(|line| line["from_journal"] == true).count() >= ids.len() - live - 8 * KILLS);
    assert_hidden(room.server.token(), &std::fs::read_to_string(room.path("journal")).unwrap());
    println!("killed {killed} times: {} ids, {} requests, {live} left for the last run", ids.len(), room.discards());
}

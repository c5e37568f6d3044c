//! `demo`

use std::process::Stdio;

use magicbell::testing::assert_hidden;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::support::{Room, interrupt, mode};

#[tokio::test]
async fn every_command_that_the_demo_prints_does_what_it_says() {
    let room = Room::new().await;
    let mut demo = room.command(&["demo", "--folder", &room.argument("")]).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    let mut commands = Vec::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        commands.extend(line.starts_with("magicbell ").then_some(line.clone()));
        if line.contains("revoke --project") {
            break;
        }
    }
    assert_eq!(commands.len(), 6);
    let folder = std::fs::read_dir(room.path("")).unwrap().next().unwrap().unwrap().path();
    let token = std::fs::read_to_string(folder.join("token")).unwrap();
    assert_eq!((mode(&folder), mode(folder.join("token"))), (0o700, 0o600));

    for (line, code) in commands.iter().zip([0, 0, 0, 0, 0, 2]) {
        assert_hidden(token.trim_end(), line);
        let executable = env!("CARGO_BIN_EXE_magicbell");
        let line = line.replacen("magicbell", &format!("'{executable}'"), 1);
        let mut shell = Command::new("sh");
        shell.args(["-c", &line]).current_dir(&folder).stdin(Stdio::null());
        let output = shell.output().await.unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{line}: {stderr}");
        assert_hidden(token.trim_end(), &stderr);
        assert_hidden(token.trim_end(), &String::from_utf8(output.stdout).unwrap());
    }
    assert_eq!(std::fs::read_to_string(folder.join("hana.jsonl")).unwrap().lines().count(), 500);
    assert_eq!(std::fs::read_to_string(folder.join("log.jsonl")).unwrap().lines().count(), 500);

    interrupt(&demo);
    assert_eq!(demo.wait().await.unwrap().code(), Some(0));
    assert!(!folder.exists(), "nothing is left");
}

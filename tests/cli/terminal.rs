//! On a terminal: a count that is typed, a line that is drawn again, and a token that isn't shown.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use magicbell::testing::Fault;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tokio::process::Child;

use crate::support::{FAST, Room, count, interrupt};

/// A terminal, and what was written to it.
struct Terminal {
    keyboard: File,
    screen: mpsc::Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    /// Makes one, and the end of it that a command is given.
    fn new() -> (Self, File) {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let theirs = OpenOptions::new().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        let keyboard = File::from(ours);
        let mut screen = keyboard.try_clone().unwrap();
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // An error is the end: nobody else has the terminal open.
            while let Ok(read @ 1..) = screen.read(&mut bytes) {
                if sender.send(bytes[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        (Self { keyboard, screen: receiver, seen: String::new() }, theirs)
    }

    /// Reads until a text is on the screen.
    fn wait_for(&mut self, text: &str) {
        while !self.seen.contains(text) {
            let bytes = self.screen.recv_timeout(Duration::from_secs(60));
            self.seen += &String::from_utf8_lossy(&bytes.unwrap_or_else(|_| panic!("no {text:?} in {:?}", self.seen)));
        }
    }

    fn rest(mut self) -> String {
        while let Ok(bytes) = self.screen.recv_timeout(Duration::from_secs(60)) {
            self.seen += &String::from_utf8_lossy(&bytes);
        }
        self.seen
    }
}

/// Runs a command with a terminal for its input and its errors.
fn spawn(room: &Room, arguments: &[&str]) -> (Terminal, Child) {
    let (terminal, theirs) = Terminal::new();
    let mut command = room.command(arguments);
    let child = command.stdin(theirs.try_clone().unwrap()).stderr(theirs).spawn().unwrap();
    (terminal, child)
}

const REVOKE: [&str; 5] = ["tokens", "revoke", "--all-of-user", "hana", "--yes"];

#[tokio::test(flavor = "multi_thread")]
async fn a_count_that_is_typed_lets_it_go_and_the_progress_is_drawn_over() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 150);
    let (mut terminal, child) = spawn(&room, &[&REVOKE[..], &FAST].concat());
    terminal.wait_for("Type how many are to be revoked: ");
    assert_eq!(room.discards(), 0, "nothing goes before that");
    terminal.keyboard.write_all(b"150\n").unwrap();
    let ran = room.end(child).await;
    let seen = terminal.rest();
    assert_eq!((ran.code, room.live(&ids)), (0, 0), "{seen}");
    assert_eq!(count(&ran.lines(), "revoked"), 150);
    assert!(seen.starts_with("\r/ listing, until two passes agree\u{1b}[K"), "{seen:?}");
    assert!(seen.contains("\r\u{1b}[K150 tokens of the user hana"), "{seen:?}");
    assert!(seen.contains(" of 150 (") && seen.contains("\r\u{1b}[K"), "{seen:?}");
    assert!(!seen.contains("paused"), "{seen:?}");
    magicbell::testing::assert_hidden(room.server.token(), &seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_that_is_wrong_or_none_revokes_nothing() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 150);
    for typed in ["149\n", "yes\n", "\n", "\u{4}"] {
        let (mut terminal, child) = spawn(&room, &[&REVOKE[..], &FAST].concat());
        terminal.wait_for("Type how many are to be revoked: ");
        terminal.keyboard.write_all(typed.as_bytes()).unwrap();
        let ran = room.end(child).await;
        assert_eq!((ran.code, room.discards(), room.live(&ids)), (2, 0, 150), "{typed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_at_the_question_ends_it() {
    let room = Room::new().await;
    room.server.add_user_tokens("hana", 150);
    let (mut terminal, child) = spawn(&room, &[&REVOKE[..], &FAST].concat());
    terminal.wait_for("Type how many are to be revoked: ");
    interrupt(&child);
    let ran = room.end(child).await;
    assert_eq!((ran.code, room.discards()), (6, 0), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_not_shown_on_a_terminal_unless_that_is_asked_for() {
    let room = Room::new().await;
    let create = ["tokens", "create", "--project", "--name", "ci"];
    for (more, code, is_shown) in [(&[][..], 2, false), (&["--show"], 0, true)] {
        let (terminal, theirs) = Terminal::new();
        let mut command = room.command(&[&create[..], more].concat());
        let child = command.stdout(theirs).stderr(Stdio::piped()).spawn().unwrap();
        drop(command);
        let ran = room.end(child).await;
        assert_eq!(ran.code, code, "{ran:?}");
        assert_eq!(terminal.rest().contains("eyJ"), is_shown);
    }
    assert_eq!(room.server.count("create_project_jwt"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_service_has_asked_for_a_pause_the_line_says_until_when() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 20);
    room.server.fail_next(Fault::status(429).retry_after(3).on("discard_user_jwt"));
    let (mut terminal, child) = spawn(&room, &[&REVOKE[..], &["--concurrency", "1"], &FAST].concat());
    terminal.wait_for(", paused by the service until ");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    terminal.wait_for(" UTC");
    let time = terminal.seen.split(", paused by the service until ").nth(1).unwrap();
    let part = |at: usize| time[at..at + 2].parse::<u64>().unwrap();
    let left = (part(0) * 3_600 + part(3) * 60 + part(6) + 86_400 - now % 86_400) % 86_400;
    assert!(left <= 3, "{time:?}");
    let ran = room.end(child).await;
    let seen = terminal.rest();
    assert_eq!((ran.code, room.live(&ids)), (0, 0), "{seen}");
    let end = &seen[seen.rfind("paused by").unwrap()..];
    assert!(end.contains("20 ids in ") && end.contains("1 of them answered 429"), "{end}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_spins_while_it_waits_and_leaves_nothing_of_that() {
    let room = Room::new().await;
    room.server.add_user_tokens("hana", 150);
    room.server.fail_next(Fault::delay(Duration::from_millis(500)).on("fetch_user_tokens"));
    room.server.fail_next(Fault::status(429).retry_after(1).on("fetch_user_tokens"));
    let list = ["tokens", "list", "--user", "hana", "--json"];
    let (mut terminal, child) = spawn(&room, &list);
    for text in ["\r/ 0 tokens\u{1b}[K", "\r- 0 tokens\u{1b}[K", "100 tokens, paused by the service until "] {
        terminal.wait_for(text);
    }
    let ran = room.end(child).await;
    assert_eq!((ran.code, ran.lines().len()), (0, 150), "{ran:?}");
    let seen = terminal.rest();
    assert!(seen.ends_with("\r\u{1b}[K150 tokens\r\n"), "{seen:?}");
    magicbell::testing::assert_hidden(room.server.token(), &seen);
    let ran = room.run(&list).await;
    assert_eq!(ran.stderr, "150 tokens\n", "nothing spins where it is no terminal");
}

/// Rows and spinner on one terminal don't get in each other's way.
#[tokio::test(flavor = "multi_thread")]
async fn rows_on_the_same_terminal_stand_in_lines_of_their_own() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 150);
    room.server.fail_next(Fault::delay(Duration::from_millis(300)).on("fetch_user_tokens").times(2));
    let (terminal, theirs) = Terminal::new();
    let mut command = room.command(&["tokens", "list", "--user", "hana"]);
    let child = command.stdout(theirs.try_clone().unwrap()).stderr(theirs).spawn().unwrap();
    drop(command);
    assert_eq!(room.end(child).await.code, 0);
    let seen = terminal.rest();
    let rows = seen.split("\r\n").map(|line| line.rsplit("\r\u{1b}[K").next().unwrap()).collect::<Vec<_>>();
    for id in ids {
        assert_eq!(rows.iter().filter(|row| row.starts_with(&id)).count(), 1, "{seen:?}");
    }
}

//! A batch with a journal, in a process of its own that is killed (`kill -9`) a hundred times in the middle of its work, and
//! resumed each time. This process holds the server, and looks after each kill whether anything was lost, or said that isn't so.
//!
//! It runs itself as that process: `cargo test --test kill_9`. With a number, as often: `cargo test --test kill_9 -- 1000`.

mod checks;
mod child;

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use magicbell::testing::{Fault, Server};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;

use checks::{Told, check};

/// How often the process is killed, unless a number is given.
const KILLS: usize = 100;
/// How many requests there are between two kills, at most, and more than what is in flight at once.
const BETWEEN: usize = 40;

fn main() {
    if child::is_wanted() {
        return child::run();
    }
    // What a test runner asks a harness for.
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let kills = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(KILLS);
    tokio::runtime::Runtime::new().unwrap().block_on(parent(kills));
}

async fn parent(kills: usize) {
    let start = Instant::now();
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("revocation.jsonl");
    let server = Server::start().await.unwrap();
    let ids = ids(&server, kills);
    let list = folder.path().join("ids.txt");
    std::fs::write(&list, ids.join("\n")).unwrap();
    server.fail_randomly(1, 20, Fault::reset().after_processing());
    server.fail_randomly(2, 30, Fault::close().after_processing());

    let (mut killed, mut told_by_all) = (0, 0);
    for round in 0..kills {
        let (mut child, out) = spawn(&server, &list, &journal, round);
        let until = server.request_count() + round * 17 % BETWEEN;
        let has_ended = wait_for(&server, until, &mut child).await;
        killed += usize::from(!has_ended);
        // On Unix: SIGKILL. It may have ended by itself.
        _ = child.start_kill();
        child.wait().await.unwrap();
        let told = out.await.unwrap();
        told_by_all += told.len();
        check(&server, &ids, &told, &journal, &format!("kill {round}"));
    }

    let (mut child, out) = spawn(&server, &list, &journal, 0);
    assert!(child.wait().await.unwrap().success());
    let told = out.await.unwrap();
    check(&server, &ids, &told, &journal, "the last run");
    assert_eq!(told.len(), ids.len(), "one outcome for each input");
    let live = ids.iter().filter(|id| server.is_discarded(id) == Some(false)).count();
    assert_eq!(live, 0, "every token is revoked");
    assert!(killed * 10 >= kills * 9, "only {killed} of {kills} were killed in the middle of their work");
    println!(
        "killed {killed} times in {:.1?}: {} ids, {} requests, {told_by_all} outcomes before the last run, {} after",
        start.elapsed(),
        ids.len(),
        server.request_count(),
        told.len(),
    );
}

/// Enough tokens for all kills, and ids that are none.
fn ids(server: &Server, kills: usize) -> Vec<String> {
    let mut ids = server.add_user_tokens("u", (kills + 10) * BETWEEN);
    ids.insert(3, "..".into());
    ids.insert(5, "nobody-has-this".into());
    ids.insert(50, ids[7].clone());
    ids.push(ids[9].clone());
    ids
}

/// Starts the process, and reads what it tells meanwhile: else it would wait for somebody to do so.
fn spawn(server: &Server, list: &Path, journal: &Path, round: usize) -> (Child, JoinHandle<Vec<Told>>) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    child::configure(&mut command, server, list, journal, round);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let out = child.stdout.take().unwrap();
    (child, tokio::spawn(read(out)))
}

/// Waits until the server has had so many requests; `true` where the process ended before that.
async fn wait_for(server: &Server, requests: usize, child: &mut Child) -> bool {
    let limit = Instant::now() + Duration::from_secs(60);
    while server.request_count() <= requests {
        assert!(Instant::now() < limit, "the process does nothing");
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        tokio::time::sleep(Duration::from_micros(100)).await;
    }
    false
}

async fn read(mut out: ChildStdout) -> Vec<Told> {
    let mut text = String::new();
    out.read_to_string(&mut text).await.unwrap();
    // A last line without its end was being written when the process died.
    text.split_inclusive('\n').filter(|line| line.ends_with('\n')).map(Told::read).collect()
}

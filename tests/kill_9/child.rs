//! The process that is killed.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt as _;
use magicbell::revocation::{Journal, JournalSync};
use magicbell::testing::Server;
use magicbell::{Client, RetryBudget, RetryPolicy};
use tokio::process::Command;

const URL: &str = "KILL_9_URL";
const TOKEN: &str = "KILL_9_TOKEN";
const LIST: &str = "KILL_9_LIST";
const JOURNAL: &str = "KILL_9_JOURNAL";
const SYNC: &str = "KILL_9_SYNC";

/// Says whether this process is the one that is killed.
pub(crate) fn is_wanted() -> bool {
    std::env::var_os(URL).is_some()
}

/// Tells a process that it is the one, and what to work on.
pub(crate) fn configure(command: &mut Command, server: &Server, list: &Path, journal: &Path, round: usize) {
    command.env(URL, server.url()).env(TOKEN, server.token()).env(LIST, list).env(JOURNAL, journal);
    // In each other round it is synced from time to time: the process's death takes nothing from the file either way.
    command.env(SYNC, (round % 2).to_string());
}

/// Revokes the list's tokens, and tells each outcome in a line, at once.
pub(crate) fn run() {
    let variable = |name| std::env::var(name).unwrap();
    let list = std::fs::read_to_string(variable(LIST)).unwrap();
    let sync = if variable(SYNC) == "0" { JournalSync::Each } else { JournalSync::Every(Duration::from_millis(10)) };
    let journal = Journal::options().sync(sync).project("acme").open(variable(JOURNAL)).unwrap();
    let retry = RetryPolicy::builder().budget(RetryBudget::new(100_000)).build();
    let client = Client::builder().token(variable(TOKEN)).base_url(variable(URL)).retry(retry).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let ids = list.lines().map(str::to_owned).collect::<Vec<_>>();
        let batch = client.jwt().discard_user_jwts(ids).concurrency(8).journal(journal).unwrap();
        let mut outcomes = batch.stream();
        let mut out = std::io::stdout().lock();
        while let Some(revocation) = outcomes.next().await {
            let presumed = u8::from(revocation.is_presumed());
            // One write a line, so that a line is there or isn't.
            let line = format!("{} {} {presumed}\n", revocation.index, revocation.outcome);
            out.write_all(line.as_bytes()).unwrap();
        }
        assert!(outcomes.stopped().is_none(), "{:?}", outcomes.stopped());
    });
}

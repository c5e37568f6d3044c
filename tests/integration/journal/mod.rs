//! A batch's journal: nothing is sent before it is written, nothing that is settled is sent again, and what can't be written isn't
//! done.

use std::fs;
use std::path::{Path, PathBuf};

use futures_util::StreamExt as _;
use magicbell::Client;
use magicbell::revocation::{Journal, Revocation, RevocationOutcome};
use magicbell::testing::{ReceivedRequest, Server};
use tempfile::TempDir;

mod files;

mod model;
mod refused;
mod resumed;
mod secrets;
mod written;

/// A folder of its own, and the path of a journal in it that isn't there yet.
fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("revocation.jsonl");
    (folder, path)
}

/// Revokes users' tokens with a journal, and returns the outcomes in the order of the ids.
async fn revoke(client: &Client, ids: &[String], path: &Path) -> Vec<Revocation> {
    let journal = Journal::open(path).unwrap();
    let batch = client.jwt().discard_user_jwts(ids.to_vec()).concurrency(8).journal(journal).unwrap();
    let mut revocations = batch.stream().collect::<Vec<_>>().await;
    revocations.sort_by_key(|revocation| revocation.index);
    revocations
}

/// The same, which ends when some outcomes have come: as if the process had died.
async fn die_after(client: &Client, ids: &[String], path: &Path, outcomes: usize) -> Vec<Revocation> {
    let journal = Journal::open(path).unwrap();
    let batch = client.jwt().discard_user_jwts(ids.to_vec()).concurrency(8).journal(journal).unwrap();
    batch.stream().take(outcomes).collect().await
}

fn outcomes(revocations: &[Revocation]) -> Vec<RevocationOutcome> {
    revocations.iter().map(|revocation| revocation.outcome).collect()
}

/// The lines of a journal, each with its end.
fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap().split_inclusive('\n').map(str::to_owned).collect()
}

/// The ids that were sent, each as often as it was.
fn sent(server: &Server) -> Vec<String> {
    let id = |request: ReceivedRequest| request.target.rsplit('/').next().unwrap_or_default().to_owned();
    server.requests().into_iter().map(id).collect()
}

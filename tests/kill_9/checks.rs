//! What must be so after each kill.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use magicbell::testing::Server;
use serde_json::Value;

/// An outcome that the process told.
#[derive(Debug)]
pub(crate) struct Told {
    index: usize,
    outcome: String,
    is_presumed: bool,
}

impl Told {
    pub(crate) fn read(line: &str) -> Self {
        let mut words = line.split_whitespace();
        let mut next = || words.next().unwrap();
        Self { index: next().parse().unwrap(), outcome: next().to_owned(), is_presumed: next() == "1" }
    }
}

/// What is in a journal, its torn end aside: which ids have an intent, and the last outcome of each.
fn read(journal: &Path) -> (HashSet<String>, HashMap<String, String>) {
    let (mut intents, mut outcomes) = (HashSet::new(), HashMap::new());
    let bytes = std::fs::read(journal).unwrap_or_default();
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    for line in std::str::from_utf8(&bytes[..whole]).unwrap().lines() {
        let value = serde_json::from_str::<Value>(line).expect("every whole line can be read");
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        if let Some(id) = text("intent") {
            intents.insert(id);
        } else if let (Some(id), Some(outcome)) = (text("id"), text("outcome")) {
            outcomes.insert(id, outcome);
        }
    }
    (intents, outcomes)
}

/// Looks whether anything was lost, or said that isn't so.
pub(crate) fn check(server: &Server, ids: &[String], told: &[Told], journal: &Path, when: &str) {
    let (intents, outcomes) = read(journal);
    for id in ids.iter().filter(|id| server.is_discarded(id) == Some(true)) {
        assert!(intents.contains(id), "{when}: {id} was revoked, and the journal doesn't know that it was sent");
    }
    for (id, outcome) in &outcomes {
        is_so(server, id, outcome, outcome == "already_revoked", when);
    }
    let mut indices = HashSet::new();
    for Told { index, outcome, is_presumed } in told {
        let id = &ids[*index];
        assert!(indices.insert(index), "{when}: {index} has two outcomes");
        is_so(server, id, outcome, *is_presumed, when);
        let is_written = outcomes.get(id) == Some(outcome);
        assert!(is_written || outcome == "invalid_id", "{when}: {id} was told to be {outcome}, and that isn't written");
    }
}

fn is_so(server: &Server, id: &str, outcome: &str, is_presumed: bool, when: &str) {
    let is_discarded = server.is_discarded(id);
    let is_so = match outcome {
        "revoked" => is_discarded == Some(true),
        // Of an id that nobody has, 404 after a lost answer says the same.
        "already_revoked" => is_discarded == Some(true) || (is_presumed && is_discarded.is_none()),
        // After a 5xx nobody can tell whether it was this run that revoked it; but live it is not.
        "not_found" => is_discarded != Some(false),
        "invalid_id" => is_discarded.is_none(),
        // Live, or not: it is not known.
        "unknown" | "unverified" => true,
        _ => false,
    };
    assert!(is_so, "{when}: {id} is said to be {outcome}, and the server says {is_discarded:?}");
}

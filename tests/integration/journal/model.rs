//! Random ids, faults, stops and crashes: whatever happens, each input has one outcome, none is said to be revoked that isn't, and
//! when all runs are over everything that had to be revoked is.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _};
use magicbell::Client;
use magicbell::revocation::{Journal, JournalSync, Revocation, RevocationOutcome};
use magicbell::testing::{Fault, Server};

use super::folder;
use crate::support::client;

/// Small numbers from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end
    }
}

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    /// By itself.
    Whole,
    /// It is dropped after that many polls, and then its journal may lose the end of its last line.
    Crash(usize),
    /// It is asked to stop, so often, after that many outcomes.
    Stop(usize, usize),
}

fn faults(random: &mut Random) -> Fault {
    match random.below(8) {
        0 => Fault::reset(),
        1 => Fault::reset().after_processing(),
        2 => Fault::close().after_processing(),
        3 => Fault::status(503),
        4 => Fault::status(500),
        5 => Fault::cut_body(9),
        6 => Fault::html(502),
        _ => Fault::status(429),
    }
}

/// Runs a batch until its end, and returns the outcomes that it gave.
async fn run(client: &Client, ids: &[String], path: &Path, random: &mut Random, end: End) -> Vec<Revocation> {
    let sync = [JournalSync::Each, JournalSync::Every(Duration::from_millis(3))][random.below(2)];
    let journal = Journal::options().sync(sync).open(path).unwrap();
    let batch = client.jwt().discard_user_jwts(ids.to_vec()).concurrency(1 + random.below(16)).stop_after_not_found(0);
    let batch = batch.drain_timeout(Duration::from_millis(random.below(20) as u64)).journal(journal).unwrap();
    let (stop, mut stream) = (batch.stop_handle(), batch.stream());
    let (mut revocations, mut polls) = (Vec::new(), 0);
    loop {
        if let End::Stop(outcomes, stops) = end
            && revocations.len() == outcomes
        {
            (0..stops).for_each(|_| stop.stop());
        }
        match end {
            End::Crash(last) if polls == last => return revocations,
            End::Crash(_) => {
                polls += 1;
                match stream.next().now_or_never() {
                    Some(Some(revocation)) => revocations.push(revocation),
                    Some(None) => return revocations,
                    None => tokio::task::yield_now().await,
                }
            }
            End::Whole | End::Stop(..) => match stream.next().await {
                Some(revocation) => revocations.push(revocation),
                None => return revocations,
            },
        }
    }
}

/// Takes from a journal what the machine may not have written when it failed: some of the last line.
fn tear(path: &Path, random: &mut Random) {
    let bytes = fs::read(path).unwrap();
    let whole = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let last = whole.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let keep = bytes.len() - random.below(bytes.len() - last + 1);
    // An intent is synced before its request is sent, so that can't be lost; a torn outcome is one that nobody was told.
    if !bytes[last..].starts_with(b"{\"outcome\"") {
        return;
    }
    fs::write(path, &bytes[..keep]).unwrap();
}

/// Looks at what a run says of each id, by what the server did.
fn check(server: &Server, ids: &[String], revocations: &[Revocation], told: &str) {
    let indices = revocations.iter().map(|revocation| revocation.index).collect::<HashSet<_>>();
    assert_eq!(indices.len(), revocations.len(), "{told}: an input has two outcomes");
    for revocation in revocations {
        assert_eq!(revocation.token_id, ids[revocation.index as usize], "{told}");
        let is_discarded = server.is_discarded(&revocation.token_id);
        match revocation.outcome {
            // Of an id that nobody ever had, 404 after a lost attempt says the same.
            RevocationOutcome::AlreadyRevoked if revocation.is_presumed() => {
                assert_ne!(is_discarded, Some(false), "{told}: {revocation:?}");
            }
            outcome if outcome.is_revoked() => assert_eq!(is_discarded, Some(true), "{told}: {revocation:?}"),
            // After a 5xx nobody can tell whether it was this batch that revoked it; but live it is not.
            RevocationOutcome::NotFound => assert_ne!(is_discarded, Some(false), "{told}: {revocation:?}"),
            RevocationOutcome::NotAttempted | RevocationOutcome::Refused => {
                assert_ne!(is_discarded, Some(true), "{told}: {revocation:?}");
            }
            _ => {}
        }
    }
}

async fn seed(seed: u64) {
    let mut random = Random(seed);
    let (_folder, path) = folder();
    let server = Server::start().await.unwrap();
    let client = client(&server);
    let mut ids = server.add_user_tokens("u", 40 + random.below(40));
    for number in 0..random.below(8) {
        let id =
            [format!("unknown-{number}"), String::new(), "..".into(), ids[number].clone()][random.below(4)].clone();
        ids.insert(random.below(ids.len()), id);
    }
    for round in 0..5 {
        server.clear_faults();
        let fault = faults(&mut random);
        server.fail_randomly(random.below(1_000) as u64, 2 + random.below(4) as u32, fault.clone());
        let end = match random.below(3) {
            0 => End::Stop(random.below(30), 1 + random.below(2)),
            1 => End::Crash(random.below(400)),
            _ => End::Whole,
        };
        let told = format!("seed {seed}, round {round}, {end:?}, {fault:?}");
        let revocations = run(&client, &ids, &path, &mut random, end).await;
        check(&server, &ids, &revocations, &told);
        if let End::Crash(_) = end {
            if random.below(2) == 0 {
                // Only of what was never handed out.
                let handed_out = revocations.iter().map(|revocation| &*revocation.token_id).collect::<HashSet<_>>();
                let text = fs::read_to_string(&path).unwrap();
                let is_told = |line: &str| handed_out.iter().any(|id| !id.is_empty() && line.contains(id));
                if !text.lines().last().is_some_and(is_told) {
                    tear(&path, &mut random);
                }
            }
        } else {
            assert_eq!(revocations.len(), ids.len(), "{told}");
        }
    }
    server.clear_faults();
    let revocations = run(&client, &ids, &path, &mut random, End::Whole).await;
    check(&server, &ids, &revocations, &format!("seed {seed}, the last run"));
    assert_eq!(revocations.len(), ids.len());
    let live = ids.iter().filter(|id| server.is_discarded(id) == Some(false)).count();
    assert_eq!(live, 0, "seed {seed}: some are still live");
    let unsettled = revocations.iter().filter(|revocation| {
        !(revocation.outcome.is_revoked()
            || matches!(revocation.outcome, RevocationOutcome::NotFound | RevocationOutcome::InvalidId))
    });
    assert_eq!(unsettled.count(), 0, "seed {seed}");
}

#[tokio::test]
async fn whatever_happens_each_input_has_one_outcome_and_none_that_is_not_so() {
    for number in 0..40 {
        seed(number).await;
    }
}

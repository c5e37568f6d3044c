//! A batch that stops by itself stops at once: nothing else is sent, and nothing that was never sent is waited for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use http::{Request, Response};
use magicbell::revocation::{Journal, RevocationOutcome, RevocationReport, StopReason};
use magicbell::{Body, BoxError, Client, RateLimit};

use crate::support::json;

/// What is answered to an id; nothing for `None`.
type Answer = fn(&str) -> Option<Response<Body>>;

const ENVELOPE: &str = r#"{"errors":[{"code":"code","message":"a message"}]}"#;
const LATENCY: Duration = Duration::from_millis(100);
/// How many writes a minute the service's published limit is, and how many of them go together.
const PUBLISHED: u32 = 200;
const BURST: usize = 10;
const UNLIMITED: u32 = 1_000_000;

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("id-{number}")).collect()
}

/// A client whose requests are answered after a while, and counted.
fn client(writes_a_minute: u32, answer: Answer) -> (Arc<AtomicUsize>, Client) {
    let count = Arc::<AtomicUsize>::default();
    let counter = Arc::clone(&count);
    let transport = tower::service_fn(move |request: Request<Body>| {
        counter.fetch_add(1, Ordering::Relaxed);
        async move {
            let answer = answer(request.uri().path().rsplit('/').next().unwrap_or_default());
            let Some(answer) = answer else { std::future::pending().await };
            tokio::time::sleep(LATENCY).await;
            Ok::<_, BoxError>(answer)
        }
    });
    let limit = RateLimit::per_minute(PUBLISHED, writes_a_minute);
    (count, Client::builder().token("t").transport(transport).rate_limit(limit).build().unwrap())
}

/// Runs a batch of 1,000 ids, and returns how many requests were sent and how long it took.
async fn run(client: (Arc<AtomicUsize>, Client)) -> (RevocationReport, usize, Duration) {
    let (count, client) = client;
    let start = tokio::time::Instant::now();
    let report = client.jwt().discard_user_jwts(ids(1_000)).run().await;
    assert_eq!(report.total(), 1_000);
    (report, count.load(Ordering::Relaxed), start.elapsed())
}

fn with_retry_after(seconds: &str) -> Response<Body> {
    let mut answer = json(429, ENVELOPE);
    answer.headers_mut().insert("retry-after", seconds.parse().unwrap());
    answer
}

#[tokio::test(start_paused = true)]
async fn a_401_sends_nothing_that_waits_for_the_quota() {
    let (report, sent, elapsed) = run(client(PUBLISHED, |_| Some(json(401, ENVELOPE)))).await;
    assert_eq!(report.stopped, Some(StopReason::Unauthorized));
    assert!((1..=BURST).contains(&sent), "{sent}");
    assert_eq!(report.count(RevocationOutcome::Refused), sent as u64);
    assert_eq!(report.count(RevocationOutcome::NotAttempted), 1_000 - sent as u64);
    assert!(elapsed < 2 * LATENCY, "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_401_stops_a_batch_that_a_429_holds_when_the_drain_is_over() {
    let answers: [Answer; 2] = [
        |id| Some(if id == "id-0" { with_retry_after("3600") } else { json(401, ENVELOPE) }),
        |id| Some(if id == "id-0" { with_retry_after("86400") } else { json(401, ENVELOPE) }),
    ];
    for answer in answers {
        let (report, sent, elapsed) = run(client(UNLIMITED, answer)).await;
        assert_eq!(report.stopped, Some(StopReason::Unauthorized));
        assert!((2..=65).contains(&sent), "{sent}");
        let held = report.failures.iter().find(|failure| failure.index == 0).unwrap();
        assert_eq!((held.outcome, held.rate_limited), (RevocationOutcome::Refused, 1), "{held:?}");
        assert!(elapsed < Duration::from_secs(31), "{elapsed:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn ids_that_are_all_not_found_send_nothing_that_waits_for_the_quota() {
    let (report, sent, _) = run(client(PUBLISHED, |_| Some(json(404, ENVELOPE)))).await;
    assert_eq!(report.stopped, Some(StopReason::AllNotFound));
    // One may have been on its way when the twentieth was answered.
    assert!((20..=21).contains(&sent), "{sent}");
    assert_eq!(report.count(RevocationOutcome::NotFound), sent as u64);
    assert_eq!(report.count(RevocationOutcome::NotAttempted), 1_000 - sent as u64);
}

#[tokio::test(start_paused = true)]
async fn what_is_in_flight_at_a_401_has_the_drain_time_to_end() {
    let (report, sent, elapsed) = run(client(UNLIMITED, |id| match id {
        "id-0" => Some(json(401, ENVELOPE)),
        "id-1" => None,
        id => Some(json(200, &format!(r#"{{"token_id":"{id}"}}"#))),
    }))
    .await;
    // The one without an answer is tried again in that time, as it may have been revoked.
    assert_eq!((report.stopped, sent), (Some(StopReason::Unauthorized), 64 + 2));
    assert_eq!(report.count(RevocationOutcome::Revoked), 62);
    assert_eq!(report.count(RevocationOutcome::NotAttempted), 1_000 - 64);
    let unknown = report.failures.iter().find(|failure| failure.index == 1).unwrap();
    assert_eq!((unknown.outcome, unknown.attempts), (RevocationOutcome::Unknown, 3));
    assert_eq!(elapsed.as_secs(), 30);
}

/// What ended together with the 401 is written together; what waits isn't sent meanwhile.
#[tokio::test(start_paused = true)]
async fn with_a_journal_a_401_sends_nothing_else_either() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("revocation.jsonl");
    let (count, client) = client(PUBLISHED, |_| Some(json(401, ENVELOPE)));
    let batch = client.jwt().discard_user_jwts(ids(100)).journal(Journal::open(&path).unwrap()).unwrap();
    let report = batch.run().await;
    let sent = count.load(Ordering::Relaxed);
    assert!((1..=BURST).contains(&sent), "{sent}");
    assert_eq!(report.count(RevocationOutcome::NotAttempted), 100 - sent as u64);
    assert_eq!(Journal::open(&path).unwrap().unknown(), 0, "nothing of it is in doubt");
}

/// Only a stop from outside ends ids of which nobody says how many they are.
#[tokio::test(start_paused = true)]
async fn a_batch_that_stopped_by_itself_reads_its_ids_to_their_end() {
    let (_, client) = client(UNLIMITED, |id| (id != "id-1").then(|| json(401, ENVELOPE)));
    let mut left = ids(100).into_iter();
    // Those that come last do so long after the drain is over.
    let late = futures_util::stream::once(async {
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        "late".to_owned()
    });
    let ids = futures_util::stream::iter(std::iter::from_fn(move || left.next())).chain(late);
    let outcomes = client.jwt().discard_user_jwts_from(Box::pin(ids)).concurrency(2).stream();
    let outcomes = outcomes.map(|revocation| revocation.outcome).collect::<Vec<_>>().await;
    assert_eq!(outcomes.len(), 101);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == RevocationOutcome::Unknown).count(), 1);
}

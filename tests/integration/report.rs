//! A report's numbers are those of the inputs, and of what the server counted.

use futures_util::{Stream, StreamExt};
use magicbell::Client;
use magicbell::jwt::DiscardUserJwt;
use magicbell::revocation::{RevocationOutcome, RevocationReport, Revocations, StopReason};
use magicbell::testing::{Fault, Server, assert_hidden};

use crate::support::{UNKNOWN_ID, client, quick};

fn total_of(report: &RevocationReport) -> u64 {
    RevocationOutcome::ALL.into_iter().map(|outcome| report.count(outcome)).sum()
}

#[tokio::test]
async fn the_counts_of_random_batches_add_up_to_the_inputs_and_to_what_the_server_counted() {
    let faults = [
        Fault::status(503),
        Fault::status(500).after_processing(),
        Fault::status(403),
        Fault::html(404),
        Fault::status(429),
        Fault::body(200, "{}"),
        Fault::empty(204),
    ];
    for seed in 0..14 {
        let server = Server::start().await.unwrap();
        let mut ids = server.add_user_tokens("u", 100 + 20 * seed as usize);
        ids.extend(["", "..", "a\nb", UNKNOWN_ID].map(str::to_owned));
        ids.extend_from_within(..50);
        ids.splice(3..3, std::iter::repeat_n(ids[0].clone(), 4));
        server.fail_randomly(seed, 3, faults[seed as usize % faults.len()].clone());
        let report = client(&server).jwt().discard_user_jwts(ids.clone()).concurrency(7).run().await;

        assert_eq!((report.total(), total_of(&report)), (ids.len() as u64, ids.len() as u64), "seed {seed}");
        assert_eq!(report.attempts(), server.count("discard_user_jwt") as u64, "seed {seed}: {report:#}");
        let refused = server.requests().iter().filter(|sent| sent.status == Some(429)).count();
        assert_eq!(report.rate_limited(), refused as u64, "seed {seed}");
        let of_groups = report.failure_groups().iter().map(|group| group.count).sum::<u64>();
        assert_eq!((of_groups, report.failed()), (report.failures.len() as u64, report.failures.len() as u64));
        let not_sent = [RevocationOutcome::InvalidId, RevocationOutcome::NotAttempted].map(|which| report.count(which));
        assert_eq!(report.tried() + not_sent[0] + not_sent[1], report.total(), "seed {seed}");
        let json = serde_json::to_value(&report).unwrap();
        let counts = json["counts"].as_object().unwrap().values().map(|count| count.as_u64().unwrap());
        assert_eq!(counts.sum::<u64>(), ids.len() as u64);
    }
}

#[tokio::test]
async fn failures_are_grouped_by_what_they_met() {
    let server = Server::start().await.unwrap();
    let ids = server.add_user_tokens("u", 20);
    server.fail_next(Fault::status(403).times(3));
    server.fail_next(Fault::html(404).times(2));
    let report = client(&server).jwt().discard_user_jwts(ids.clone()).concurrency(1).run().await;
    let groups = report.failure_groups();
    let shape = |at: usize| (groups[at].outcome, groups[at].status.unwrap().as_u16(), groups[at].count);
    assert_eq!(groups.len(), 2);
    assert_eq!(shape(0), (RevocationOutcome::Refused, 403, 3));
    assert_eq!(shape(1), (RevocationOutcome::Unverified, 404, 2));
    assert_eq!((&groups[0].token_id, &groups[1].token_id), (&ids[0], &ids[3]), "the first of each");
    assert!(groups[0].request_id.is_some());
    assert!(format!("{report:#}").contains("refused, api, 403; first "), "{report:#}");
}

#[tokio::test]
async fn an_error_that_several_inputs_share_is_one_group() {
    let server = Server::start().await.unwrap();
    let id = server.add_user_tokens("u", 1).remove(0);
    server.fail_next(Fault::status(403));
    let report = client(&server).jwt().discard_user_jwts(vec![id; 3]).run().await;
    assert_eq!((report.failure_groups().len(), report.failure_groups()[0].count), (1, 3), "{report:#}");
    assert_eq!(report.attempts(), 1);
}

#[tokio::test]
async fn failures_that_are_not_kept_are_counted() {
    let server = Server::start().await.unwrap();
    let ids = server.add_user_tokens("u", 50);
    server.fail_next(Fault::status(403).always());
    for (keep, kept) in [(0, 0), (7, 7), (50, 50), (51, 50)] {
        let mut report = RevocationReport::keeping(keep);
        let mut outcomes = client(&server).jwt().discard_user_jwts(ids.clone()).stream();
        while let Some(revocation) = outcomes.next().await {
            report.record(revocation);
        }
        assert_eq!((report.failures.len(), report.failures_left_out(), report.failed()), (kept, 50 - kept as u64, 50));
        assert!(!report.is_complete(), "also where none is kept");
        assert_eq!(report.failure_groups()[0].count, 50);
    }
}

#[tokio::test]
async fn a_report_shows_neither_the_token_nor_the_services_words() {
    let server = Server::start().await.unwrap();
    let ids = server.add_user_tokens("u", 3);
    let echo =
        serde_json::json!({ "errors": [{ "code": server.token(), "message": format!("canary {}", server.token()) }] });
    let answer = http::Response::builder().status(403).header("x-request-id", server.token());
    server.fail_next(Fault::response(answer.body(echo.to_string().into()).unwrap()).always());
    let client = Client::builder().token(server.token()).base_url(server.url()).retry(quick()).build().unwrap();
    let report = client.jwt().discard_user_jwts(ids).run().await;
    assert_eq!(report.count(RevocationOutcome::Refused), 3);
    for text in [report.to_string(), format!("{report:#}"), serde_json::to_string(&report).unwrap()] {
        assert_hidden(server.token(), &text);
        assert!(!text.contains("canary"), "{text}");
    }
}

/// A report that is made by hand, of a stream that has to be pinned.
async fn by_hand<S: Stream<Item = String>>(batch: Revocations<S>) -> RevocationReport {
    let mut report = RevocationReport::new();
    let mut outcomes = std::pin::pin!(batch.stream());
    while let Some(revocation) = outcomes.next().await {
        report.record(revocation);
    }
    report.finish(&outcomes);
    report
}

/// Everything that a report says, but for the time that it took and the ids of requests and tokens.
fn said_by(report: &RevocationReport) -> serde_json::Value {
    let mut said = serde_json::to_value(report).unwrap();
    let groups = report.failure_groups().iter().map(|group| (group.outcome, group.status, group.count));
    let fields = said.as_object_mut().unwrap();
    for other in ["elapsed_ms", "per_minute", "failure_groups", "failures"] {
        assert!(fields.remove(other).is_some(), "{other}");
    }
    fields.insert("groups".to_owned(), format!("{:?}", groups.collect::<Vec<_>>()).into());
    said
}

#[tokio::test]
async fn a_report_made_by_hand_and_finished_is_that_of_a_run() {
    let faults = [Fault::status(401), Fault::status(403), Fault::status(404), Fault::empty(204)];
    let expected = [Some(StopReason::Unauthorized), None, Some(StopReason::AllNotFound), None];
    for (fault, expected) in faults.into_iter().zip(expected) {
        let server = Server::start().await.unwrap();
        server.fail_next(fault.only_for::<DiscardUserJwt>().always());
        let client = client(&server);
        let batch = || client.jwt().discard_user_jwts(server.add_user_tokens("u", 60)).concurrency(1);
        let (run, by_hand) = (batch().run().await, by_hand(batch()).await);
        assert_eq!((run.stopped, by_hand.stopped), (expected, expected));
        assert_eq!(said_by(&by_hand), said_by(&run));
        assert!(by_hand.elapsed > std::time::Duration::ZERO);
    }
}

#[tokio::test]
async fn of_two_batches_in_one_report_the_one_that_stopped_is_not_forgotten() {
    let server = Server::start().await.unwrap();
    let client = client(&server);
    let mut report = RevocationReport::new();
    server.fail_next(Fault::status(401));
    for _ in 0..2 {
        let mut outcomes = client.jwt().discard_user_jwts(server.add_user_tokens("u", 5)).concurrency(1).stream();
        while let Some(revocation) = outcomes.next().await {
            report.record(revocation);
        }
        report.finish(&outcomes);
    }
    assert_eq!((report.stopped, report.count(RevocationOutcome::Revoked)), (Some(StopReason::Unauthorized), 5));
}

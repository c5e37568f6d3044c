//! What a `Retry-After` does to many at once: by the server's clock, over real sockets.

use std::time::{Duration, Instant};

use magicbell::jwt::DiscardUserJwt;
use magicbell::testing::{ReceivedRequest, Server};
use magicbell::{Client, RateLimit, Safety};

use crate::support::{client, json, transport};

const SECOND: Duration = Duration::from_secs(1);

/// How long after a 429 a request may still arrive that was on its way before the answer was read: a busy machine is late.
const ON_ITS_WAY: Duration = Duration::from_millis(300);

/// How many writes the server takes in a second.
const QUOTA: usize = 60;

fn arrivals(requests: &[ReceivedRequest], from: Instant, to: Instant) -> Vec<&ReceivedRequest> {
    requests.iter().filter(|sent| sent.received_at >= from && sent.received_at < to).collect()
}

#[tokio::test]
async fn of_64_workers_none_sends_before_its_time_and_the_first_second_after_stays_within_the_quota() {
    let server = Server::builder().rate_limit(1_000, QUOTA as u32, SECOND).start().await.unwrap();
    let ids = server.add_user_tokens("u", 150);
    let report = client(&server).jwt().discard_user_jwts(&ids).concurrency(64).run().await;
    assert!(report.is_complete(), "{report:#}");

    let requests = server.requests();
    let first = requests.iter().find(|sent| sent.status == Some(429)).expect("64 at once are more than the quota");
    let reopened = first.received_at + SECOND;
    let early = arrivals(&requests, first.received_at + ON_ITS_WAY, reopened);
    assert_eq!(early.len(), 0, "sent while all were to wait: {early:?}");

    let in_first_second = arrivals(&requests, reopened, reopened + SECOND);
    assert!(!in_first_second.is_empty() && in_first_second.len() <= QUOTA, "{}", in_first_second.len());
    assert!(in_first_second.iter().all(|sent| sent.status == Some(200)), "none was refused again");
}

/// A client whose every answer has the status, and asks for a pause of half a minute.
fn asked_to_pause(status: u16, limit: RateLimit) -> Client {
    let (_, transport) = transport(move |_| {
        let mut answer = json(status, "{}");
        answer.headers_mut().insert("retry-after", "30".parse()?);
        Ok(answer)
    });
    Client::builder().token("t").transport(transport).rate_limit(limit).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_told_while_it_lasts_also_by_whoever_shares_the_limit() {
    for (status, pauses_reads) in [(429, false), (503, true)] {
        let limit = RateLimit::per_minute(10_000, 10_000);
        let (client, other) = (asked_to_pause(status, limit.clone()), asked_to_pause(status, limit));
        let kinds = [Safety::Safe, Safety::Idempotent, Safety::NonIdempotent];
        assert_eq!(kinds.map(|kind| client.paused_for(kind)), [None; 3]);
        client.request(DiscardUserJwt::new("id")).max_attempts(1).send().await.unwrap_err();
        let told = |left| [pauses_reads.then_some(left), Some(left), Some(left)];
        for client in [&client, &client.clone(), &other] {
            assert_eq!(kinds.map(|kind| client.paused_for(kind)), told(30 * SECOND), "{status}");
        }
        tokio::time::advance(29 * SECOND).await;
        assert_eq!(kinds.map(|kind| client.paused_for(kind)), told(SECOND), "{status}");
        tokio::time::advance(SECOND).await;
        assert_eq!(kinds.map(|kind| client.paused_for(kind)), [None; 3], "{status}");
        let apart = asked_to_pause(status, RateLimit::published());
        assert_eq!(apart.paused_for(Safety::Idempotent), None);
    }
}

//! The time left is estimated as it turns out to be, under a quota and through its pauses.

use std::time::Duration;

use futures_util::StreamExt;
use magicbell::revocation::{Basis, Estimate, Progress};
use magicbell::testing::{Fault, Server};
use magicbell::{Client, RateLimit};
use tokio::time::Instant;

/// A run under the published limits in paused time: what was estimated at which moment, each second and at each outcome, from the
/// given part of the run on; and how long it took.
struct Run {
    start: Instant,
    estimates: Vec<(Instant, Option<Estimate>)>,
    end: Instant,
    refused: usize,
}

async fn run(count: usize, limit: Option<RateLimit>, from: f64, pause: Option<u64>) -> Run {
    let server = Server::builder().published_rate_limit().start().await.unwrap();
    let client = Client::builder().token(server.token()).base_url(server.url()).transport(server.transport());
    let client = client.maybe_rate_limit(limit.clone()).build().unwrap();
    let start = Instant::now();
    let mut progress = Progress::new(count as u64);
    if let Some(limit) = &limit {
        progress = progress.rate_limit(limit);
    }
    let mut outcomes = client.jwt().discard_user_jwts(server.add_user_tokens("u", count)).stream();
    let (mut estimates, mut pause) = (Vec::new(), pause);
    loop {
        let next = tokio::time::timeout(Duration::from_secs(1), outcomes.next()).await;
        match next {
            Ok(Some(revocation)) => progress.record(&revocation),
            Ok(None) => break,
            Err(_) => {}
        }
        if let Some(seconds) = pause.take_if(|_| progress.done() == count as u64 / 2) {
            server.fail_next(Fault::status(429).retry_after(seconds));
        }
        if progress.done() as f64 >= count as f64 * from && progress.left() > 0 {
            estimates.push((Instant::now(), progress.estimate()));
        }
    }
    let refused = server.requests().iter().filter(|request| request.status == Some(429)).count();
    Run { start, estimates, end: Instant::now(), refused }
}

impl Run {
    /// Asserts that no estimate is off by more than a minute, or a tenth of the truth where that is more.
    fn assert_honest(&self) {
        assert!(self.estimates.len() > 100);
        for (at, estimate) in &self.estimates {
            let (estimate, truth) = (estimate.unwrap(), self.end - *at);
            let off = estimate.left.abs_diff(truth);
            let allowed = Duration::from_secs(60).max(truth / 10);
            assert!(off <= allowed, "at {:?}: {estimate:?}, and it was {truth:?}", *at - self.start);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn under_a_quota_that_the_server_keeps_it_is_within_a_minute_or_a_tenth_from_the_first_twentieth_on() {
    for count in [400, 2_000] {
        let run = run(count, None, 0.05, None).await;
        assert!(run.refused > 0, "the quota was met");
        assert!(run.end - run.start >= Duration::from_secs((count as u64 / 200 - 1) * 60));
        run.assert_honest();
    }
}

#[tokio::test(start_paused = true)]
async fn under_the_clients_own_rate_limit_it_is_so_from_the_start() {
    for count in [400, 2_000] {
        let run = run(count, Some(RateLimit::published()), 0.0, None).await;
        assert_eq!(run.refused, 0);
        run.assert_honest();
        assert_eq!(run.estimates[0].1.unwrap().basis, Basis::RateLimit);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_the_service_asks_for_moves_the_end_and_is_counted() {
    let limit = || Some(RateLimit::published());
    let (without, with) = (run(2_000, limit(), 0.0, None).await, run(2_000, limit(), 0.0, Some(50)).await);
    assert!(with.end - with.start > without.end - without.start + Duration::from_secs(45));
    // Nothing comes in it, and what is left to do gets no shorter.
    let paused = with.estimates.windows(2).filter(|pair| pair[1].0 - pair[0].0 >= Duration::from_secs(1));
    let paused = paused.map(|pair| pair[1].1.unwrap().left).collect::<Vec<_>>();
    assert!(paused.len() >= 45, "{}", paused.len());
    assert!(paused.iter().all(|left| *left >= paused[0] - Duration::from_secs(1)), "{paused:?}");
    for (at, estimate) in with.estimates.iter().filter(|(at, _)| *at - with.start > Duration::from_secs(420)) {
        assert!(estimate.unwrap().left.abs_diff(with.end - *at) <= Duration::from_secs(60));
    }
}

#[tokio::test(start_paused = true)]
async fn four_hundred_ids_take_two_minutes_at_200_a_minute() {
    let run = run(400, Some(RateLimit::published()), 0.0, None).await;
    let took = run.end - run.start;
    assert!(took.abs_diff(Duration::from_secs(120)) < Duration::from_secs(5), "{took:?}");
}

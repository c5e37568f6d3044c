//! Retries don't make an outage worse.

use std::time::Duration;

use magicbell_middleware::retry::{Jitter, RetryBudget, RetryLayer, RetryPolicy};
use tower::ServiceExt as _;

use crate::support::{Reply, Server, list, stack};

fn paid_from(budget: RetryBudget) -> RetryLayer {
    RetryLayer::new(RetryPolicy::builder().jitter(Jitter::seeded(1)).budget(budget).build())
}

#[tokio::test(start_paused = true)]
async fn a_thousand_calls_in_an_outage_are_sent_a_thousand_times_and_the_budget() {
    let layers = [(RetryLayer::new(RetryPolicy::default()), 1_100), (paid_from(RetryBudget::new(7)), 1_007)];
    for (layer, expected) in layers {
        let server = Server::new([Reply::Status(503)]);
        let service = stack(layer, server.clone());
        for _ in 0..1_000 {
            assert_eq!(service.clone().oneshot(list()).await.unwrap().status(), 503);
        }
        assert_eq!(server.count(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_calls_at_once_share_it() {
    for reply in [Reply::Status(503), Reply::NotSent, Reply::Reset, Reply::Status(429), Reply::Lost(200)] {
        let server = Server::new([reply]);
        let service = stack(paid_from(RetryBudget::new(50)), server.clone());
        let calls = (0..1_000).map(|_| tokio::spawn(service.clone().oneshot(list()))).collect::<Vec<_>>();
        for call in calls {
            let _ = call.await.unwrap();
        }
        assert_eq!(server.count(), 1_050, "{reply:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_services_with_one_budget_share_it() {
    let budget = RetryBudget::new(1);
    let counts = [0, 1].map(async |_| {
        let server = Server::new([Reply::Status(503)]);
        stack(paid_from(budget.clone()), server.clone()).oneshot(list()).await.unwrap();
        server.count()
    });
    let [first, second] = counts;
    assert_eq!((first.await, second.await), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn ten_successes_pay_one_retry_back() {
    let budget = RetryBudget::new(1);
    assert!(budget.withdraw());
    let server = Server::new([Reply::Status(200)]);
    let service = stack(paid_from(budget.clone()), server);
    for paid in 0..10 {
        assert_eq!(budget.remaining(), 0, "{paid}");
        service.clone().oneshot(list()).await.unwrap();
    }
    assert_eq!(budget.remaining(), 1);
}

#[tokio::test(start_paused = true)]
async fn only_a_whole_answer_pays_back() {
    for reply in [Reply::Lost(200), Reply::Oversized(200), Reply::Status(404), Reply::Status(503), Reply::NotSent] {
        let budget = RetryBudget::new(1);
        assert!(budget.withdraw());
        let service = stack(paid_from(budget.clone()), Server::new([reply]));
        for _ in 0..20 {
            let _ = service.clone().oneshot(list()).await;
        }
        assert_eq!(budget.remaining(), 0, "{reply:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_budget_returns_the_answer_at_once() {
    let server = Server::new([Reply::Asks(429, "7")]);
    let start = tokio::time::Instant::now();
    let response = stack(paid_from(RetryBudget::new(0)), server.clone()).oneshot(list()).await.unwrap();
    assert_eq!((response.status().as_u16(), server.count(), start.elapsed()), (429, 1, Duration::ZERO));
}

/// What isn't sent isn't paid for, whatever it is that keeps it back.
#[tokio::test(start_paused = true)]
async fn a_retry_that_the_pace_keeps_back_is_not_paid_for() {
    use magicbell_middleware::pace::{Pace, Quota};
    let budget = RetryBudget::new(100);
    let pace = Pace::new(Quota::per(1, Duration::from_secs(60)), Quota::unlimited());
    let server = Server::new([Reply::Status(503)]);
    let layer = paid_from(budget.clone()).timeout(Duration::from_secs(5)).pace(pace);
    stack(layer, server.clone()).oneshot(list()).await.unwrap_err();
    assert_eq!((server.count(), budget.remaining()), (1, 100));
}

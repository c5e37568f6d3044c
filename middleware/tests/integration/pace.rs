//! Waits for the pace: nobody is early, nobody comes in a herd, and no permit is held.

use std::time::Duration;

use magicbell_middleware::Body;
use magicbell_middleware::pace::{Pace, PaceLayer, Quota};
use magicbell_middleware::retry::{Jitter, RetryLayer, RetryPolicy};
use tokio::time::Instant;
use tower::limit::ConcurrencyLimit;
use tower::{ServiceBuilder, ServiceExt as _};

use crate::support::{Reply, Server, TICK, discard, list, policy, stack};

const SECOND: Duration = Duration::from_secs(1);

fn jittered(jitter: Jitter) -> RetryLayer {
    RetryLayer::new(RetryPolicy::builder().jitter(jitter).build())
}

/// Asserts that of the requests sent after the first `before`, none is earlier than 7 s, and that they come spread.
fn assert_spread(server: &Server, before: usize, count: usize, in_first_second: usize) {
    let mut times = server.times().split_off(before);
    times.sort();
    assert_eq!(times.len(), count);
    assert!(times[0] >= 7 * SECOND, "{:?}", times[0]);
    let first_second = times.iter().filter(|time| **time <= times[0] + SECOND).count();
    assert!(first_second <= in_first_second, "{first_second} in the first second");
    let at_once = times.iter().filter(|time| **time <= times[0] + 2 * TICK).count();
    assert!(at_once <= 2, "{at_once} at once");
    assert!(times[count - 1] <= 12 * SECOND, "{:?}", times[count - 1]);
}

#[tokio::test(start_paused = true)]
async fn calls_that_come_during_a_pause_are_let_through_one_by_one_after_it() {
    for jitter in [Jitter::off(), Jitter::seeded(1), Jitter::random()] {
        let server = Server::new([Reply::Asks(429, "7"), Reply::Status(200)]);
        let service = stack(jittered(jitter), server.clone());
        let mut calls = vec![tokio::spawn(service.clone().oneshot(list()))];
        tokio::time::sleep(TICK).await;
        calls.extend((0..64).map(|_| tokio::spawn(service.clone().oneshot(list()))));
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap().status(), 200);
        }
        assert_spread(&server, 1, 65, 28);
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_all_told_to_wait_do_not_come_back_all_at_once() {
    for jitter in [Jitter::off(), Jitter::seeded(1), Jitter::random()] {
        let mut script = vec![Reply::AsksLate(429, "7"); 64];
        script.push(Reply::Status(200));
        let server = Server::new(script);
        let service = stack(jittered(jitter), server.clone());
        let calls = (0..64).map(|_| tokio::spawn(service.clone().oneshot(list()))).collect::<Vec<_>>();
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap().status(), 200);
        }
        // Those who come late in the ramp come closer together.
        assert_spread(&server, 64, 64, 40);
    }
}

#[tokio::test(start_paused = true)]
async fn a_shorter_pause_does_not_end_a_longer_one() {
    let pace = Pace::unlimited();
    pace.pause(7 * SECOND);
    pace.pause(SECOND);
    let server = Server::new([Reply::Status(200)]);
    stack(RetryLayer::new(policy()).pace(pace), server.clone()).oneshot(list()).await.unwrap();
    assert!(server.times()[0] >= 7 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_comes_as_the_pause_ends_takes_its_turn() {
    let pace = Pace::unlimited();
    let server = Server::new([Reply::Status(200)]);
    let service = stack(RetryLayer::new(policy()).pace(pace.clone()), server.clone());
    pace.pause(7 * SECOND);
    tokio::time::sleep(7 * SECOND).await;
    let calls = (0..64).map(|_| tokio::spawn(service.clone().oneshot(list()))).collect::<Vec<_>>();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_spread(&server, 0, 64, 28);
}

#[tokio::test(start_paused = true)]
async fn one_pause_does_not_slow_a_busy_client_down_for_good() {
    // Eight workers that always have something to send are soon as fast as before.
    let server = Server::new([Reply::Asks(503, "7"), Reply::Slow(10 * TICK, 200)]);
    let service = stack(RetryLayer::new(policy()), server.clone());
    let end = Instant::now() + 14 * SECOND;
    let workers = (0..8).map(|_| {
        let service = service.clone();
        tokio::spawn(async move {
            while Instant::now() < end {
                service.clone().oneshot(list()).await.unwrap();
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
    let late = server.times().iter().filter(|time| (12 * SECOND..13 * SECOND).contains(*time)).count();
    assert!(late >= 400, "{late}");
}

#[tokio::test(start_paused = true)]
async fn long_after_a_pause_nobody_waits() {
    let pace = Pace::unlimited();
    let server = Server::new([Reply::Status(200)]);
    let service = stack(RetryLayer::new(policy()).pace(pace.clone()), server.clone());
    pace.pause(7 * SECOND);
    service.clone().oneshot(list()).await.unwrap();
    tokio::time::sleep(4 * SECOND).await;
    let start = Instant::now();
    for _ in 0..64 {
        service.clone().oneshot(list()).await.unwrap();
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_permit_is_free_while_another_call_backs_off() {
    let server = Server::new([Reply::Status(503), Reply::Status(200)]);
    let service = stack(RetryLayer::new(policy()), ConcurrencyLimit::new(server.clone(), 1));
    let first = tokio::spawn(service.clone().oneshot(discard()));
    tokio::task::yield_now().await;
    assert_eq!(server.count(), 1);
    let start = Instant::now();
    service.oneshot(list()).await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    let methods = server.received().iter().map(|sent| sent.method.to_string()).collect::<Vec<_>>();
    assert_eq!(methods, ["DELETE", "GET", "DELETE"]);
}

#[tokio::test(start_paused = true)]
async fn a_permit_is_free_during_a_pause() {
    let server = Server::new([Reply::Asks(429, "7"), Reply::Status(200)]);
    let limited = ConcurrencyLimit::new(server.clone(), 1);
    let service = stack(RetryLayer::new(policy()), limited.clone());
    let calls = (0..8).map(|_| tokio::spawn(service.clone().oneshot(discard()))).collect::<Vec<_>>();
    tokio::time::sleep(SECOND).await;
    assert_eq!(server.count(), 1);
    // Somebody beside the pace needs the only permit.
    limited.oneshot(list()).await.unwrap();
    assert_eq!(server.times()[1], SECOND);
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert!(server.times()[2..].iter().all(|at| *at >= 7 * SECOND), "{:?}", server.times());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_becomes_ready_during_a_pause_gives_its_permit_back() {
    // The second call has been let through by the pace, and waits for the permit of the first when the pause begins.
    let server = Server::new([Reply::Slow(SECOND, 429), Reply::Status(200)]);
    let limited = ConcurrencyLimit::new(server.clone(), 1);
    let pace = Pace::unlimited();
    let service = stack(RetryLayer::new(RetryPolicy::never()).pace(pace.clone()), limited.clone());
    let first = tokio::spawn(service.clone().oneshot(discard()));
    tokio::task::yield_now().await;
    let second = tokio::spawn(service.clone().oneshot(discard()));
    tokio::time::sleep(SECOND / 2).await;
    pace.pause(7 * SECOND);
    first.await.unwrap().unwrap();
    let start = Instant::now();
    limited.oneshot(list()).await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
    second.await.unwrap().unwrap();
    let times = server.times();
    assert_eq!(times[1], SECOND);
    assert!(times[2] >= 7 * SECOND + SECOND / 2, "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn the_layer_without_retry_holds_back_what_becomes_ready_during_a_pause_too() {
    let server = Server::new([Reply::Slow(SECOND, 200)]);
    let pace = Pace::unlimited();
    let limited = ConcurrencyLimit::new(server.clone(), 1);
    let service = ServiceBuilder::new().layer(PaceLayer::new(pace.clone())).service(limited.clone());
    let first = tokio::spawn(service.clone().oneshot(discard()));
    tokio::task::yield_now().await;
    let second = tokio::spawn(service.oneshot(discard()));
    tokio::time::sleep(SECOND / 2).await;
    pace.pause(7 * SECOND);
    first.await.unwrap().unwrap();
    // The permit is free meanwhile.
    limited.oneshot(list()).await.unwrap();
    second.await.unwrap().unwrap();
    let times = server.times();
    assert_eq!(times[1], SECOND);
    assert!(times[2] >= 7 * SECOND + SECOND / 2, "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_the_pace_is_not_an_attempts_time() {
    // Longer than an attempt may take.
    let pace = Pace::unlimited();
    pace.pause(30 * SECOND);
    let server = Server::new([Reply::Slow(9 * SECOND, 200)]);
    let response = stack(RetryLayer::new(policy()).pace(pace), server.clone()).oneshot(list()).await.unwrap();
    assert_eq!((response.status().as_u16(), server.count()), (200, 1));
}

#[tokio::test(start_paused = true)]
async fn retries_count_towards_the_quota() {
    let (count, window) = (10, SECOND);
    let pace = Pace::new(Quota::unlimited(), Quota::per(count, window));
    let server = Server::new([Reply::NotSent]);
    let service = stack(RetryLayer::new(policy()).pace(pace), server.clone());
    let calls = (0..20).map(|_| tokio::spawn(service.clone().oneshot(discard()))).collect::<Vec<_>>();
    for call in calls {
        call.await.unwrap().unwrap_err();
    }
    let times = server.times();
    assert_eq!(times.len(), 60);
    for (first, last) in times.iter().zip(&times[count as usize..]) {
        assert!(*last - *first >= window, "{first:?} to {last:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn quotas_of_any_size_do_not_panic() {
    let windows = [Duration::ZERO, Duration::from_nanos(1), SECOND, Duration::from_secs(u64::MAX), Duration::MAX];
    for window in windows {
        for count in [0, 1, 19, 20, u32::MAX] {
            let quota = Quota::per(count, window);
            for share in [-1.0, 0.0, 0.5, 1.0, f64::INFINITY, f64::NAN] {
                let pace = Pace::new(quota.share(share), quota);
                let layer = RetryLayer::new(policy()).timeout(SECOND).pace(pace);
                let service = ServiceBuilder::new()
                    .layer(layer)
                    .service_fn(async |_| Ok::<_, std::convert::Infallible>(http::Response::new(Body::empty())));
                for request in [list(), discard(), discard()] {
                    let _ = service.clone().oneshot(request).await;
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_window_without_end_still_limits() {
    let pace = Pace::new(Quota::unlimited(), Quota::per(1, Duration::MAX));
    let server = Server::new([Reply::Status(200)]);
    let service = stack(RetryLayer::new(policy()).timeout(60 * SECOND).pace(pace), server.clone());
    service.clone().oneshot(discard()).await.unwrap();
    service.oneshot(discard()).await.unwrap_err();
    assert_eq!(server.count(), 1);
}

/// Forty calls behind one permit, which its first holder keeps for 5 s: their turns pass by meanwhile, and don't all count then.
#[tokio::test(start_paused = true)]
async fn turns_that_passed_by_behind_a_permit_are_not_made_up_for_in_a_burst() {
    let server = Server::new([Reply::Slow(5 * SECOND, 200), Reply::Status(200)]);
    let limited = ConcurrencyLimit::new(server.clone(), 1);
    let pace = Pace::new(Quota::unlimited(), Quota::per(10, SECOND));
    let service = stack(RetryLayer::new(policy()).pace(pace), limited);
    let calls = (0..40).map(|_| tokio::spawn(service.clone().oneshot(discard()))).collect::<Vec<_>>();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let times = server.times();
    assert_eq!(times.len(), 40);
    for (first, eleventh) in times.iter().zip(&times[10..]) {
        // A turn may be used as late as the next one's.
        assert!(*eleventh - *first >= SECOND - 100 * TICK, "{first:?} to {eleventh:?}");
    }
    assert!(times[39] < 12 * SECOND, "and nobody waits for longer than the quota asks: {:?}", times[39]);
}

/// Callers with a limit of their own who give up while they wait leave their turns to those who come after them.
#[tokio::test(start_paused = true)]
async fn turns_of_calls_that_were_dropped_are_not_waited_for() {
    let pace = Pace::new(Quota::unlimited(), Quota::per(60, 60 * SECOND));
    let server = Server::new([Reply::Status(200)]);
    let service = stack(RetryLayer::new(policy()).timeout(60 * SECOND).pace(pace), server.clone());
    // As in an overload: 40 callers who wait for no longer than 2 s each.
    let impatient = (0..40).map(|_| tokio::time::timeout(2 * SECOND, service.clone().oneshot(discard())));
    let calls = impatient.map(tokio::spawn).collect::<Vec<_>>();
    for call in calls {
        let _ = call.await.unwrap();
    }
    let sent = server.count();
    let start = Instant::now();
    service.oneshot(discard()).await.unwrap();
    let waited = start.elapsed();
    assert!(waited <= 3 * SECOND, "{sent} requests were sent in 2 s, and the next had to wait for {waited:?}");
}

/// A herd is spread whatever its size.
#[tokio::test(start_paused = true)]
async fn a_thousand_waiters_do_not_come_in_a_herd_after_a_pause() {
    let pace = Pace::unlimited();
    let server = Server::new([Reply::Status(200)]);
    let service = stack(RetryLayer::new(policy()).pace(pace.clone()), server.clone());
    pace.pause(7 * SECOND);
    let calls = (0..1_000).map(|_| tokio::spawn(service.clone().oneshot(list()))).collect::<Vec<_>>();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let times = server.times();
    let most = times.iter().map(|first| times.iter().filter(|at| **at >= *first && **at < *first + 10 * TICK).count());
    let most = most.max().unwrap();
    assert!(most <= 20, "{most} requests within a hundredth of a second");
}

/// A turn that is used late brings its request closer to the one a window later.
#[tokio::test(start_paused = true)]
async fn no_window_has_more_than_the_quota_also_where_a_turn_is_used_late() {
    let server = Server::new([Reply::Slow(90 * TICK, 200), Reply::Status(200)]);
    let limited = ConcurrencyLimit::new(server.clone(), 1);
    let pace = Pace::new(Quota::unlimited(), Quota::per(10, SECOND));
    // Somebody beside the pace has the only permit for 90 ms.
    let first = tokio::spawn(limited.clone().oneshot(list()));
    tokio::task::yield_now().await;
    let service = stack(RetryLayer::new(policy()).pace(pace), limited);
    let calls = (0..20).map(|_| tokio::spawn(service.clone().oneshot(discard()))).collect::<Vec<_>>();
    first.await.unwrap().unwrap();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let times = server.times().split_off(1);
    for (first, eleventh) in times.iter().zip(&times[10..]) {
        assert!(
            *eleventh - *first >= SECOND,
            "11 requests from {first:?} to {eleventh:?}, with a quota of 10 a second"
        );
    }
}

/// More calls than the quota allows, each given up by its caller after 2 s: what the quota allows is sent all the same.
#[tokio::test(start_paused = true)]
async fn an_overload_by_impatient_callers_is_still_served_at_the_quotas_rate() {
    let pace = Pace::new(Quota::unlimited(), Quota::per(60, 60 * SECOND));
    let server = Server::new([Reply::Status(200)]);
    let service = stack(RetryLayer::new(policy()).timeout(60 * SECOND).pace(pace), server.clone());
    // Five calls a second for five minutes, of which one a second may be sent.
    for _ in 0..1_500 {
        tokio::spawn(tokio::time::timeout(2 * SECOND, service.clone().oneshot(discard())));
        tokio::time::sleep(SECOND / 5).await;
    }
    let sent = server.count();
    assert!(sent >= 200, "{sent} requests were sent in five minutes, with a quota of 300");
}

/// The seventh version of the IETF's draft: one header, and the names within it.
#[tokio::test(start_paused = true)]
async fn the_seventh_drafts_rate_limit_header_is_read_as_well() {
    let headers = http::HeaderMap::from_iter([(
        http::HeaderName::from_static("ratelimit"),
        http::HeaderValue::from_static("limit=200, remaining=0, reset=9"),
    )]);
    let pace = Pace::unlimited();
    pace.observe(magicbell_middleware::Safety::Safe, http::StatusCode::OK, &headers, Duration::MAX);
    assert_eq!(pace.paused_for(magicbell_middleware::Safety::Safe), Some(9 * SECOND));
}

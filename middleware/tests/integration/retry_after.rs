//! What a server asks to wait is waited, or not at all.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Request, Response, header};
use magicbell_middleware::retry::{Jitter, RetryLayer, RetryPolicy, retry_after};
use magicbell_middleware::{Body, CallContext};
use tokio::time::Instant;
use tower::{ServiceBuilder, ServiceExt as _, service_fn};

use crate::support::{Reply, Server, TICK, create, discard, list, policy, stack};

const SECOND: Duration = Duration::from_secs(1);

fn seeded(seed: u64) -> RetryPolicy {
    RetryPolicy::builder().jitter(Jitter::seeded(seed)).build()
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_never_shorter_than_asked_and_at_most_a_tenth_longer() {
    for seed in 0..200 {
        for status in [429, 500, 502, 503] {
            let server = Server::new([Reply::Asks(status, "20"), Reply::Status(200)]);
            stack(RetryLayer::new(seeded(seed)), server.clone()).oneshot(list()).await.unwrap();
            let waited = server.times()[1];
            assert!(waited >= 20 * SECOND && waited <= 22 * SECOND + SECOND / 20 + TICK, "{seed}: {waited:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn any_wait_is_within_what_was_asked_and_the_backoffs_ceiling() {
    for seed in 0..500 {
        let asked = Duration::from_secs(fastrand::Rng::with_seed(seed).u64(0..=60));
        let start = Instant::now();
        let service =
            ServiceBuilder::new().layer(RetryLayer::new(seeded(seed))).service(service_fn(move |_: Request<Body>| {
                let builder = Response::builder().header(header::RETRY_AFTER, asked.as_secs());
                let status = if start.elapsed().is_zero() { 429 } else { 200 };
                std::future::ready(builder.status(status).body(Body::empty()))
            }));
        assert_eq!(service.oneshot(list()).await.unwrap().status(), 200);
        // A tenth, or the backoff, and the place in the queue after a pause.
        let (waited, most) = (start.elapsed(), (asked + asked / 10).max(SECOND) + SECOND / 20);
        assert!(waited >= asked && waited <= most + TICK, "{seed}: asked {asked:?}, waited {waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_date_is_waited_for_by_the_servers_own_clock() {
    let start = Instant::now();
    let service =
        ServiceBuilder::new().layer(RetryLayer::new(policy())).service(service_fn(move |_: Request<Body>| {
            let builder = Response::builder()
                .header(header::DATE, "Sun, 06 Nov 1994 08:49:37 GMT")
                .header(header::RETRY_AFTER, "Sun, 06 Nov 1994 08:50:07 GMT");
            let status = if start.elapsed().is_zero() { 503 } else { 200 };
            std::future::ready(builder.status(status).body(Body::empty()))
        }));
    service.oneshot(list()).await.unwrap();
    assert!(start.elapsed() >= 30 * SECOND && start.elapsed() <= 33 * SECOND + TICK, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_date_that_is_past_means_the_ordinary_backoff() {
    let server = Server::new([Reply::Asks(503, "Sun, 06 Nov 1994 08:49:37 GMT"), Reply::Status(200)]);
    stack(RetryLayer::new(policy()), server.clone()).oneshot(list()).await.unwrap();
    assert_eq!(server.times()[1], Duration::from_millis(100));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_means_the_ordinary_backoff() {
    for garbage in ["+5", "-1", "1.5", "soon", "", "5 s"] {
        let server = Server::new([Reply::Asks(429, garbage), Reply::Status(200)]);
        stack(RetryLayer::new(policy()), server.clone()).oneshot(list()).await.unwrap();
        assert_eq!(server.times()[1], SECOND, "{garbage:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_asks_for_more_than_the_policy_waits_is_returned_at_once() {
    for asked in ["61", "3600", "99999999999999999999"] {
        let server = Server::new([Reply::Asks(429, asked)]);
        let start = Instant::now();
        let response = stack(RetryLayer::new(policy()), server.clone()).oneshot(discard()).await.unwrap();
        assert_eq!((response.status().as_u16(), server.count()), (429, 1));
        assert_eq!(response.headers()["retry-after"], asked);
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn the_longest_wait_that_is_allowed_is_waited() {
    let server = Server::new([Reply::Asks(429, "60"), Reply::Status(200)]);
    stack(RetryLayer::new(policy()), server.clone()).oneshot(discard()).await.unwrap();
    assert!(server.times()[1] >= 60 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_asks_for_more_than_the_deadline_leaves_is_returned_at_once() {
    let server = Server::new([Reply::Asks(429, "5")]);
    let layer = RetryLayer::new(seeded(1)).timeout(5 * SECOND);
    let start = Instant::now();
    let response = stack(layer, server.clone()).oneshot(discard()).await.unwrap();
    assert_eq!((response.status().as_u16(), server.count()), (429, 1));
    assert_eq!(start.elapsed(), Duration::ZERO);
}

/// A discard that waits 429s out.
fn patient(context: CallContext) -> Request<Body> {
    let mut request = discard();
    request.extensions_mut().insert(context.waiting_out_rate_limits());
    request
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_429s_out_waits_longer_than_the_policy_would() {
    for asked in ["61", "86400"] {
        let server = Server::new([Reply::Asks(429, asked), Reply::Status(200)]);
        let response = stack(RetryLayer::new(policy()), server.clone()).oneshot(patient(CallContext::new())).await;
        assert_eq!((response.unwrap().status().as_u16(), server.count()), (200, 2));
        assert!(server.times()[1] >= Duration::from_secs(asked.parse().unwrap()), "{asked}");
    }
}

#[tokio::test(start_paused = true)]
async fn even_a_call_that_waits_429s_out_ends_where_a_wait_is_beyond_a_day_or_its_deadline() {
    for (asked, deadline) in [("86401", None), ("99999999999999999999", None), ("61", Some(60 * SECOND))] {
        let server = Server::new([Reply::Asks(429, asked)]);
        let start = Instant::now();
        let context = deadline.map_or(CallContext::new(), |deadline| CallContext::new().with_timeout(deadline));
        let response = stack(RetryLayer::new(policy()), server.clone()).oneshot(patient(context)).await;
        assert_eq!((response.unwrap().status().as_u16(), server.count()), (429, 1), "{asked}");
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn a_503_that_asks_for_more_than_the_policy_waits_is_not_waited_out() {
    let server = Server::new([Reply::Asks(503, "61")]);
    let response = stack(RetryLayer::new(policy()), server.clone()).oneshot(patient(CallContext::new())).await;
    assert_eq!((response.unwrap().status().as_u16(), server.count()), (503, 1));
}

#[tokio::test(start_paused = true)]
async fn a_policy_without_a_limit_on_waits_does_not_panic() {
    let policy = RetryPolicy::builder().jitter(Jitter::off()).max_retry_after(Duration::MAX).build();
    let server = Server::new([Reply::Asks(429, "99999999999999999999")]);
    let response = stack(RetryLayer::new(policy), server.clone()).oneshot(discard()).await.unwrap();
    assert_eq!((response.status().as_u16(), server.count()), (429, 1));
}

/// Sends one call that is answered so, then a create by a clone; returns when the second was sent.
async fn second_call_after(first: Reply, first_request: Request<Body>, layer: RetryLayer) -> Duration {
    let server = Server::new([first, Reply::Status(200)]);
    let service = stack(layer, server.clone());
    let call = tokio::spawn(service.clone().oneshot(first_request));
    tokio::time::sleep(TICK).await;
    service.oneshot(create()).await.unwrap();
    call.abort();
    server.times()[1]
}

#[tokio::test(start_paused = true)]
async fn one_429_pauses_the_calls_of_every_clone() {
    let sent = second_call_after(Reply::Asks(429, "7"), discard(), RetryLayer::new(seeded(3))).await;
    assert!(sent >= 7 * SECOND && sent <= 8 * SECOND, "{sent:?}");
}

#[tokio::test(start_paused = true)]
async fn one_429_for_a_read_does_not_pause_writes() {
    let sent = second_call_after(Reply::Asks(429, "7"), list(), RetryLayer::new(seeded(3))).await;
    assert!(sent <= 2 * TICK, "{sent:?}");
}

#[tokio::test(start_paused = true)]
async fn one_503_pauses_reads_and_writes() {
    let sent = second_call_after(Reply::Asks(503, "7"), list(), RetryLayer::new(policy())).await;
    assert!(sent >= 7 * SECOND && sent <= 8 * SECOND, "{sent:?}");
}

#[tokio::test(start_paused = true)]
async fn a_503_that_asks_for_a_wait_pauses_others_although_its_own_create_is_not_sent_again() {
    let sent = second_call_after(Reply::Asks(503, "7"), create(), RetryLayer::new(policy())).await;
    assert!(sent >= 7 * SECOND, "{sent:?}");
}

#[tokio::test(start_paused = true)]
async fn a_429_pauses_others_also_where_its_own_call_gives_up() {
    let layers = [RetryLayer::new(RetryPolicy::never()), RetryLayer::new(policy()).timeout(60 * SECOND)];
    for layer in layers {
        let sent = second_call_after(Reply::Asks(429, "59"), discard(), layer).await;
        assert!(sent >= 59 * SECOND, "{sent:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_a_year_pauses_others_for_no_longer_than_the_policy_waits() {
    let sent = second_call_after(Reply::Asks(429, "31536000"), discard(), RetryLayer::new(policy())).await;
    assert!(sent >= 60 * SECOND && sent <= 61 * SECOND, "{sent:?}");
}

#[tokio::test(start_paused = true)]
async fn a_429_that_asks_for_nothing_pauses_nobody() {
    let sent = second_call_after(Reply::Status(429), discard(), RetryLayer::new(policy())).await;
    assert!(sent <= 2 * TICK, "{sent:?}");
}

#[test]
fn arbitrary_bytes_never_panic_and_what_is_read_is_what_was_meant() {
    let mut rng = fastrand::Rng::with_seed(29);
    let seeds =
        ["Sun, 06 Nov 1994 08:50:37 GMT", "Sunday, 06-Nov-94 08:50:37 GMT", "Sun Nov  6 08:50:37 1994", "120", ""];
    for _ in 0..100_000 {
        let mut bytes = rng.choice(seeds).unwrap().as_bytes().to_vec();
        for _ in 0..rng.usize(0..8) {
            match rng.u8(0..3) {
                0 => bytes.insert(rng.usize(0..=bytes.len()), rng.u8(..)),
                1 if !bytes.is_empty() => drop(bytes.remove(rng.usize(0..bytes.len()))),
                _ if !bytes.is_empty() => *rng.choice(&mut bytes[..]).unwrap() = rng.u8(b' '..=b'~'),
                _ => {}
            }
        }
        let Ok(value) = HeaderValue::from_bytes(&bytes) else { continue };
        for name in [header::RETRY_AFTER, header::DATE] {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(seeds[0]));
            headers.insert(name, value.clone());
            let _ = retry_after(&headers);
        }
        let headers = HeaderMap::from_iter([(header::RETRY_AFTER, value.clone())]);
        if bytes.iter().all(u8::is_ascii_digit) && !bytes.is_empty() {
            let seconds = value.to_str().unwrap().parse().map_or(Duration::MAX, Duration::from_secs);
            assert_eq!(retry_after(&headers), Some(seconds), "{value:?}");
        }
    }
}

/// What is added so that not all come at once stays within the cap, too.
#[tokio::test(start_paused = true)]
async fn no_wait_is_longer_than_the_policys_cap() {
    let mut longest = Duration::ZERO;
    for seed in 0..50 {
        let server = Server::new([Reply::Asks(503, "60"), Reply::Status(200)]);
        stack(RetryLayer::new(seeded(seed)), server.clone()).oneshot(list()).await.unwrap();
        longest = longest.max(server.times().pop().unwrap());
    }
    // A place in the queue after the pause may come on top.
    assert!(longest <= 60 * SECOND + SECOND / 20 + TICK, "the cap is 60 s, and {longest:?} was waited");
}

/// Five seconds before the deadline is in time: whether such a wait is worth it is not for chance to say.
#[tokio::test(start_paused = true)]
async fn a_wait_that_fits_into_the_deadline_is_waited_whatever_the_jitter() {
    let waited = async |seed: u64| {
        let server = Server::new([Reply::Asks(429, "55"), Reply::Status(200)]);
        let layer = RetryLayer::new(seeded(seed)).timeout(60 * SECOND);
        let _ = stack(layer, server.clone()).oneshot(discard()).await;
        server.count()
    };
    let mut once = Vec::new();
    for seed in 0..50 {
        if waited(seed).await == 1 {
            once.push(seed);
        }
    }
    assert!(once.is_empty(), "5 s before the deadline, and given up at once with {} of 50 seeds", once.len());
}

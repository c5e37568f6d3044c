//! Credentials that are fetched, when what they are fetched from is down, slow, or has nothing new.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::{HeaderValue, StatusCode};
use magicbell_middleware::auth::{AuthLayer, Credentials, Fetched, FetchedCredentials, bearer};
use magicbell_middleware::collect::CollectLayer;
use magicbell_middleware::retry::RetryLayer;
use magicbell_middleware::{BoxError, find_source};
use tokio::time::{Instant, advance, sleep};
use tower::{ServiceBuilder, ServiceExt as _};

use crate::support::{Reply, Server, TICK, list, policy};

const SECOND: Duration = Duration::from_secs(1);
const HALF: Duration = Duration::from_millis(500);
const NEVER: Duration = Duration::MAX;

/// How long a fetch takes, and what it gives.
type Step = (Duration, Result<&'static str, &'static str>);

/// Credentials by script, each valid for 100 s, and how often they were fetched; the last step is repeated.
fn scripted(steps: impl Into<Vec<Step>>) -> (Arc<AtomicU32>, impl Credentials + Clone) {
    let (steps, count) = (steps.into(), Arc::new(AtomicU32::new(0)));
    let counter = Arc::clone(&count);
    let credentials = FetchedCredentials::new(move || {
        let number = counter.fetch_add(1, Ordering::Relaxed) as usize;
        let (time, given) = steps[number.min(steps.len() - 1)];
        async move {
            match time {
                Duration::ZERO => {}
                NEVER => std::future::pending().await,
                time => sleep(time).await,
            }
            Ok::<_, BoxError>(Fetched::new(bearer(given?)?).valid_for(100 * SECOND))
        }
    });
    (count, credentials)
}

/// Asks 64 times at once; returns what each was given, and how long it waited.
async fn ask_64(credentials: &impl Credentials) -> Vec<(Result<HeaderValue, BoxError>, Duration)> {
    let start = Instant::now();
    let asking = (0..64).map(|_| {
        let asked = credentials.authorization();
        tokio::spawn(async move { (asked.await, start.elapsed()) })
    });
    let mut given = Vec::new();
    for asked in asking.collect::<Vec<_>>() {
        given.push(asked.await.unwrap());
    }
    given
}

/// Fetching before the end is there so that a fetch that fails has time to be made again.
#[tokio::test(start_paused = true)]
async fn a_fetch_that_fails_or_hangs_holds_up_one_attempt_for_a_second_while_the_value_is_valid() {
    for (then, longest) in [((HALF, Err("the vault is down")), HALF), ((NEVER, Ok("t1")), SECOND)] {
        let (fetches, credentials) = scripted([(Duration::ZERO, Ok("t0")), then]);
        credentials.authorization().await.unwrap();
        advance(45 * SECOND).await;
        ask_64(&credentials).await;
        assert_eq!(fetches.load(Ordering::Relaxed), 1, "not before it is time");
        advance(47 * SECOND).await;
        let given = ask_64(&credentials).await;
        assert_eq!(fetches.load(Ordering::Relaxed), 2, "{then:?}");
        assert!(given.iter().all(|(value, _)| value.as_ref().unwrap() == "Bearer t0"), "{then:?}");
        let waited = given.iter().map(|(_, time)| *time).filter(|time| !time.is_zero()).collect::<Vec<_>>();
        assert!(waited.len() == 1 && waited[0] >= longest && waited[0] <= longest + TICK, "{then:?}: {waited:?}");

        // Not with each attempt, but in time for another to be had.
        ask_64(&credentials).await;
        assert_eq!(fetches.load(Ordering::Relaxed), 2, "{then:?}");
        advance(2 * SECOND).await;
        ask_64(&credentials).await;
        assert_eq!(fetches.load(Ordering::Relaxed), 3, "{then:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_for_a_fetch_share_its_failure() {
    let (fetches, credentials) = scripted([(HALF, Err("the vault is down")), (HALF, Ok("t1"))]);
    let given = ask_64(&credentials).await;
    assert_eq!(fetches.load(Ordering::Relaxed), 1);
    for (value, time) in given {
        let error = value.unwrap_err();
        assert!(format!("{error:?}").contains("the vault is down"), "{error:?}");
        assert!(time <= HALF + TICK, "{time:?}");
    }
    // Who asks afterwards has a fetch made.
    assert_eq!(credentials.authorization().await.unwrap(), "Bearer t1");
    assert_eq!(fetches.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn what_a_fetch_failed_by_is_found_by_all_who_waited() {
    let credentials = FetchedCredentials::new(|| async {
        sleep(HALF).await;
        Err(std::io::Error::other("closed").into())
    });
    for (value, _) in ask_64(&credentials).await {
        assert!(find_source::<std::io::Error>(&*value.unwrap_err()).is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn where_the_one_who_fetches_is_dropped_another_takes_it_up() {
    let (fetches, credentials) = scripted([(NEVER, Ok("t0")), (HALF, Ok("t1"))]);
    let mut first = tokio_test::task::spawn(credentials.authorization());
    tokio_test::assert_pending!(first.poll());
    let mut others = [(); 3].map(|()| tokio_test::task::spawn(credentials.authorization()));
    others.iter_mut().for_each(|other| tokio_test::assert_pending!(other.poll()));
    let [gone, second, third] = others;
    drop(gone);
    assert!(!second.is_woken());
    drop(first);
    assert!(second.is_woken() && !third.is_woken());
    let (second, third) = tokio::join!(second, third);
    assert_eq!((second.unwrap(), third.unwrap()), (bearer("t1").unwrap(), bearer("t1").unwrap()));
    assert_eq!(fetches.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn where_the_one_who_fetches_anew_is_dropped_another_does_so_later() {
    let (fetches, credentials) = scripted([(Duration::ZERO, Ok("t0")), (HALF, Ok("t1"))]);
    credentials.authorization().await.unwrap();
    advance(92 * SECOND).await;
    let mut dropped = tokio_test::task::spawn(credentials.authorization());
    tokio_test::assert_pending!(dropped.poll());
    drop(dropped);
    assert_eq!(credentials.authorization().await.unwrap(), "Bearer t0");
    advance(2 * SECOND).await;
    assert_eq!(credentials.authorization().await.unwrap(), "Bearer t1");
    assert_eq!(fetches.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_ends_while_it_is_fetched_anew_is_waited_for_and_fetched_once() {
    let (fetches, credentials) = scripted([(Duration::ZERO, Ok("t0")), (2 * SECOND, Ok("t1"))]);
    credentials.authorization().await.unwrap();
    advance(99 * SECOND + HALF).await;
    let first = tokio::spawn(credentials.authorization());
    sleep(HALF + TICK).await;
    let given = ask_64(&credentials).await;
    assert!(given.iter().all(|(value, _)| value.as_ref().unwrap() == "Bearer t1"));
    assert_eq!(first.await.unwrap().unwrap(), "Bearer t1");
    assert_eq!(fetches.load(Ordering::Relaxed), 2);
}

/// Sends 64 lists at once, and returns their statuses.
async fn send_64(server: &Server, credentials: &(impl Credentials + Clone)) -> Vec<StatusCode> {
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(policy()))
        .layer(CollectLayer::new(99))
        .layer(AuthLayer::new(credentials.clone()))
        .service(server.clone());
    let calls = (0..64).map(|_| tokio::spawn(service.clone().oneshot(list()))).collect::<Vec<_>>();
    let mut statuses = Vec::new();
    for call in calls {
        statuses.push(call.await.unwrap().unwrap().status());
    }
    statuses
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_refused_with_one_value_share_a_fetch_and_send_the_same_to_nobody_twice() {
    // While the value is fetched, and long after that, too.
    for apart in [1, 20] {
        let (fetches, credentials) = scripted([(Duration::ZERO, Ok("t0")), (HALF, Ok("t0"))]);
        let server = Server::new((1..=64).map(|number| Reply::Slow(number * apart * TICK, 401)).collect::<Vec<_>>());
        assert!(send_64(&server, &credentials).await.iter().all(|status| *status == 401));
        assert_eq!((server.count(), fetches.load(Ordering::Relaxed)), (64, 2), "{apart}");

        // What is refused for good is fetched now and then, in case it helps.
        let server = Server::new([Reply::Status(401)]);
        send_64(&server, &credentials).await;
        assert_eq!((server.count(), fetches.load(Ordering::Relaxed)), (64, 2), "{apart}");
        advance(5 * SECOND).await;
        send_64(&server, &credentials).await;
        assert_eq!((server.count(), fetches.load(Ordering::Relaxed)), (128, 3), "{apart}");
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_refused_with_one_value_are_sent_again_with_the_next() {
    let (fetches, credentials) = scripted([(Duration::ZERO, Ok("t0")), (HALF, Ok("t1"))]);
    let replies = (1..=64).map(|number| Reply::Slow(number * 7 * TICK, 401)).chain([Reply::Status(200)]);
    let server = Server::new(replies.collect::<Vec<_>>());
    let statuses = send_64(&server, &credentials).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!((server.count(), fetches.load(Ordering::Relaxed)), (128, 2));
    let sent = server.received().into_iter().map(|sent| sent.headers["authorization"].clone()).collect::<Vec<_>>();
    assert!(sent[..64].iter().all(|value| value == "Bearer t0") && sent[64..].iter().all(|value| value == "Bearer t1"));
}

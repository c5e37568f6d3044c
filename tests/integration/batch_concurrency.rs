//! How many requests of a batch are in flight together.

use std::time::Duration;

use futures_util::StreamExt as _;
use magicbell::revocation::RevocationOutcome;
use magicbell::testing::{Fault, Server};

use crate::support::client;

#[tokio::test]
async fn under_a_rate_limit_fewer_are_in_flight_and_then_more_again() {
    let server = Server::builder().rate_limit(1_000, 100, Duration::from_secs(1)).start().await.unwrap();
    let ids = server.add_user_tokens("u", 195);
    let mut stream = client(&server).jwt().discard_user_jwts(ids).concurrency(32).stream();
    let (mut most, mut least, mut again) = (0, usize::MAX, 0);
    while let Some(revocation) = stream.next().await {
        assert_eq!(revocation.outcome, RevocationOutcome::Revoked);
        let in_flight = stream.in_flight();
        assert!(stream.concurrency() <= 32);
        if least == usize::MAX {
            most = most.max(in_flight);
        }
        // Looked at while there are ids left to fill the places with.
        if server.count("discard_user_jwt") > 100 && revocation.index < 180 {
            if stream.concurrency() < least {
                (least, again) = (stream.concurrency(), 0);
            }
            again = again.max(in_flight);
        }
    }
    assert!(most >= 28, "{most} before the first 429");
    assert!(least <= 16, "{least} after it");
    assert!(again >= least + 2, "{again} later on, after {least}");
    let refused = server.requests().iter().filter(|sent| sent.status == Some(429)).count();
    assert!(refused < 80, "{refused} of {} were refused", server.request_count());
}

#[tokio::test]
async fn one_429_for_many_that_are_in_flight_together_halves_it_once() {
    let server = Server::start().await.unwrap();
    let ids = server.add_user_tokens("u", 16);
    server.fail_next(Fault::status(429).times(16));
    let mut stream = client(&server).jwt().discard_user_jwts(ids).concurrency(16).stream();
    while let Some(revocation) = stream.next().await {
        assert_eq!((revocation.outcome, revocation.rate_limited), (RevocationOutcome::Revoked, 1));
    }
    assert_eq!(stream.concurrency(), 8);
}

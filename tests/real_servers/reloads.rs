//! haproxy is reloaded while a batch runs: its old process ends the connections that it has, over HTTP/2 with GOAWAY.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use magicbell::Client;
use magicbell::revocation::{Revocation, RevocationOutcome};
use magicbell::testing::{Fault, Server};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::haproxy::{self, GENERATION, Haproxy};
use crate::support::{client, create, http2_client, made, server_without_keys};

const IDS: usize = 500;
const CONCURRENCY: usize = 32;
/// How often haproxy is reloaded.
const RELOADS: usize = 3;
/// After how many outcomes, since the last time. More ids than these are given by then, and the rest once it has been reloaded, so
/// that each of its processes has some.
const RELOAD_AFTER: usize = 40;

/// A server that takes a moment for each request, so that there is always something in flight.
async fn slow_server() -> Server {
    let server = server_without_keys().await;
    server.fail_next(Fault::delay(Duration::from_millis(20)).always());
    server
}

/// Runs a batch, and reloads haproxy in the midst of it.
async fn revoke(client: &Client, ids: &[String], haproxy: &mut Haproxy) -> Vec<Revocation> {
    let (give, mut given) = mpsc::unbounded_channel();
    let given = stream::poll_fn(move |cx| given.poll_recv(cx));
    let mut outcomes = client.jwt().discard_user_jwts_from(given).concurrency(CONCURRENCY).stream();
    let (mut done, mut parts) = (Vec::new(), ids.chunks(IDS / (RELOADS + 1)));
    let mut give_a_part = || parts.next().unwrap().iter().for_each(|id| give.send(id.clone()).unwrap());
    give_a_part();
    for _ in 0..RELOADS {
        let reload_after = done.len() + RELOAD_AFTER;
        while done.len() < reload_after {
            done.push(outcomes.next().await.unwrap());
        }
        let mut reload = std::pin::pin!(haproxy.reload());
        loop {
            tokio::select! {
                biased;
                () = &mut reload => break,
                Some(outcome) = outcomes.next() => done.push(outcome),
            }
        }
        give_a_part();
    }
    drop(give);
    done.extend(outcomes.collect::<Vec<_>>().await);
    done
}

/// Each id has one outcome, and none is called revoked that isn't.
fn are_true(server: &Server, ids: &[String], outcomes: &[Revocation]) {
    let named = outcomes.iter().map(|revocation| &revocation.token_id).collect::<HashSet<_>>();
    assert_eq!((outcomes.len(), named.len()), (ids.len(), ids.len()));
    for revocation in outcomes {
        let discarded = server.is_discarded(&revocation.token_id).unwrap();
        assert!(discarded || !revocation.outcome.is_revoked(), "{revocation:?}");
    }
}

fn count(outcomes: &[Revocation], outcome: RevocationOutcome) -> usize {
    outcomes.iter().filter(|revocation| revocation.outcome == outcome).count()
}

/// Requests came through each of haproxy's processes.
fn passed_through_each_process(server: &Server) {
    let generations =
        server.requests().iter().map(|request| request.headers[GENERATION].clone()).collect::<HashSet<_>>();
    assert_eq!(generations.len(), RELOADS + 1, "{generations:?}");
}

async fn a_batch_goes_through(server: &Server, client: &Client, mut haproxy: Haproxy) {
    let ids = server.add_user_tokens("user", IDS);
    let outcomes = revoke(client, &ids, &mut haproxy).await;
    are_true(server, &ids, &outcomes);
    passed_through_each_process(server);
    let (revoked, already) =
        (count(&outcomes, RevocationOutcome::Revoked), count(&outcomes, RevocationOutcome::AlreadyRevoked));
    let again = outcomes.iter().filter(|revocation| revocation.attempts > 1).count();
    println!(
        "{revoked} revoked, {already} already, {again} by more than one attempt, {} requests",
        server.request_count()
    );
    assert_eq!(revoked + already, IDS);
}

#[tokio::test]
async fn every_id_of_a_batch_is_revoked_through_reloads_over_http_2() {
    let server = slow_server().await;
    let haproxy = haproxy::before(server.addr()).http2().start().await;
    a_batch_goes_through(&server, &http2_client(&server, haproxy.url()), haproxy).await;
}

#[tokio::test]
async fn every_id_of_a_batch_is_revoked_through_reloads_over_http_1() {
    let server = slow_server().await;
    let haproxy = haproxy::before(server.addr()).start().await;
    a_batch_goes_through(&server, &client(&server, haproxy.url()), haproxy).await;
}

/// A connection that nothing was sent on doesn't keep haproxy's old process, and with it a reload, waiting for long.
#[tokio::test]
async fn a_reload_ends_although_a_connection_was_never_used() {
    let server = server_without_keys().await;
    let mut haproxy = haproxy::before(server.addr()).start().await;
    let _unused = TcpStream::connect(haproxy.address()).await.unwrap();
    haproxy.reload().await;
}

/// Creates too: one token for each that was answered, one at most for each other.
#[tokio::test]
async fn creates_through_reloads_make_one_token_each() {
    for http2 in [true, false] {
        let server = slow_server().await;
        let before = haproxy::before(server.addr());
        let mut haproxy = if http2 { before.http2() } else { before }.start().await;
        let client = if http2 { http2_client(&server, haproxy.url()) } else { client(&server, haproxy.url()) };
        let reload = async {
            for _ in 0..RELOADS {
                haproxy.reload().await;
            }
        };
        let calls = (0..IDS).map(|number| client.execute(create(number)));
        let calls = futures_util::stream::iter(calls).buffered(CONCURRENCY).collect::<Vec<_>>();
        let (results, ()) = tokio::join!(calls, reload);
        let made = made(&server, &results);
        println!("creates through reloads, http2 {http2}: {made:?}");
        assert!(made.answered > IDS / 2, "{made:?}");
    }
}

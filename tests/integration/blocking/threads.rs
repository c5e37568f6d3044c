//! Many threads, and what outlives what.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use http::Request;
use magicbell::jwt::{DiscardUserJwt, FetchProjectTokens};
use magicbell::testing::{Fault, Server};
use magicbell::{Body, Client, Operation, blocking};
use tower::util::MapRequestLayer;

use super::Room;

const DISCARD: &str = "discard_user_jwt";

fn wait_for(server: &Server, requests: usize) {
    while server.request_count() < requests {
        thread::yield_now();
    }
}

#[test]
fn sixty_four_threads_at_once_share_the_connections() {
    const EACH: usize = 20;
    let room = Room::new();
    let ids = room.server.add_user_tokens("hana", 64 * EACH);
    let client = room.client();
    let start = Barrier::new(64);
    thread::scope(|scope| {
        for ids in ids.chunks(EACH) {
            // Some have a clone of their own, as is usual.
            let client = client.clone();
            let start = &start;
            scope.spawn(move || {
                start.wait();
                for id in ids {
                    assert_eq!(client.execute(DiscardUserJwt::new(id)).unwrap().token_id, *id);
                }
            });
        }
    });
    assert_eq!(room.server.count(DISCARD), 64 * EACH);
    let connections = room.server.connections();
    assert!(connections <= 64, "{connections}: no more than are in flight");
    for _ in 0..20 {
        client.execute(FetchProjectTokens::builder().build()).unwrap();
    }
    assert_eq!(room.server.connections(), connections, "and they are used again");
}

#[test]
fn a_limit_on_what_is_in_flight_holds_for_all_threads_together() {
    let room = Room::new();
    room.server.fail_next(Fault::delay(Duration::from_millis(20)).always());
    let builder = Client::builder().token(room.server.token()).base_url(room.server.url());
    let client = builder.concurrency_limit(2).build_blocking().unwrap();
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| client.execute(FetchProjectTokens::builder().build()).unwrap());
        }
    });
    assert_eq!((room.server.request_count(), room.server.connections()), (16, 2));
}

#[test]
fn a_call_under_way_is_not_lost_when_the_others_drop_the_client() {
    let room = Room::new();
    let ids = room.server.add_user_tokens("hana", 1);
    room.server.fail_next(Fault::delay(Duration::from_millis(300)));
    let client = room.client();
    let calling = thread::spawn({
        let (client, id) = (client.clone(), ids[0].clone());
        move || client.execute(DiscardUserJwt::new(id))
    });
    wait_for(&room.server, 1);
    drop(client);
    assert_eq!(calling.join().unwrap().unwrap().token_id, ids[0]);
    assert_eq!(room.server.count(DISCARD), 1, "sent once");
}

#[test]
fn iterators_keep_what_they_need() {
    let room = Room::new();
    let ids = room.server.add_user_tokens("hana", 100);
    let client = room.client();
    let mut outcomes = client.jwt().discard_user_jwts(ids).concurrency(4).outcomes();
    let mut tokens = client.paginate(FetchProjectTokens::builder().limit(1).build());
    assert!(outcomes.next().unwrap().unwrap().outcome.is_revoked());
    tokens.next().unwrap().unwrap();
    drop(client);
    assert_eq!(outcomes.filter(|revocation| revocation.as_ref().unwrap().outcome.is_revoked()).count(), 99);
    assert_eq!(tokens.map(Result::unwrap).count(), 0);
}

#[test]
fn connections_end_with_the_last_clone() {
    let room = Room::new();
    let client = room.client();
    client.execute(FetchProjectTokens::builder().build()).unwrap();
    let another = client.clone();
    drop(client);
    another.execute(FetchProjectTokens::builder().build()).unwrap();
    assert_eq!(room.server.connections(), 1);
}

/// A client whose layer panics for one operation.
fn with_a_bug(room: &Room) -> blocking::Client {
    let layer = MapRequestLayer::new(|request: Request<Body>| {
        assert!(request.extensions().get::<Operation>().unwrap().name() != DISCARD, "a layer's bug");
        request
    });
    let builder = Client::builder().token(room.server.token()).base_url(room.server.url());
    builder.attempt_layer(layer).build_blocking().unwrap()
}

#[test]
fn a_layers_panic_is_its_callers_and_the_others_go_on() {
    let room = Room::new();
    let client = with_a_bug(&room);
    let listing = || client.execute(FetchProjectTokens::builder().build()).unwrap();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let panicked = catch_unwind(AssertUnwindSafe(|| client.execute(DiscardUserJwt::new("id"))));
                let message = panicked.unwrap_err();
                assert!(message.downcast_ref::<&str>().is_some_and(|message| message.contains("a layer's bug")));
                listing();
            });
            scope.spawn(listing);
        }
    });
    // A batch has an outcome for each id all the same.
    let report = client.jwt().discard_user_jwts(["a", "b"]).run().unwrap();
    assert_eq!(report.total(), 2);
    listing();
    assert_eq!(room.server.count(DISCARD), 0);
}

/// A layer, or credentials, may make a call of their own meanwhile.
#[test]
fn a_call_within_a_call_has_its_answer() {
    let room = Room::new();
    let inner = room.client();
    let layer = MapRequestLayer::new(move |request: Request<Body>| {
        inner.execute(FetchProjectTokens::builder().build()).unwrap();
        request
    });
    let builder = Client::builder().token(room.server.token()).base_url(room.server.url());
    let client = builder.layer(layer).build_blocking().unwrap();
    client.execute(FetchProjectTokens::builder().build()).unwrap();
    assert_eq!(room.server.request_count(), 2);
}

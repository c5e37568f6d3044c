//! Many threads, and what outlives what.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use http::Request;
use magicbell::jwt::{DiscardUserJwt, FetchProjectTokens};
use magicbell::testing::{Fault, Server};
use magicbell::{Body, BoxError, Client, Operation, blocking};
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
    // A call that finds none free begins one, and may have got another by the time that it is there.
    let connections = room.server.connections();
    assert!(connections <= 64 * EACH / 4, "{connections} for {} calls", 64 * EACH);
    for _ in 0..20 {
        client.execute(FetchProjectTokens::builder().build()).unwrap();
    }
    assert_eq!(room.server.connections(), connections, "and they are used again");
}

#[test]
fn a_limit_on_what_is_in_flight_holds_for_all_threads_together() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (in_flight, peak) = (Arc::clone(&now), Arc::clone(&most));
    let transport = tower::service_fn(move |_: Request<Body>| {
        let (in_flight, peak) = (Arc::clone(&in_flight), Arc::clone(&peak));
        async move {
            peak.fetch_max(in_flight.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(5)).await;
            in_flight.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, BoxError>(crate::support::json(200, r#"{"data":[]}"#))
        }
    });
    let client = Client::builder().token("t").transport(transport).concurrency_limit(2).build_blocking().unwrap();
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| client.execute(FetchProjectTokens::builder().build()).unwrap());
        }
    });
    assert_eq!((most.load(Ordering::SeqCst), now.load(Ordering::SeqCst)), (2, 0));
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
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v2", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut requests = 0;
        let mut bytes = [0; 4096];
        // A short request without a body comes at once. The end is where the client has closed.
        while socket.read(&mut bytes).unwrap() > 0 {
            requests += 1;
            let body = r#"{"data":[]}"#;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}", body.len());
            socket.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).unwrap();
        }
        requests
    });
    let client = Client::builder().token("t").base_url(url).build_blocking().unwrap();
    client.execute(FetchProjectTokens::builder().build()).unwrap();
    let another = client.clone();
    drop(client);
    another.execute(FetchProjectTokens::builder().build()).unwrap();
    drop(another);
    assert_eq!(server.join().unwrap(), 2, "both over the one connection, which ends then");
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

/// tower's own timeout takes its timer when it is called, and needs a runtime for that.
#[test]
fn a_layer_that_needs_a_runtime_has_one() {
    let room = Room::new();
    let builder = Client::builder().token(room.server.token()).base_url(room.server.url());
    let timeout = || tower::timeout::TimeoutLayer::new(Duration::from_secs(30));
    let client = builder.layer(timeout()).attempt_layer(timeout()).build_blocking().unwrap();
    client.execute(FetchProjectTokens::builder().build()).unwrap();
    client.request(FetchProjectTokens::builder().build()).send().unwrap();
    assert_eq!(client.paginate(FetchProjectTokens::builder().build()).count(), 1);
    assert_eq!(client.jwt().discard_user_jwts(["id"]).run().unwrap().total(), 1);
}

//! Dropping a call leaves the client as it was.

use std::time::Duration;

use futures_util::FutureExt;
use magicbell::Client;
use magicbell::jwt::FetchProjectTokens;
use magicbell::testing::{Fault, Server};

fn list() -> FetchProjectTokens {
    FetchProjectTokens::builder().build()
}

#[tokio::test]
async fn a_future_that_is_not_polled_sends_nothing() {
    let server = Server::start().await.unwrap();
    drop(server.client().execute(list()));
    tokio::task::yield_now().await;
    assert_eq!((server.request_count(), server.connections()), (0, 0));
}

#[tokio::test]
async fn a_call_dropped_in_flight_gives_its_permit_back() {
    let server = Server::start().await.unwrap();
    let client = Client::builder().token(server.token()).base_url(server.url()).concurrency_limit(1).build().unwrap();
    for _ in 0..5 {
        server.fail_next(Fault::stall());
        let mut call = Box::pin(client.execute(list()));
        let arrived = server.request_count() + 1;
        while server.request_count() < arrived {
            assert!((&mut call).now_or_never().is_none());
            tokio::task::yield_now().await;
        }
        drop(call);
    }
    let page = tokio::time::timeout(Duration::from_secs(10), client.execute(list())).await.unwrap().unwrap();
    assert_eq!(page.data.len(), 1);
}

#[tokio::test]
async fn a_call_can_be_dropped_after_any_number_of_polls() {
    let server = Server::start().await.unwrap();
    let client = Client::builder().token(server.token()).base_url(server.url()).concurrency_limit(2).build().unwrap();
    for polls in 0..40 {
        let mut call = Box::pin(client.execute(list()));
        for _ in 0..polls {
            if (&mut call).now_or_never().is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(client.execute(list()).await.unwrap().data.len(), 1);
}

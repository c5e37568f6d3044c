//! The fake server without its sockets.

use std::time::Duration;

use magicbell::jwt::{CreateUserJwt, DiscardUserJwt};
use magicbell::testing::{Fault, Server};
use magicbell::{Client, ErrorKind, Outcome, RetryPolicy};
use tokio::time::Instant;

fn client(server: &Server) -> Client {
    let client = Client::builder().token(server.token()).base_url(server.url()).transport(server.transport());
    client.retry(RetryPolicy::never()).build().expect("a client")
}

#[tokio::test(start_paused = true)]
async fn it_is_the_same_server_that_answers() {
    let server = Server::start().await.expect("a server");
    let request = CreateUserJwt::builder().external_id("hana").build();
    let created = client(&server).execute(request).await.expect("created");
    assert_eq!(server.user_tokens("hana")[0].token_id, created.token_id);
    assert_eq!((server.request_count(), server.connections()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn its_waits_and_its_windows_keep_paused_time() {
    let server = Server::builder().rate_limit(1, 1, Duration::from_secs(3_600)).start().await.expect("a server");
    let (client, ids, start) = (client(&server), server.add_user_tokens("hana", 3), Instant::now());
    server.fail_next(Fault::delay(Duration::from_secs(5)));
    client.execute(DiscardUserJwt::new(&ids[0])).await.expect("discarded");
    assert_eq!(start.elapsed(), Duration::from_secs(5));
    let error = client.execute(DiscardUserJwt::new(&ids[1])).await.expect_err("refused");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3_600)));
    tokio::time::advance(Duration::from_secs(3_600)).await;
    client.execute(DiscardUserJwt::new(&ids[1])).await.expect("discarded");
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_ends_a_connection_is_an_error_of_which_nothing_is_known() {
    for fault in [Fault::reset(), Fault::close().after_processing(), Fault::cut_body(3), Fault::raw("x")] {
        let server = Server::start().await.expect("a server");
        let id = server.add_user_tokens("hana", 1).remove(0);
        server.fail_next(fault);
        let error = client(&server).execute(DiscardUserJwt::new(id)).await.expect_err("failed");
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Transport, Outcome::Unknown));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stall_is_timed_out() {
    let server = Server::start().await.expect("a server");
    server.fail_next(Fault::stall());
    let start = Instant::now();
    let error = client(&server).execute(DiscardUserJwt::new("id")).await.expect_err("timed out");
    assert!(error.is_timeout());
    assert_eq!(start.elapsed(), Duration::from_secs(10), "an attempt's limit");
}

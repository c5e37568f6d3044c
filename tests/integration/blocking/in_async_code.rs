//! Where a call would stop what it waits for.

use std::sync::mpsc;
use std::time::Duration;

use magicbell::jwt::{DiscardUserJwt, FetchProjectTokens};
use magicbell::testing::Server;
use magicbell::{Client, Error, ErrorKind, Outcome, blocking};

use super::client;

fn page() -> FetchProjectTokens {
    FetchProjectTokens::builder().build()
}

/// Does everything that sends something, and returns what came of it.
fn errors(client: &blocking::Client) -> Vec<Error> {
    let jwt = client.jwt();
    let mut pages = client.paginate(page());
    let mut outcomes = jwt.discard_user_jwts(["id"]).outcomes();
    let errors = vec![
        client.execute(page()).unwrap_err(),
        client.request(page()).send().unwrap_err(),
        client.wait(async |client| client.execute(page()).await).unwrap_err(),
        jwt.discard_user_jwt(DiscardUserJwt::new("id")).unwrap_err(),
        pages.next().unwrap().unwrap_err(),
        jwt.discard_user_jwts(["id"]).run().unwrap_err(),
        jwt.discard_project_jwts(["id"]).run().unwrap_err(),
        outcomes.next().unwrap().unwrap_err(),
    ];
    assert!(pages.next().is_none() && outcomes.next().is_none(), "whoever goes on asking comes to an end");
    errors
}

fn assert_refused(server: &Server, errors: &[Error]) {
    for error in errors {
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Configuration, Outcome::NotSent), "{error}");
        assert!(error.to_string().contains("spawn_blocking"), "{error}");
    }
    assert_eq!((server.request_count(), server.connections()), (0, 0));
}

/// Fails where something hangs, in place of hanging.
fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(work()));
    receiver.recv_timeout(Duration::from_secs(60)).expect("it hangs, or has panicked")
}

/// The server is on the very thread that would wait for it.
#[test]
fn on_a_runtime_with_one_thread_a_call_is_refused_and_sends_nothing() {
    in_time(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Server::start().await.unwrap();
            let client = client(&server);
            assert_refused(&server, &errors(&client));
            let task = tokio::spawn({
                let client = client.clone();
                async move { errors(&client) }
            });
            assert_refused(&server, &task.await.unwrap());
        });
    });
}

#[test]
fn on_a_runtime_with_many_threads_a_call_is_refused_too() {
    in_time(|| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let server = runtime.block_on(Server::start()).unwrap();
        let client = client(&server);
        let in_task = client.clone();
        assert_refused(&server, &runtime.block_on(async { errors(&client) }));
        assert_refused(&server, &runtime.block_on(runtime.spawn(async move { errors(&in_task) })).unwrap());
    });
}

#[test]
fn after_the_refusal_async_code_goes_on() {
    in_time(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Server::start().await.unwrap();
            let blocking = client(&server);
            for _ in 0..100 {
                blocking.execute(page()).unwrap_err();
                server.client().execute(page()).await.unwrap();
            }
        });
    });
}

/// Also where the server is on the thread that waits for the one that blocks.
#[test]
fn where_blocking_is_allowed_it_works() {
    in_time(|| {
        for mut builder in [tokio::runtime::Builder::new_current_thread(), tokio::runtime::Builder::new_multi_thread()]
        {
            let runtime = builder.enable_all().build().unwrap();
            runtime.block_on(async {
                let server = Server::start().await.unwrap();
                let client = client(&server);
                let listed = tokio::task::spawn_blocking(move || client.execute(page())).await.unwrap();
                assert_eq!(listed.unwrap().data.len(), 1);
            });
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let task = runtime.spawn(async {
            let server = Server::start().await.unwrap();
            let client = client(&server);
            tokio::task::block_in_place(|| client.execute(page())).unwrap()
        });
        assert_eq!(runtime.block_on(task).unwrap().data.len(), 1);
    });
}

/// A runtime that is dropped in async code panics; a client that has one doesn't.
#[test]
fn a_client_is_made_and_dropped_in_async_code() {
    in_time(|| {
        for mut builder in [tokio::runtime::Builder::new_current_thread(), tokio::runtime::Builder::new_multi_thread()]
        {
            let runtime = builder.enable_all().build().unwrap();
            runtime.block_on(async {
                let server = Server::start().await.unwrap();
                let used = client(&server);
                let used =
                    tokio::task::spawn_blocking(move || used.execute(page()).map(|_| used)).await.unwrap().unwrap();
                assert_eq!(server.connections(), 1);
                drop(used);
                drop(client(&server));
                let unused = client(&server);
                tokio::spawn(async move { drop(unused) }).await.unwrap();
            });
        }
    });
}

/// What is in tokio's `unconstrained` looks like any other thread: the call waits for a server that can't answer meanwhile.
#[test]
fn where_async_code_is_not_found_out_a_call_ends_with_its_limit_on_time() {
    in_time(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Server::start().await.unwrap();
            let builder =
                Client::builder().token(server.token()).base_url(server.url()).timeout(Duration::from_millis(200));
            let client = builder.build_blocking().unwrap();
            let error = tokio::task::coop::unconstrained(async { client.execute(page()) }).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        });
    });
}

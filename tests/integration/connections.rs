//! Connections that go wrong, byte by byte: a script for each accepted connection.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use magicbell::jwt::{CreateProjectJwt, FetchProjectTokens};
use magicbell::{Client, ErrorKind, Limit, Outcome};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::quick;

type Script = Box<dyn FnOnce(TcpStream) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// Makes a script of an async function.
fn script<F, R>(run: F) -> Script
where
    F: FnOnce(TcpStream) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    Box::new(|stream| Box::pin(run(stream)))
}

/// Runs a script a connection; connections beyond the last are answered as they should be.
async fn serve(scripts: Vec<Script>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v2", listener.local_addr().unwrap());
    let accepted = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&accepted);
    tokio::spawn(async move {
        let mut scripts = scripts.into_iter();
        while let Ok((stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(scripts.next().unwrap_or_else(|| script(well))(stream));
        }
    });
    (url, accepted)
}

/// Reads a request's head.
async fn head(stream: &mut TcpStream) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(())
}

const WELL: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{\"data\":[]}";

/// Answers each request as it should.
async fn well(mut stream: TcpStream) {
    while head(&mut stream).await.is_some() {
        stream.write_all(WELL).await.unwrap();
    }
}

fn client(url: &str) -> Client {
    Client::builder().token("t").base_url(url).retry(quick()).build().unwrap()
}

fn list() -> FetchProjectTokens {
    FetchProjectTokens::builder().build()
}

fn create() -> CreateProjectJwt {
    CreateProjectJwt::builder().name("x").build()
}

/// A server that closes its idle connections, as all do in the end.
#[tokio::test]
async fn a_pooled_connection_that_went_stale_is_replaced() {
    let close_after_one = || {
        script(async |mut stream| {
            head(&mut stream).await;
            stream.write_all(WELL).await.unwrap();
        })
    };
    let (url, accepted) = serve((0..10).map(|_| close_after_one()).collect()).await;
    let client = client(&url);
    for _ in 0..10 {
        client.execute(list()).await.unwrap();
    }
    assert!(accepted.load(Ordering::SeqCst) >= 10);
}

/// Common servers and balancers close what was idle for 60 s or more: one that was idle for nearly that long isn't used again.
#[tokio::test]
async fn a_connection_that_was_idle_for_45_seconds_is_not_used_again() {
    let (url, accepted) = serve(Vec::new()).await;
    let client = client(&url);
    for (idle, connections) in [(0, 1), (44, 1), (46, 2)] {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(idle)).await;
        tokio::time::resume();
        client.execute(list()).await.unwrap();
        assert_eq!(accepted.load(Ordering::SeqCst), connections, "{idle} s");
    }
}

/// The request was read to its end, and then the connection closed: it may have been applied.
#[tokio::test]
async fn a_connection_closed_after_the_request_is_unknown() {
    let read_and_close = script(async |mut stream| {
        head(&mut stream).await;
        let mut body = [0; 12];
        stream.read_exact(&mut body).await.unwrap();
        assert_eq!(&body, br#"{"name":"x"}"#, "with nothing left unread the connection ends by FIN, not by a reset");
    });
    let (url, accepted) = serve(vec![read_and_close]).await;
    let error = client(&url).execute(create()).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Transport, Outcome::Unknown));
    let hyper = magicbell::middleware::find_source::<hyper::Error>(&error).unwrap();
    assert!(hyper.is_incomplete_message(), "{hyper:?}");
    assert_eq!(accepted.load(Ordering::SeqCst), 1);
}

/// Nothing was read, and the connection's other half was closed once something had arrived: it looks the same from here, so it is
/// unknown as well.
#[tokio::test]
async fn a_connection_closed_before_the_request_was_read_is_unknown_to_a_create_and_retried_for_a_list() {
    let close = || {
        script(async |mut stream| {
            assert_eq!(stream.peek(&mut [0]).await.unwrap(), 1);
            // A FIN, and the rest kept open: dropping the unread would be a reset.
            stream.shutdown().await.unwrap();
            std::future::pending().await
        })
    };
    // Not a connection more: it is unknown at the first.
    let (url, accepted) = serve(vec![close()]).await;
    let error = client(&url).execute(create()).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown, "{error:?}");
    let hyper = magicbell::middleware::find_source::<hyper::Error>(&error).unwrap();
    assert!(hyper.is_incomplete_message(), "{hyper:?}");
    assert_eq!(accepted.load(Ordering::SeqCst), 1);

    let (url, accepted) = serve(vec![close()]).await;
    client(&url).execute(list()).await.unwrap();
    assert_eq!(accepted.load(Ordering::SeqCst), 2);
}

/// A byte a second, head and body: the attempt's limit covers all of it. The clock is the test's own.
#[tokio::test(start_paused = true)]
async fn a_head_or_a_body_that_drips_is_timed_out() {
    let drip = |fast: usize| {
        script(async move |mut stream: TcpStream| {
            head(&mut stream).await;
            let _ = stream.write_all(&WELL[..fast]).await;
            for byte in &WELL[fast..] {
                tokio::time::sleep(Duration::from_secs(1)).await;
                if stream.write_all(&[*byte]).await.is_err() {
                    return;
                }
            }
        })
    };
    // From the first byte on, and from the head's last: either takes longer than an attempt's 10 s.
    for fast in [0, WELL.len() - 11] {
        let (url, _) = serve(vec![drip(fast)]).await;
        let error = client(&url).execute(create()).await.unwrap_err();
        assert_eq!(error.timeout(), Some((Limit::Attempt, Duration::from_secs(10))), "{fast}");
        let (url, _) = serve(vec![drip(fast)]).await;
        let response = client(&url).request(list()).send().await.unwrap();
        assert_eq!(response.attempts().len(), 2);
    }
}

/// A head that never ends is cut off, and is no reason to keep it in memory.
#[tokio::test]
async fn a_head_without_end_is_refused() {
    let endless = || {
        script(async |mut stream| {
            head(&mut stream).await;
            let line = format!("x-{}: y\r\n", "a".repeat(1_000));
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
            while stream.write_all(line.as_bytes()).await.is_ok() {}
        })
    };
    let (url, accepted) = serve(vec![endless(), endless(), endless()]).await;
    let error = client(&url).execute(list()).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Transport, Outcome::Unknown));
    assert_eq!(accepted.load(Ordering::SeqCst), 3);
}

/// A body that never ends is cut off at the cap, also where its length was not announced.
#[tokio::test]
async fn a_body_without_end_is_cut_off_at_the_cap() {
    let endless = script(async |mut stream| {
        head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
        let chunk = [&b"400\r\n"[..], &[b' '; 1_024], b"\r\n"].concat();
        while stream.write_all(&chunk).await.is_ok() {}
    });
    let (url, accepted) = serve(vec![endless]).await;
    let error = client(&url).execute(list()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.body().unwrap().len() <= 1 << 20);
    assert_eq!(accepted.load(Ordering::SeqCst), 1);
}

/// A chunked body that ends without its last chunk has broken off.
#[tokio::test]
async fn a_chunked_body_without_its_end_has_broken_off() {
    let cut = || {
        script(async |mut stream| {
            head(&mut stream).await;
            let _ =
                stream.write_all(b"HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"tok\r\n").await;
        })
    };
    let (url, accepted) = serve(vec![cut()]).await;
    let error = client(&url).execute(create()).await.unwrap_err();
    assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Decode, 201));
    assert_eq!(error.body().unwrap(), "{\"tok");
    assert_eq!(accepted.load(Ordering::SeqCst), 1);
}

/// A protocol that nobody asked for.
#[tokio::test]
async fn a_101_is_a_status_that_the_api_does_not_use() {
    let switch = script(async |mut stream| {
        head(&mut stream).await;
        let _ =
            stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n").await;
        let _ = stream.read_u8().await;
    });
    let (url, accepted) = serve(vec![switch]).await;
    let error = client(&url).execute(create()).await.unwrap_err();
    assert_eq!(accepted.load(Ordering::SeqCst), 1);
    assert!(matches!(error.kind(), ErrorKind::UnexpectedStatus | ErrorKind::Transport), "{error:?}");
    assert_ne!(error.outcome(), Outcome::NotSent, "{error:?}");
    assert_eq!(error.attempts().len(), 1);
}

const TOKEN: &str = r#"{"token":"minted"}"#;

/// Answers with a token, and never comes to the answer's end.
async fn stalls(mut stream: TcpStream) {
    head(&mut stream).await;
    let head = format!("HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{TOKEN}\r\n", TOKEN.len());
    let _ = stream.write_all(head.as_bytes()).await;
    std::future::pending::<()>().await;
}

/// A token that has arrived is not lost because what should follow it doesn't come: the service shows it this once.
#[tokio::test(start_paused = true)]
async fn what_arrived_of_a_created_token_is_kept_when_the_rest_does_not_come_in_time() {
    let (url, _) = serve(vec![script(stalls)]).await;
    match client(&url).execute(create()).await {
        Ok(created) => assert_eq!(created.token.expose_secret(), "minted"),
        Err(error) => {
            assert_eq!(error.timeout(), Some((Limit::Attempt, Duration::from_secs(10))));
            assert_eq!(error.status().map(|status| status.as_u16()), Some(201), "{error}");
            assert_eq!(error.body().unwrap(), TOKEN);
        }
    }
}

/// The same where the call's time is up before the attempt's, with layers around the call and without.
#[tokio::test]
async fn what_arrived_before_the_calls_time_was_up_is_kept() {
    let (url, _) = serve(vec![script(stalls), script(stalls)]).await;
    let builder = || Client::builder().token("t").base_url(&url);
    let ordinary = builder().build().unwrap();
    let layered = builder().layer(tower::layer::util::Identity::new()).build().unwrap();
    for client in [&ordinary, &layered] {
        let error = client.request(create()).timeout(Duration::from_millis(200)).send().await.unwrap_err();
        assert_eq!((error.status().unwrap().as_u16(), &**error.body().unwrap()), (201, TOKEN.as_bytes()));
        assert!(error.to_string().contains("it was created"), "{error}");
    }
}

/// hyper-util puts the connection's addresses into each answer's extensions, a copy of them each time, where a connector has them.
#[tokio::test]
async fn an_answer_carries_nothing_of_its_connection() {
    let (url, _) = serve(Vec::new()).await;
    let look = tower::util::MapResponseLayer::new(|answer: http::Response<magicbell::Body>| {
        assert!(answer.extensions().is_empty());
        answer
    });
    let client = Client::builder().token("t").base_url(url).attempt_layer(look).build().unwrap();
    client.execute(list()).await.unwrap();
}

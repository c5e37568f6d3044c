//! What HTTP/2 says of a request, frame by frame.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use magicbell::jwt::CreateProjectJwt;
use magicbell::{Client, ErrorKind, Outcome};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::quick;

/// What a server does with its first stream. Every other one it answers with a token.
#[derive(Clone, Copy)]
enum First {
    Reset(Reason),
    /// Ends the whole connection at once.
    GoAway(Reason),
}

/// Serves HTTP/2 by that script; returns its base URL and how many streams it has seen.
async fn serve(first: First) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v2", listener.local_addr().unwrap());
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let counter = Arc::clone(&counter);
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(socket).await.unwrap();
                while let Some(Ok((_, mut respond))) = connection.accept().await {
                    match (counter.fetch_add(1, Ordering::Relaxed), first) {
                        (0, First::Reset(reason)) => respond.send_reset(reason),
                        (0, First::GoAway(reason)) => connection.abrupt_shutdown(reason),
                        _ => {
                            let head = http::Response::builder().status(201).body(()).unwrap();
                            let mut body = respond.send_response(head, false).unwrap();
                            body.send_data(Bytes::from_static(br#"{"token":"t","token_id":"i"}"#), true).unwrap();
                        }
                    }
                }
            });
        }
    });
    (url, seen)
}

async fn create(url: &str) -> Result<usize, magicbell::Error> {
    let builder = Client::builder().token("t").base_url(url).http2_prior_knowledge(true).retry(quick());
    let client = builder.build().unwrap();
    let response = client.request(CreateProjectJwt::builder().name("x").build()).send().await?;
    Ok(response.attempts().len())
}

#[tokio::test]
async fn a_refused_stream_was_not_sent_so_even_a_create_is_sent_again() {
    let (url, seen) = serve(First::Reset(Reason::REFUSED_STREAM)).await;
    assert_eq!(create(&url).await.unwrap(), 2);
    assert_eq!(seen.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn any_other_end_of_a_stream_or_connection_is_unknown() {
    for first in [
        First::Reset(Reason::INTERNAL_ERROR),
        First::Reset(Reason::CANCEL),
        First::Reset(Reason::ENHANCE_YOUR_CALM),
        First::GoAway(Reason::INTERNAL_ERROR),
        First::GoAway(Reason::NO_ERROR),
    ] {
        let (url, seen) = serve(first).await;
        let error = create(&url).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Transport, Outcome::Unknown), "{error:?}");
        assert_eq!(seen.load(Ordering::Relaxed), 1);
    }
}

/// A connection of which a test writes and reads the frames itself (RFC 9113, section 4.1).
struct Frames(TcpStream);

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

impl Frames {
    /// Takes a client's connection up.
    async fn accept(listener: &TcpListener) -> Self {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut preface = [0; 24];
        socket.read_exact(&mut preface).await.unwrap();
        let mut frames = Self(socket);
        frames.write(SETTINGS, 0, 0, &[]).await;
        frames
    }

    async fn write(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
        self.0.write_all(&[&head, payload].concat()).await.unwrap();
    }

    /// Reads on to the next request, and returns its stream; `None` at the end of the connection.
    async fn request(&mut self) -> Option<u32> {
        loop {
            let mut head = [0; 9];
            self.0.read_exact(&mut head).await.ok()?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            self.0.read_exact(&mut vec![0; length as usize]).await.ok()?;
            if head[3] == HEADERS {
                return Some(u32::from_be_bytes([head[5], head[6], head[7], head[8]]));
            }
        }
    }

    /// Answers 200, with a token.
    async fn answer(&mut self, stream: u32) {
        // The 8th entry of HPACK's static table: `:status: 200`.
        self.write(HEADERS, END_HEADERS, stream, &[0x88]).await;
        self.write(DATA, END_STREAM, stream, br#"{"token":"t","token_id":"i"}"#).await;
    }

    async fn go_away(&mut self, last: u32, reason: Reason, debug_data: &str) {
        let payload = [&last.to_be_bytes(), &u32::from(reason).to_be_bytes(), debug_data.as_bytes()].concat();
        self.write(GOAWAY, 0, 0, &payload).await;
    }
}

/// The first connection takes up one stream of three, says so in a GOAWAY, and answers it; the next one answers what comes.
#[tokio::test]
async fn streams_after_the_last_that_goaway_names_were_not_sent_so_even_creates_are_sent_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v2", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let mut first = Frames::accept(&listener).await;
        for stream in [1, 3, 5] {
            assert_eq!(first.request().await, Some(stream));
        }
        first.go_away(1, Reason::NO_ERROR, "").await;
        first.answer(1).await;
        let mut second = Frames::accept(&listener).await;
        for _ in 0..2 {
            let stream = second.request().await.unwrap();
            second.answer(stream).await;
        }
        (first.request().await, second)
    });
    let client = Client::builder().token("t").base_url(url).http2_prior_knowledge(true).retry(quick()).build().unwrap();
    let creates = (0..3).map(|_| client.request(CreateProjectJwt::builder().name("x").build()).send());
    let mut attempts = Vec::new();
    for result in futures_util::future::join_all(creates).await {
        attempts.push(result.unwrap().attempts().iter().map(|attempt| attempt.outcome).collect::<Vec<_>>());
    }
    attempts.sort_unstable();
    let again = vec![Outcome::NotSent, Outcome::Answered];
    assert_eq!(attempts, [again.clone(), again, vec![Outcome::Answered]]);
    drop(client);
    assert_eq!(server.await.unwrap().0, None, "nothing more came over the first connection");
}

#[tokio::test]
async fn what_the_server_says_in_a_goaway_is_in_no_error() {
    const ECHO: &str = "an-opaque-token-that-is-echoed";
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v2", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut frames = Frames::accept(&listener).await;
        frames.request().await.unwrap();
        frames.go_away(0, Reason::INTERNAL_ERROR, ECHO).await;
        frames.request().await
    });
    let error = create(&url).await.unwrap_err();
    let mut source: Option<&dyn std::error::Error> = Some(&error);
    let mut text = String::new();
    while let Some(error) = source {
        text += &format!("{error}\n{error:?}\n");
        source = error.source();
    }
    assert!(text.contains("HTTP/2: the server ended the connection"), "{text}");
    magicbell::testing::assert_hidden(ECHO, &text);
}

/// A connection that was announced to end: what is in flight is answered, and the next call has a new one.
#[tokio::test]
async fn a_graceful_goaway_loses_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v2", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(socket).await.unwrap();
                while let Some(Ok((_, mut respond))) = connection.accept().await {
                    connection.graceful_shutdown();
                    let mut body =
                        respond.send_response(http::Response::builder().status(201).body(()).unwrap(), false).unwrap();
                    body.send_data(Bytes::from_static(br#"{"token":"t","token_id":"i"}"#), true).unwrap();
                }
            });
        }
    });
    let client = Client::builder().token("t").base_url(url).http2_prior_knowledge(true).retry(quick()).build().unwrap();
    for _ in 0..20 {
        client.execute(CreateProjectJwt::builder().name("x").build()).await.unwrap();
    }
    assert_eq!(connections.load(Ordering::Relaxed), 20);
}

/// A connection that went silent: pings find that out within an attempt, and the next one is answered on a new one. The clock is the test's own.
#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_found_out_and_replaced() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v2", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut silent = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            let mut connection = h2::server::handshake(socket).await.unwrap();
            if silent.is_empty() {
                // It is kept open, and never polled again: no ping is answered.
                silent.push(connection);
                continue;
            }
            tokio::spawn(async move {
                while let Some(Ok((_, mut respond))) = connection.accept().await {
                    let mut body = respond.send_response(http::Response::new(()), false).unwrap();
                    body.send_data(Bytes::from_static(b"{}"), true).unwrap();
                }
            });
        }
    });
    let client = Client::builder().token("t").base_url(url).http2_prior_knowledge(true).retry(quick()).build().unwrap();
    let list = magicbell::jwt::FetchProjectTokens::builder().build();
    let start = tokio::time::Instant::now();
    client.execute(list).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

/// Serves one HTTP/2 connection, whose first stream is answered after 23 seconds and every other one at once; returns its base URL, and
/// what arrives of it.
async fn serve_one_slowly() -> (String, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v2", listener.local_addr().unwrap());
    let arrived = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&arrived);
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let (mut from_client, mut to_client) = socket.into_split();
        let (inner, outer) = tokio::io::duplex(1 << 16);
        let (mut from_server, mut to_server) = tokio::io::split(outer);
        tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
        tokio::spawn(async move {
            let mut buffer = [0; 1 << 12];
            while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
                log.lock().unwrap().extend_from_slice(&buffer[..count]);
                to_server.write_all(&buffer[..count]).await.unwrap();
            }
        });
        let mut connection = h2::server::handshake(inner).await.unwrap();
        let mut wait = Some(Duration::from_secs(23));
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            let wait = wait.take().unwrap_or_default();
            tokio::spawn(async move {
                tokio::time::sleep(wait).await;
                let mut body = respond.send_response(http::Response::new(()), false).unwrap();
                body.send_data(Bytes::from_static(b"{}"), true).unwrap();
            });
        }
    });
    (url, arrived)
}

/// Returns how many pings there are among a client's bytes that aren't answers to the server's own.
fn pings(bytes: &[u8]) -> usize {
    let mut rest = bytes.strip_prefix(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    let mut pings = 0;
    while let [a, b, c, kind, flags, _, _, _, _, frame @ ..] = rest {
        pings += usize::from(*kind == 6 && flags & 1 == 0);
        rest = frame.get(u32::from_be_bytes([0, *a, *b, *c]) as usize..).unwrap_or_default();
    }
    pings
}

/// Waits for one slow answer while calls are made on the same connection, that far apart; returns how often the connection was asked
/// whether it lives. The clock is the test's own; while it waits for a socket, it may go on to the next timer.
async fn pings_beside(apart: Duration) -> usize {
    let (url, arrived) = serve_one_slowly().await;
    let builder = Client::builder().token("t").base_url(url).http2_prior_knowledge(true);
    let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3600));
    let client = builder.attempt_timeout(minute).timeout(hour).build().unwrap();
    let list = || client.execute(magicbell::jwt::FetchProjectTokens::builder().build());
    let others = async {
        loop {
            tokio::time::sleep(apart).await;
            list().await.unwrap();
        }
    };
    tokio::select! {
        slow = list() => drop(slow.unwrap()),
        () = others => {}
    }
    let arrived = arrived.lock().unwrap();
    pings(&arrived)
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_asked_whether_it_lives_every_five_seconds() {
    let pings = pings_beside(Duration::from_secs(60)).await;
    assert!((4..=5).contains(&pings), "{pings} in 23 seconds");
}

#[tokio::test(start_paused = true)]
async fn a_connection_on_which_answers_arrive_is_not_asked_whether_it_lives() {
    // None, where the test's time doesn't go ahead of a socket.
    let pings = pings_beside(Duration::from_secs(1)).await;
    assert!(pings <= 1, "{pings} in 23 seconds");
}

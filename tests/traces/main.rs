//! What a subscriber sees. It is a binary of its own, and its tests run one at a time: a span that a thread without a subscriber
//! opens first can stay disabled for one that has just got its own.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response};
use magicbell::jwt::{CreateProjectJwt, DiscardUserJwt, FetchProjectTokens};
use magicbell::middleware::retry::{Backoff, Jitter};
use magicbell::testing::{Fault, Server, assert_hidden};
use magicbell::{Body, Client, RetryPolicy};
use tracing::span::{Attributes, Id};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A token id that no server has.
const UNKNOWN_ID: &str = "550e8400-e29b-41d4-a716-446655440000";

fn list() -> FetchProjectTokens {
    FetchProjectTokens::builder().build()
}

fn quick() -> RetryPolicy {
    let backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(2));
    RetryPolicy::builder().backoff(backoff).rate_limit_backoff(backoff).jitter(Jitter::off()).build()
}

/// Writes the names of spans down as they open, and calls that the layers see.
#[derive(Clone, Default)]
struct Order(Arc<Mutex<Vec<String>>>);

impl Order {
    fn note(&self, name: impl Into<String>) {
        self.0.lock().unwrap().push(name.into());
    }

    /// A layer that notes each call to it.
    fn layer<S>(&self, name: &'static str) -> tower::util::MapRequestLayer<impl FnMut(S) -> S + Clone + use<S>> {
        let order = self.clone();
        tower::util::MapRequestLayer::new(move |request| {
            order.note(name);
            request
        })
    }
}

impl<S> tracing_subscriber::Layer<S> for Order
where
    S: tracing::Subscriber,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        if attributes.metadata().target().starts_with("magicbell") {
            self.note(format!("span {}", attributes.metadata().name()));
        }
    }
}

/// Layers of the caller's, then the call span; one of it a call. Retry, then the attempt span, then the caller's attempt
/// layers; all of them each attempt.
#[tokio::test]
async fn spans_and_layers_open_in_order() {
    let _alone = ALONE.lock().await;
    let order = Order::default();
    let _guard = tracing_subscriber::registry().with(order.clone()).set_default();
    let server = Server::start().await.unwrap();
    server.fail_next(Fault::status(503));
    let client = Client::builder()
        .token(server.token())
        .base_url(server.url())
        .retry(quick())
        .layer(order.layer::<Request<Body>>("layer"))
        .attempt_layer(order.layer::<Request<Body>>("attempt layer"))
        .build()
        .unwrap();
    client.execute(list()).await.unwrap();
    let expected = ["layer", "span call", "span attempt", "attempt layer", "span attempt", "attempt layer"];
    assert_eq!(*order.0.lock().unwrap(), expected);
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_trace_of_everything_shows_no_token_and_no_id() {
    let _alone = ALONE.lock().await;
    let log = Log::default();
    let writer = log.clone();
    let format = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_writer(move || writer.clone());
    let _guard = tracing_subscriber::registry().with(format).set_default();

    let server = Server::start().await.unwrap();
    let client = Client::builder().token(server.token()).base_url(server.url()).retry(quick()).build().unwrap();
    let created = client.execute(CreateProjectJwt::builder().name("ci").build()).await.unwrap();
    server.fail_next(Fault::reset());
    client.execute(DiscardUserJwt::new(UNKNOWN_ID)).await.unwrap_err();

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("create_project_jwt") && text.contains("DELETE /jwt/user/{token_id}"), "{text}");
    assert!(text.contains("http.request.resend_count=1"), "{text}");
    assert!(text.contains("another attempt follows"), "{text}");
    assert_hidden(server.token(), &text);
    assert_hidden(created.token.expose_secret(), &text);
    let own = text.lines().filter(|line| line.contains("magicbell"));
    assert!(own.clone().count() > 4, "{text}");
    assert!(own.filter(|line| line.contains(UNKNOWN_ID)).count() == 0, "no id in the SDK's own spans");
}

/// The attempt span, then the attempt timeout: a limit that fires is the span's to tell of.
#[tokio::test]
async fn an_attempt_that_is_timed_out_says_so_in_its_own_span() {
    let _alone = ALONE.lock().await;
    let log = Log::default();
    let writer = log.clone();
    let format = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::CLOSE)
        .with_writer(move || writer.clone());
    let _guard = tracing_subscriber::registry().with(format).set_default();

    let server = Server::start().await.unwrap();
    server.fail_next(Fault::stall());
    let client = Client::builder()
        .token(server.token())
        .base_url(server.url())
        .attempt_timeout(Duration::from_millis(500))
        .retry(quick())
        .build()
        .unwrap();
    client.execute(list()).await.unwrap();

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let closed = text.lines().filter(|line| line.contains("attempt{") && line.contains(": close")).collect::<Vec<_>>();
    assert_eq!(closed.len(), 2, "{text}");
    assert!(closed[0].contains(r#"error.type="timeout""#), "{}", closed[0]);
    assert!(!closed[1].contains("error.type") && closed[1].contains("http.response.status_code=200"), "{}", closed[1]);
}

/// Calls that nobody observes go through a stack without spans: over the same limit, pace and connections.
#[tokio::test(start_paused = true)]
async fn a_subscriber_may_come_at_any_time_and_changes_no_limit() {
    let _alone = ALONE.lock().await;
    let running = Arc::new(AtomicUsize::new(0));
    let transport = tower::service_fn(move |_: Request<Body>| {
        let running = Arc::clone(&running);
        async move {
            assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0, "one at a time");
            tokio::time::sleep(Duration::from_secs(1)).await;
            running.fetch_sub(1, Ordering::SeqCst);
            let mut answer = Response::new(Body::from("{}"));
            *answer.status_mut() = http::StatusCode::TOO_MANY_REQUESTS;
            answer.headers_mut().insert("retry-after", http::HeaderValue::from_static("20"));
            Ok::<_, magicbell::BoxError>(answer)
        }
    });
    let client = Client::builder().token("t").transport(transport).concurrency_limit(1).build().unwrap();
    let call = || client.request(list()).max_attempts(1).send();
    let unobserved = call();
    let order = Order::default();
    let guard = tracing_subscriber::registry().with(order.clone()).set_default();
    let observed = call();
    let start = tokio::time::Instant::now();
    let (first, second) = tokio::join!(unobserved, observed);
    assert!(first.unwrap_err().is_rate_limited() && second.unwrap_err().is_rate_limited());
    // The second one had its permit when the first had met the 429, and waited for what that had asked for.
    assert!(start.elapsed() >= Duration::from_secs(22), "{:?}", start.elapsed());
    assert_eq!(*order.0.lock().unwrap(), ["span call", "span attempt"]);
    drop(guard);
    call().await.unwrap_err();
    assert_eq!(order.0.lock().unwrap().len(), 2);
}

//! What the spans say, and what they never say.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Request;
use magicbell_middleware::auth::{AuthLayer, RotatingCredentials, bearer};
use magicbell_middleware::collect::CollectLayer;
use magicbell_middleware::idempotency_key::IdempotencyKeyLayer;
use magicbell_middleware::pace::Pace;
use magicbell_middleware::retry::RetryLayer;
use magicbell_middleware::timeout::TimeoutLayer;
use magicbell_middleware::trace::{AttemptSpanLayer, CallSpanLayer};
use magicbell_middleware::{Body, Operation};
use tower::{ServiceBuilder, ServiceExt as _};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

use crate::subscribe;
use crate::support::{Reply, Server, policy};

const DISCARD: Operation = Operation::delete("discard_token", "/tokens/{token_id}");

/// A span: its name, its parent's, and its fields.
#[derive(Debug, Clone, Default)]
struct Recorded {
    name: &'static str,
    parent: Option<&'static str>,
    fields: BTreeMap<&'static str, String>,
}

impl Recorded {
    /// Returns the fields, as `name=value`.
    fn fields(&self) -> Vec<String> {
        self.fields.iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

impl Visit for Recorded {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }
}

/// Keeps each span, in the order in which they were opened.
#[derive(Debug, Clone, Default)]
struct Recorder(Arc<Mutex<Vec<(Id, Recorded)>>>);

impl Recorder {
    fn spans(&self) -> Vec<Recorded> {
        self.0.lock().unwrap().iter().map(|(_, span)| span.clone()).collect()
    }
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let parent = context.span(id).and_then(|span| span.parent()).map(|parent| parent.name());
        let mut span = Recorded { name: attributes.metadata().name(), parent, ..Recorded::default() };
        attributes.record(&mut span);
        self.0.lock().unwrap().push((id.clone(), span));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut spans = self.0.lock().unwrap();
        let (_, span) = spans.iter_mut().rev().find(|(known, _)| known == id).unwrap();
        values.record(span);
    }
}

fn request() -> Request<Body> {
    Request::delete("https://api.example.com/v2/tokens/tok-id-1?secret=query")
        .header("x-secret", "header-value")
        .extension(DISCARD)
        .body(Body::from("body-bytes"))
        .unwrap()
}

async fn call(script: &[Reply], layer: RetryLayer, request: Request<Body>) {
    let service = ServiceBuilder::new()
        .layer(CallSpanLayer::new())
        .layer(IdempotencyKeyLayer::new())
        .layer(layer)
        .layer(AttemptSpanLayer::new())
        .layer(TimeoutLayer::new(Duration::from_secs(10)))
        .layer(AuthLayer::new(RotatingCredentials::new(bearer("eyJ-the-token").unwrap())))
        .layer(CollectLayer::new(999))
        .service(Server::new(script));
    let _ = service.oneshot(request).await;
}

/// Makes a call of a discard, and returns the spans.
async fn spans(script: &[Reply]) -> Vec<Recorded> {
    let recorder = Recorder::default();
    let _subscribed = subscribe(tracing_subscriber::registry().with(recorder.clone())).await;
    call(script, RetryLayer::new(policy()), request()).await;
    recorder.spans()
}

#[tokio::test(start_paused = true)]
async fn a_call_has_a_span_and_each_attempt_one_within_it() {
    let spans = spans(&[Reply::Status(503), Reply::Status(200)]).await;
    let names = spans.iter().map(|span| (span.name, span.parent)).collect::<Vec<_>>();
    assert_eq!(names, [("call", None), ("attempt", Some("call")), ("attempt", Some("call"))]);
    assert_eq!(
        spans[0].fields(),
        [
            "attempts=2",
            "http.request.method=DELETE",
            "http.response.status_code=200",
            "otel.kind=internal",
            "otel.name=discard_token",
            "url.template=/tokens/{token_id}",
        ]
    );
    assert_eq!(
        spans[1].fields(),
        [
            "error.type=503",
            "http.request.method=DELETE",
            "http.response.status_code=503",
            "network.protocol.version=1.1",
            "otel.kind=client",
            "otel.name=DELETE /tokens/{token_id}",
            "otel.status_code=ERROR",
            "server.address=api.example.com",
            "server.port=443",
            "url.scheme=https",
            "url.template=/tokens/{token_id}",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn resends_are_counted_from_the_second_attempt_on() {
    let spans = spans(&[Reply::NotSent]).await;
    let counts = spans[1..].iter().map(|span| span.get("http.request.resend_count")).collect::<Vec<_>>();
    assert_eq!(counts, [None, Some("1"), Some("2")]);
}

#[tokio::test(start_paused = true)]
async fn one_attempt_is_counted_as_one() {
    let spans = spans(&[Reply::Status(404)]).await;
    assert_eq!(spans[0].get("attempts"), Some("1"));
    assert_eq!(spans[0].get("error.type"), Some("404"));
}

#[tokio::test(start_paused = true)]
async fn an_error_is_named_in_a_word_and_its_call_has_its_attempts_counted() {
    let errors = [
        (Reply::NotSent, "not_sent"),
        (Reply::Permanent, "not_sent"),
        (Reply::Reset, "no_answer"),
        (Reply::Silent, "no_answer"),
        (Reply::Never, "timeout"),
        (Reply::Lost(200), "answer_unreadable"),
        (Reply::Oversized(200), "answer_unreadable"),
    ];
    for (reply, name) in errors {
        let spans = spans(&[reply]).await;
        for span in &spans {
            assert_eq!(span.get("error.type"), Some(name), "{reply:?}, {}", span.name);
        }
        let attempts = (spans.len() - 1).to_string();
        assert_eq!(spans[0].get("attempts"), Some(&*attempts), "{reply:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_that_arrived_is_recorded_although_its_body_was_lost() {
    for span in spans(&[Reply::Lost(200)]).await {
        assert_eq!(span.get("http.response.status_code"), Some("200"), "{}", span.name);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_held_back_has_no_attempts() {
    let recorder = Recorder::default();
    let _subscribed = subscribe(tracing_subscriber::registry().with(recorder.clone())).await;
    let pace = Pace::unlimited();
    pace.pause(Duration::from_secs(60));
    call(&[Reply::Status(200)], RetryLayer::new(policy()).pace(pace).timeout(Duration::from_secs(5)), request()).await;
    let spans = recorder.spans();
    assert_eq!(spans.len(), 1);
    assert_eq!((spans[0].get("error.type"), spans[0].get("attempts")), (Some("held_back"), Some("0")));
}

#[tokio::test(start_paused = true)]
async fn a_request_without_an_operation_is_named_by_its_method() {
    let recorder = Recorder::default();
    let _subscribed = subscribe(tracing_subscriber::registry().with(recorder.clone())).await;
    let request = Request::get("http://user:password@localhost:8080/tokens/tok-id-1").body(Body::empty()).unwrap();
    call(&[Reply::Status(200)], RetryLayer::new(policy()), request).await;
    let spans = recorder.spans();
    assert_eq!((spans[0].get("otel.name"), spans[0].get("url.template")), (Some("call"), None));
    assert_eq!((spans[1].get("otel.name"), spans[1].get("url.template")), (Some("GET"), None));
    assert_eq!((spans[1].get("server.address"), spans[1].get("server.port")), (Some("localhost"), Some("8080")));
    assert!(!format!("{spans:?}").contains("password") && !format!("{spans:?}").contains("tok-id-1"));
}

#[tokio::test(start_paused = true)]
async fn neither_ids_nor_queries_nor_headers_nor_bodies_nor_the_token_are_ever_recorded() {
    for reply in [Reply::Status(200), Reply::Status(404), Reply::Reset, Reply::Lost(200), Reply::Silent, Reply::Never] {
        let all = format!("{:?}", spans(&[reply]).await);
        for secret in ["tok-id-1", "query", "header-value", "eyJ", "body-bytes", "sec\\\"", "Bearer", "authorization"] {
            assert!(!all.contains(secret), "{reply:?}: {secret} in {all}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_recorded_where_the_level_is_disabled() {
    let recorder = Recorder::default();
    let subscriber = tracing_subscriber::registry().with(recorder.clone().with_filter(LevelFilter::WARN));
    let _subscribed = subscribe(subscriber).await;
    assert!(!CallSpanLayer::is_enabled());
    call(&[Reply::Status(503), Reply::Status(200)], RetryLayer::new(policy()), request()).await;
    assert!(recorder.spans().is_empty());
}

/// OpenTelemetry's registry names HTTP/2 `2`, not `2.0`.
#[tokio::test(start_paused = true)]
async fn a_protocols_version_is_written_as_opentelemetry_writes_it() {
    let recorder = Recorder::default();
    let _subscribed = subscribe(tracing_subscriber::registry().with(recorder.clone())).await;
    let service = ServiceBuilder::new().layer(AttemptSpanLayer::new()).service_fn(async |_: Request<Body>| {
        http::Response::builder().version(http::Version::HTTP_2).body(Body::empty())
    });
    service.oneshot(request()).await.unwrap();
    assert_eq!(recorder.spans()[0].get("network.protocol.version"), Some("2"));
}

/// `tracing-opentelemetry` takes a span's status from `otel.status_code`; without it no dashboard counts the span as failed.
#[tokio::test(start_paused = true)]
async fn an_attempt_that_failed_has_an_error_for_its_status() {
    for reply in [Reply::Status(503), Reply::Reset] {
        let spans = spans(&[reply]).await;
        assert!(spans[1].get("error.type").is_some());
        assert_eq!(
            spans[1].get("otel.status_code").map(str::to_ascii_uppercase).as_deref(),
            Some("ERROR"),
            "{reply:?}"
        );
    }
}

//! What a recorder gets: `cargo test --features metrics --test integration metrics`.

use std::collections::BTreeMap;

use magicbell::jwt::DiscardUserJwt;
use magicbell::testing::{Fault, Server};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};

use crate::support::client;

#[test]
fn a_call_of_two_attempts_is_measured_as_both() {
    let recorder = DebuggingRecorder::new();
    // The recorder is this thread's alone, so the runtime is, too.
    metrics::with_local_recorder(&recorder, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Server::start().await.unwrap();
            let id = server.add_user_tokens("u", 1).remove(0);
            server.fail_next(Fault::status(503));
            client(&server).execute(DiscardUserJwt::new(id)).await.unwrap();
        });
    });
    let mut measured = BTreeMap::new();
    for (key, _, _, value) in recorder.snapshotter().snapshot().into_vec() {
        let labels = key.key().labels().map(|label| label.value().to_owned()).collect::<Vec<_>>();
        assert!(labels.contains(&"/jwt/user/{token_id}".to_owned()), "{labels:?}");
        let count = match value {
            DebugValue::Histogram(values) => values.len(),
            DebugValue::Gauge(gauge) => gauge.into_inner() as usize,
            DebugValue::Counter(count) => count as usize,
        };
        *measured.entry(key.key().name().to_owned()).or_insert(0) += count;
    }
    let expected = [
        ("http.client.active_requests", 0),
        ("http.client.call.attempts", 1),
        ("http.client.call.duration", 1),
        ("http.client.call.wait.duration", 1),
        ("http.client.request.duration", 2),
    ];
    assert_eq!(measured, expected.map(|(name, count)| (name.to_owned(), count)).into());
}

/// OpenTelemetry's conventions for `http.client.request.duration` require it beside `server.address`.
#[test]
fn an_attempt_is_measured_by_the_servers_port_too() {
    let recorder = DebuggingRecorder::new();
    metrics::with_local_recorder(&recorder, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Server::start().await.unwrap();
            client(&server).execute(magicbell::jwt::FetchProjectTokens::builder().build()).await.unwrap();
        });
    });
    for (key, ..) in recorder.snapshotter().snapshot().into_vec() {
        if key.key().name() == "http.client.request.duration" {
            let labels = key.key().labels().map(metrics::Label::key).collect::<Vec<_>>();
            assert!(labels.contains(&"server.port"), "{labels:?}");
        }
    }
}

/// A wait at the pace is a wait: without it nothing measured tells why calls take long.
#[test]
fn a_wait_for_a_turn_is_measured() {
    let recorder = DebuggingRecorder::new();
    metrics::with_local_recorder(&recorder, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (_, transport) = crate::support::transport(|_| Ok(crate::support::json(200, "{}")));
            let limit = magicbell::RateLimit::per_minute(1, 1);
            let client = magicbell::Client::builder().token("t").transport(transport).rate_limit(limit);
            let client = client.timeout(std::time::Duration::from_secs(120)).build().unwrap();
            for _ in 0..2 {
                client.execute(magicbell::jwt::FetchProjectTokens::builder().build()).await.unwrap();
            }
        });
    });
    let names = recorder.snapshotter().snapshot().into_vec().into_iter().map(|(key, ..)| key.key().name().to_owned());
    let names = names.collect::<std::collections::BTreeSet<_>>();
    assert!(names.iter().any(|name| name.contains("wait")), "the second call waited for a minute: {names:?}");
}

/// The attempt's metrics, then its timeout: an attempt that runs out of time is one that failed, and is measured.
#[test]
fn an_attempt_that_runs_out_of_time_is_measured() {
    let recorder = DebuggingRecorder::new();
    metrics::with_local_recorder(&recorder, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let never = tower::service_fn(|_: http::Request<magicbell::Body>| {
                std::future::pending::<Result<http::Response<magicbell::Body>, magicbell::BoxError>>()
            });
            let client = magicbell::Client::builder().token("t").transport(never).build().unwrap();
            client.request(DiscardUserJwt::new("id")).max_attempts(1).send().await.unwrap_err();
        });
    });
    let mut errors = Vec::new();
    for (key, ..) in recorder.snapshotter().snapshot().into_vec() {
        if key.key().name() == "http.client.request.duration" {
            let labels = key.key().labels().filter(|label| label.key() == "error.type");
            errors.extend(labels.map(|label| label.value().to_owned()));
        }
    }
    assert_eq!(errors, ["timeout"]);
}

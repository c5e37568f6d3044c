//! Spans and metrics, through OpenTelemetry: `cargo run --example opentelemetry --features metrics`.
//!
//! The SDK knows `tracing` and the `metrics` facade alone; what joins them to OpenTelemetry is the application's, as below. An
//! application would send both to a collector, here they are printed. Look at the tree: the application's own span, the call,
//! and each attempt, the second of which says that it is a resend; at the names, which are OpenTelemetry's; and at the metrics,
//! where one call took two attempts. No path with an id is in either, and no token.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use magicbell::jwt::DiscardUserJwt;
use magicbell::testing::{Fault, Server, assert_hidden};
use metrics_exporter_opentelemetry::Recorder;
use opentelemetry::trace::{SpanId, TracerProvider};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics};
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, Temporality};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use tracing::Instrument;
use tracing_subscriber::prelude::*;

/// Keeps spans, and a line for each metric, in place of a collector.
#[derive(Clone, Debug, Default)]
struct Collector {
    spans: Arc<Mutex<Vec<SpanData>>>,
    metrics: Arc<Mutex<BTreeMap<String, String>>>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let collector = Collector::default();
    let tracers = SdkTracerProvider::builder().with_simple_exporter(collector.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(tracers.tracer("example"));
    // What OpenTelemetry's conventions name is enough here: no file names, threads and idle times.
    let layer = layer.with_location(false).with_threads(false).with_tracked_inactivity(false).with_target(false);
    tracing_subscriber::registry().with(layer).init();
    let reader = PeriodicReader::builder(collector.clone()).build();
    let (meters, recorder) =
        Recorder::builder("example").with_meter_provider(|meters| meters.with_reader(reader)).build();
    metrics::set_global_recorder(recorder)?;

    let server = Server::start().await?;
    let id = server.add_user_tokens("hana", 1).remove(0);
    server.on::<DiscardUserJwt>().fails(Fault::status(503));
    let client = server.client();
    let log_out = async { client.execute(DiscardUserJwt::new(&id)).await };
    log_out.instrument(tracing::info_span!("log_out")).await?;

    tracers.shutdown()?;
    meters.shutdown()?;
    let spans = collector.spans.lock().map_err(|_| "not poisoned")?;
    print_tree(&spans, SpanId::INVALID, 0);
    println!();
    let measured = collector.metrics.lock().map_err(|_| "not poisoned")?;
    measured.iter().for_each(|(name, line)| println!("{name:32} {line}"));

    let names = spans.iter().map(|span| &*span.name).collect::<Vec<_>>();
    let attempt = "DELETE /jwt/user/{token_id}";
    assert_eq!(names, [attempt, attempt, "discard_user_jwt", "log_out"]);
    assert!(measured["http.client.request.duration"].contains("2 recorded"), "two attempts");
    assert!(measured["http.client.call.duration"].contains("1 recorded"), "of one call");
    let all = format!("{spans:?} {measured:?}");
    assert_hidden(server.token(), &all);
    assert!(!all.contains(&id));
    Ok(())
}

/// Prints the spans below a parent, and what is below each.
fn print_tree(spans: &[SpanData], parent: SpanId, depth: usize) {
    for span in spans.iter().filter(|span| span.parent_span_id == parent) {
        let took = span.end_time.duration_since(span.start_time).unwrap_or_default();
        println!(
            "{:indent$}{} ({:?}) {took:.1?}, {:?}",
            "",
            span.name,
            span.span_kind,
            span.status,
            indent = depth * 2
        );
        for attribute in &span.attributes {
            println!("{:indent$}. {} = {}", "", attribute.key, attribute.value, indent = depth * 2 + 2);
        }
        print_tree(spans, span.span_context.span_id(), depth + 1);
    }
}

impl SpanExporter for Collector {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.spans.lock().expect("not poisoned").extend(batch);
        Ok(())
    }
}

impl PushMetricExporter for Collector {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let mut lines = self.metrics.lock().expect("not poisoned");
        for metric in metrics.scope_metrics().flat_map(|scope| scope.metrics()) {
            let line = match metric.data() {
                AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
                    let (count, sum) = histogram
                        .data_points()
                        .fold((0, 0.0), |(count, sum), point| (count + point.count(), sum + point.sum()));
                    format!("{count} recorded, {sum:.4} in all")
                }
                AggregatedMetrics::F64(MetricData::Gauge(gauge)) => {
                    format!("{} at the end", gauge.data_points().map(|point| point.value()).sum::<f64>())
                }
                _ => "another kind".to_owned(),
            };
            lines.insert(metric.name().to_owned(), line);
        }
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Cumulative
    }
}

//! One test binary, a module a subject.

#[path = "../support/percent.rs"]
mod percent;
mod support;

mod auto_traits;
mod batch_concurrency;
mod batch_repeats;
mod batch_stops;
mod batch_stops_itself;
mod blocking;
mod cancellation;
mod configuration;
mod connections;
mod consumer_layers;
mod creates;
mod credentials;
mod discards;
mod endpoints;
mod errors;
mod fake_server;
mod herd;
mod http2;
mod ids;
mod journal;
#[cfg(feature = "metrics")]
mod metrics;
mod operations;
mod outside_crate;
mod own_token;
mod pagination;
mod progress;
mod proxy;
mod report;
mod revocation;
mod secrets;
mod selection;
mod stack_order;
mod surface;
mod timeouts;
mod tls;
mod transport;
mod verification;
mod wall_clock;

//! One test binary, a module a subject.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic is how a test fails")]

mod support;

mod auto_traits;
mod cancellation;
mod compile_errors;
mod configuration;
mod consumer_layers;
mod creates;
mod discards;
mod endpoints;
mod errors;
mod ids;
mod operations;
mod pagination;
mod revocation;
mod secrets;
mod stack_order;
mod surface;
mod timeouts;
mod tls;
mod transport;

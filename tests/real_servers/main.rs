//! The client against real servers, nginx and haproxy, that stand in front of the fake service: `cargo test --test real_servers`.
//!
//! The two have to be installed; where one isn't, its tests fail and name Debian's package. Each test starts a process of its own
//! on a free port of loopback, with a configuration of its own, and ends it.

// What the tests use.
mod haproxy;
mod nginx;
#[path = "../support/percent.rs"]
mod percent;
mod process;
mod support;

// What stands in front answers by itself.
mod errors;
mod rate_limits;

// It passes requests on.
mod ids;
mod tls;

// It ends connections.
mod keep_alive;
mod reloads;
mod resets;

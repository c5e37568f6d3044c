//! The fake server, as clients other than the SDK's see it.

mod support;

mod faults;
mod limits;
mod operations;
mod pages;
mod server;
mod transport;

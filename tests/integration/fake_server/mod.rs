//! The fake server, as clients other than the SDK's see it, and as tests of the SDK's consumers use it.

mod support;

mod assertions;
mod decode;
mod faults;
mod limits;
mod operations;
mod pages;
mod paused_time;
mod scripts;
mod server;
mod transport;

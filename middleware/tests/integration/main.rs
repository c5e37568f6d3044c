//! One test binary, a module a subject. Time is paused, randomness is seeded or off, and what counts is what the inner
//! service received.

// Helpers outside of `#[test]` functions may unwrap too: a panic is how a test fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

mod attempts_record;
mod auto_traits;
mod budget;
mod concurrency;
mod credentials;
mod deadline;
mod lost_creation;
mod pace;
mod retry_after;
mod retry_table;

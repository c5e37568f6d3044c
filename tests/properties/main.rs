//! Properties, checked with arbitrary input: one test binary, a module a subject.
//!
//! Each test has a number of cases that takes a second or two; `PROPTEST_CASES=100000 cargo test --release --test properties` runs
//! more of them. A failure is shrunk and printed.

mod json_values;
#[path = "../support/percent.rs"]
mod percent;
mod support;

mod base_urls;
mod bodies;
mod ids;
mod links;
mod random_faults;
mod redaction;
mod retry_after;

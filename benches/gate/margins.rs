//! What each case may cost over the one that it is compared with.
//!
//! A change that costs more has to raise its line here, where a reviewer sees it; one that costs less should lower it. Measured
//! on 26 November 2026 with rustc 1.95 and valgrind 3.19, on x86-64 Linux (AMD EPYC, glibc 2.36).
//!
//! Allocations are exact. Instructions are that day's figure and 5 % of it, at least 200, for other versions of compiler and
//! libc: five runs of one binary didn't differ by one instruction (a batch of 64 by 60, for its hashes are random). The list's line
//! has more room: it is the difference of two sums of 450,000, which move by 4,000 with what is inlined in serde.

/// What a case may cost over another, each time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Margin {
    pub(crate) case: &'static str,
    pub(crate) over: &'static str,
    pub(crate) instructions: f64,
    /// A fraction is what a batch spreads over its ids.
    pub(crate) allocations: f64,
}

pub(crate) const MARGINS: &[Margin] = &[
    margin("discard/+ headers, collect", "discard/by hand", -300.0, -1.0),
    margin("discard/+ attempt timeout", "discard/+ headers, collect", 250.0, 0.0),
    margin("discard/+ attempt span", "discard/+ attempt timeout", 400.0, 0.0),
    margin("discard/+ retry, deadline", "discard/+ attempt span", 2_050.0, 2.0),
    margin("discard/+ idempotency key", "discard/+ retry, deadline", 300.0, 0.0),
    margin("discard/+ call span", "discard/+ idempotency key", 300.0, 0.0),
    margin("discard/client", "discard/by hand", 700.0, -1.0),
    margin("discard/client, settings of its own", "discard/client", 850.0, 1.0),
    margin("discard/client, concurrency limit", "discard/client", 550.0, 0.0),
    margin("discard/client, rate limit", "discard/client", 550.0, 0.0),
    margin("discard/client, credentials", "discard/client", 1_550.0, 0.0),
    margin("discard/client, one layer", "discard/client", 3_150.0, 6.0),
    margin("discard/client, two layers", "discard/client, one layer", 550.0, 1.0),
    margin("discard/client, one attempt layer", "discard/client", 1_500.0, 4.0),
    margin("discard/client, two attempt layers", "discard/client, one attempt layer", 550.0, 1.0),
    margin("discard/client, a layer in each slot", "discard/client", 3_550.0, 7.0),
    margin("create/client", "create/by hand", 3_100.0, 5.0),
    margin("list of 100/client", "list of 100/by hand", -60_000.0, -1.0),
    margin("batch, an id/1 in flight", "batch, an id/single calls", 2_300.0, 1.0),
    margin("batch, an id/64 in flight", "batch, an id/single calls", 2_300.0, 1.0),
];

const fn margin(case: &'static str, over: &'static str, instructions: f64, allocations: f64) -> Margin {
    Margin { case, over, instructions, allocations }
}

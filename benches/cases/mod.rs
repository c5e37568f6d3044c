//! What is measured in memory: the same for times, instructions and allocations.

mod batch;
mod by_hand;
mod client;
mod in_memory;
mod layers;

use futures_util::FutureExt as _;

/// Does the case's work so many times.
pub(crate) type Run = Box<dyn FnMut(u64)>;

/// A case: its name, and what makes it ready to run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    /// What is done, a slash, and by what.
    pub(crate) name: &'static str,
    pub(crate) make: fn() -> Run,
}

/// Every case. Those with the same first half of a name do the same work.
#[allow(dead_code, reason = "one of the benches has no use for them")]
pub(crate) const ALL: &[Case] = &[
    case("discard/by hand", client::discard_by_hand),
    case("discard/by hand, lean", client::discard_by_hand_leanly),
    case("discard/+ headers, collect", layers::headers_and_collect),
    case("discard/+ attempt timeout", layers::attempt_timeout),
    case("discard/+ attempt span", layers::attempt_span),
    case("discard/+ retry, deadline", layers::retry),
    case("discard/+ idempotency key", layers::idempotency_key),
    case("discard/+ call span", layers::call_span),
    case("discard/client", client::discard),
    case("discard/client, settings of its own", client::discard_with_settings),
    case("discard/client, concurrency limit", client::discard_with_concurrency_limit),
    case("discard/client, rate limit", client::discard_with_rate_limit),
    case("discard/client, credentials", client::discard_with_credentials),
    case("discard/client, one layer", client::discard_with_layers::<1, 0>),
    case("discard/client, two layers", client::discard_with_layers::<2, 0>),
    case("discard/client, one attempt layer", client::discard_with_layers::<0, 1>),
    case("discard/client, two attempt layers", client::discard_with_layers::<0, 2>),
    case("discard/client, a layer in each slot", client::discard_with_layers::<1, 1>),
    case("create/by hand", client::create_by_hand),
    case("create/client", client::create),
    case("list of 100/by hand", client::list_by_hand),
    case("list of 100/client", client::list),
    case("batch, an id/single calls", batch::single_calls),
    case("batch, an id/1 in flight", batch::in_flight::<1>),
    case("batch, an id/64 in flight", batch::in_flight::<64>),
];

/// Those that are measured by memory too, in `batch_revocation`.
#[allow(dead_code, reason = "one of the benches has a use for them")]
pub(crate) const BATCHES: &[Case] = &[
    case("single calls", batch::single_calls),
    case("1 in flight", batch::in_flight::<1>),
    case("8 in flight", batch::in_flight::<8>),
    case("64 in flight", batch::in_flight::<64>),
    case("256 in flight", batch::in_flight::<256>),
];

const fn case(name: &'static str, make: fn() -> Run) -> Case {
    Case { name, make }
}

/// Makes a run of what is done once.
fn each(mut once: impl FnMut() + 'static) -> Run {
    Box::new(move |times| (0..times).for_each(|_| once()))
}

/// Runs a future to its end.
fn now<F: Future>(future: F) -> F::Output {
    future.now_or_never().expect("nothing in memory has to wait")
}

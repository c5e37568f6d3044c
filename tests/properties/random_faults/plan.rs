//! What is done, and what goes wrong meanwhile.

use magicbell::testing::Fault;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// The users whose tokens are made, discarded and listed.
pub(super) const USERS: [&str; 2] = ["hana", "a/b c"];

/// What is done with a server, and what goes wrong meanwhile.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) seed: u64,
    /// Whether keys are honoured by the server and trusted by the client, or neither.
    pub(super) keys: bool,
    pub(super) http2: bool,
    /// Each with how many requests there are for one that meets it, on average.
    pub(super) faults: Vec<(Fault, u32)>,
    pub(super) operations: Vec<Step>,
}

/// One operation, and whether the next connection is reset on arrival.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) operation: Operation,
    pub(super) reset_connections: usize,
}

#[derive(Debug, Clone)]
pub(super) enum Operation {
    CreateProject,
    CreateUser(&'static str),
    /// Which of the project tokens that are known, and of an unknown one.
    DiscardProject(Index),
    /// Which of the user tokens that are known, and of an unknown one.
    DiscardUser(Index),
    ListProject,
    ListUser(&'static str),
}

pub(super) fn plan(seed: u64, keys: bool) -> impl Strategy<Value = Plan> {
    let faults = vec((fault(), 2_u32..8), 1..6);
    (any::<bool>(), faults, vec(step(), 4..16)).prop_map(move |(http2, faults, operations)| Plan {
        seed,
        keys,
        http2,
        faults,
        operations,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let user = || select(&USERS[..]);
    let operation = prop_oneof![
        2 => Just(Operation::CreateProject),
        3 => user().prop_map(Operation::CreateUser),
        2 => any::<Index>().prop_map(Operation::DiscardProject),
        3 => any::<Index>().prop_map(Operation::DiscardUser),
        1 => Just(Operation::ListProject),
        1 => user().prop_map(Operation::ListUser),
    ];
    let reset_connections = prop_oneof![4 => Just(0_usize), 1 => 1_usize..4];
    (operation, reset_connections).prop_map(|(operation, reset_connections)| Step { operation, reset_connections })
}

/// A fault that doesn't lie: no answer says that something was done that wasn't, or the other way round.
fn fault() -> impl Strategy<Value = Fault> {
    let failing = || select(vec![500_u16, 502, 503, 504]);
    prop_oneof![
        1 => Just(Fault::status(429).retry_after(3_600)),
        8 => failing().prop_map(Fault::status),
        8 => failing().prop_map(|status| Fault::status(status).after_processing()),
        8 => failing().prop_map(|status| Fault::html(status).after_processing()),
        8 => select(vec![401_u16, 403, 404, 408, 409, 429]).prop_map(Fault::status),
        1 => select(vec![429_u16, 503]).prop_map(|status| Fault::status(status).retry_after(0)),
        8 => Just(Fault::empty(302).after_processing()),
        8 => any::<bool>().prop_map(|processed| if processed { Fault::reset().after_processing() } else { Fault::reset() }),
        8 => any::<bool>().prop_map(|processed| if processed { Fault::close().after_processing() } else { Fault::close() }),
        8 => (0_usize..200).prop_map(Fault::cut_body),
        8 => (0_usize..60).prop_map(Fault::cut_body_without_length),
        8 => Just(Fault::raw("not HTTP\r\n\r\n").after_processing()),
        8 => Just(Fault::body(200, "[").after_processing()),
    ]
}

//! Allocations of each case, gated: `cargo bench --bench allocations`.
//!
//! They are counted by the crate `allocation-counter`, which is the global allocator of this program and of no other.

mod cases;
mod gate;

use std::process::ExitCode;

use gate::Counted;

/// Enough for what a batch allocates once to vanish in the difference.
const TIMES: u64 = 1_000;

fn main() -> ExitCode {
    let figures = cases::ALL.iter().map(|case| {
        let mut run = (case.make)();
        run(TIMES);
        (*case, (count(&mut run, 2 * TIMES) - count(&mut run, TIMES)) / TIMES as f64)
    });
    gate::judge(Counted::Allocations, &figures.collect::<Vec<_>>())
}

fn count(run: &mut cases::Run, times: u64) -> f64 {
    allocation_counter::measure(|| run(times)).count_total as f64
}

//! What the client adds to a request that is written by hand: in memory, so that nothing but the code itself is measured.
//!
//! `cargo bench --bench request_overhead`. Read the ratios within one run, not the times; `instructions` and `allocations`
//! measure the same cases by what doesn't drift.

mod cases;

use criterion::{Criterion, criterion_group, criterion_main};

fn request_overhead(criterion: &mut Criterion) {
    for case in cases::ALL {
        let mut run = (case.make)();
        criterion.bench_function(case.name, |bencher| bencher.iter_custom(|times| time(&mut run, times)));
    }
}

/// All at once, as a batch wants it; for the others it is the same.
fn time(run: &mut cases::Run, times: u64) -> std::time::Duration {
    let start = std::time::Instant::now();
    run(times);
    start.elapsed()
}

criterion_group!(benches, request_overhead);
criterion_main!(benches);

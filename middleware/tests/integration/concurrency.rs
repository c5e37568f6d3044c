//! What threads share adds up, whatever order they come in.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use http::{Request, Response};
use magicbell_middleware::pace::Pace;
use magicbell_middleware::retry::{Backoff, RetryBudget, RetryLayer, RetryPolicy};
use magicbell_middleware::{Body, BoxError, Safety};
use tower::{ServiceBuilder, ServiceExt as _, service_fn};

use crate::support::list;

const THREADS: u32 = 8;
const TIMES: u32 = 100_000;

/// Does `work` on each of the threads at once, and adds up what they return.
fn together(work: impl Fn() -> u32 + Sync) -> u32 {
    let barrier = std::sync::Barrier::new(THREADS as usize);
    thread::scope(|scope| {
        let threads = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    work()
                })
            })
            .collect::<Vec<_>>();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

fn withdrawals(budget: &RetryBudget) -> u32 {
    (0..).take_while(|_| budget.withdraw()).count() as u32
}

#[test]
fn no_payment_into_a_budget_is_lost() {
    let budget = RetryBudget::new(THREADS * TIMES);
    withdrawals(&budget);
    together(|| {
        (0..TIMES).for_each(|_| budget.deposit());
        0
    });
    assert_eq!(withdrawals(&budget), THREADS * TIMES / 10);
}

#[test]
fn nothing_is_taken_out_of_a_budget_twice() {
    let budget = RetryBudget::new(TIMES);
    assert_eq!(together(|| withdrawals(&budget)), TIMES);
}

#[test]
fn what_is_taken_out_while_others_pay_in_adds_up() {
    let budget = RetryBudget::new(2 * THREADS * TIMES);
    withdrawals(&budget);
    let taken = together(|| {
        (0..TIMES)
            .map(|_| {
                budget.deposit();
                u32::from(budget.withdraw())
            })
            .sum()
    });
    assert_eq!(taken + withdrawals(&budget), THREADS * TIMES / 10);
}

#[test]
fn a_budget_is_never_overfilled() {
    let budget = RetryBudget::new(3);
    together(|| {
        (0..TIMES).for_each(|_| budget.deposit());
        0
    });
    assert_eq!(withdrawals(&budget), 3);
}

#[test]
fn of_pauses_that_begin_together_the_longest_holds() {
    for _ in 0..200 {
        let pace = Pace::unlimited();
        // The longest first, so that each of the others could cut it short.
        let next = AtomicU32::new(THREADS);
        together(|| {
            pace.pause(Duration::from_secs(60 * u64::from(next.fetch_sub(1, Ordering::Relaxed))));
            0
        });
        let left = pace.paused_for(Safety::Safe).unwrap();
        assert!(left > Duration::from_secs(60 * (u64::from(THREADS) - 1)), "{left:?}");
    }
}

#[test]
fn clones_on_many_threads_send_what_they_may_and_no_more() {
    const CALLS: u32 = 500;
    let sent = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&sent);
    let policy = RetryPolicy::builder()
        .budget(RetryBudget::new(100))
        .backoff(Backoff::new(Duration::ZERO, Duration::ZERO))
        .build();
    let service = ServiceBuilder::new().layer(RetryLayer::new(policy)).service(service_fn(move |_: Request<Body>| {
        counter.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Response::builder().status(503).body(Body::empty()).map_err(BoxError::from))
    }));
    together(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        for _ in 0..CALLS {
            runtime.block_on(service.clone().oneshot(list())).unwrap();
        }
        0
    });
    assert_eq!(sent.load(Ordering::Relaxed), THREADS * CALLS + 100);
}

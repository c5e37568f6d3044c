//! The thread that drives sockets and timers, and what waits for a future on another.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread, ThreadId};

use futures_util::task::AtomicWaker;
use tokio::runtime::{Builder, Handle};

use crate::error::Error;

/// More than tokio lets a task do before it has to let others go on.
const MORE_THAN_A_BUDGET: usize = 1_024;

/// A thread with a runtime. It ends when this is dropped, and nobody waits for that.
#[derive(Debug)]
pub(super) struct Driver {
    handle: Handle,
    thread: ThreadId,
    process: u32,
    end: Arc<End>,
}

#[derive(Debug, Default)]
struct End {
    is_wanted: AtomicBool,
    waker: AtomicWaker,
}

impl Driver {
    pub(super) fn start() -> Result<Self, Error> {
        let failed = |error| Error::configuration(format!("the blocking client's thread can't be started: {error}"));
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let handle = runtime.handle().clone();
        let end = Arc::new(End::default());
        let wanted = Arc::clone(&end);
        // The runtime is dropped there too: where it drives nothing, that may block.
        let driving = move || runtime.block_on(wanted.wanted());
        let thread = thread::Builder::new().name("magicbell".into()).spawn(driving).map_err(failed)?.thread().id();
        Ok(Self { handle, thread, process: std::process::id(), end })
    }

    /// Polls a future on this thread until it is ready; what it begins is driven by the other one.
    pub(super) fn wait<F: Future>(&self, future: F) -> Result<F::Output, Error> {
        self.check()?;
        let _context = self.handle.enter();
        Ok(block_on(future))
    }

    /// Fails where a call could wait for itself.
    fn check(&self) -> Result<(), Error> {
        if std::process::id() != self.process {
            return Err(Error::configuration(
                "the process was forked since the blocking client was made: make another",
            ));
        }
        if thread::current().id() == self.thread || is_async() {
            return Err(Error::configuration(
                "a blocking call in async code would stop what it waits for: use the async client, or spawn_blocking",
            ));
        }
        Ok(())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.end.is_wanted.store(true, Ordering::Release);
        self.end.waker.wake();
    }
}

impl End {
    async fn wanted(&self) {
        poll_fn(|cx| {
            // Registered first: an end that is wanted between the two is seen, or wakes.
            self.waker.register(cx.waker());
            if self.is_wanted.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// Says whether this thread is polling a tokio task, or what a runtime's `block_on` was given. Where blocking is allowed, in
/// `spawn_blocking` and `block_in_place`, it isn't.
///
/// tokio doesn't tell, but for panics. What it polls has a budget, though, and what may block has none; so the budget is used up,
/// if there is one, and the task that has one lets others go on a little sooner than it would have.
fn is_async() -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    let mut is_used_up = || pin!(tokio::task::coop::consume_budget()).poll(&mut cx).is_pending();
    Handle::try_current().is_ok() && (0..MORE_THAN_A_BUDGET).any(|_| is_used_up())
}

/// Wakes a thread.
struct Parked {
    thread: Thread,
    is_woken: AtomicBool,
}

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_woken.swap(true, Ordering::AcqRel) {
            self.thread.unpark();
        }
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let parked = Arc::new(Parked { thread: thread::current(), is_woken: AtomicBool::new(false) });
    let waker = Waker::from(Arc::clone(&parked));
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        // A token that somebody else left ends a `park` early, and one that was meant for this may have been taken.
        while !parked.is_woken.swap(false, Ordering::AcqRel) {
            thread::park();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn where_blocking_is_allowed_it_is_not_async() {
        assert!(!is_async());
        for mut builder in [Builder::new_current_thread(), Builder::new_multi_thread()] {
            let runtime = builder.enable_all().build().unwrap();
            {
                let _context = runtime.enter();
                assert!(!is_async(), "a context alone polls nothing");
            }
            assert!(runtime.block_on(async { is_async() }));
            assert!(runtime.block_on(async { is_async() }), "also once more");
            assert!(runtime.block_on(runtime.spawn(async { is_async() })).unwrap());
            assert!(!runtime.block_on(runtime.spawn_blocking(is_async)).unwrap());
            assert!(tokio::task::LocalSet::new().block_on(&runtime, async { is_async() }));
        }
        let runtime = Builder::new_multi_thread().build().unwrap();
        let in_place = runtime.spawn(async { (tokio::task::block_in_place(is_async), is_async()) });
        assert_eq!(runtime.block_on(in_place).unwrap(), (false, true));
    }

    #[test]
    fn its_own_thread_is_async_and_another_process_is_refused() {
        let driver = Driver::start().unwrap();
        assert_eq!(driver.wait(async { 7 }).unwrap(), 7);
        assert!(driver.wait(driver.handle.spawn(async { is_async() })).unwrap().unwrap());
        let mut forked = Driver::start().unwrap();
        forked.process = forked.process.wrapping_add(1);
        assert!(forked.wait(async {}).unwrap_err().to_string().contains("forked"));
    }

    #[test]
    fn a_timer_fires_on_whichever_thread_waits() {
        let driver = Driver::start().unwrap();
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| driver.wait(async { tokio::time::sleep(Duration::from_millis(5)).await }).unwrap());
            }
        });
    }

    #[test]
    fn a_wait_within_a_wait_ends() {
        let driver = Driver::start().unwrap();
        let nested = driver.wait(async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            driver.wait(async { tokio::time::sleep(Duration::from_millis(1)).await }).unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
        });
        nested.unwrap();
    }

    #[test]
    fn the_thread_ends_with_its_driver() {
        let driver = Driver::start().unwrap();
        let end = Arc::downgrade(&driver.end);
        // A task that never ends, and is dropped with the runtime.
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        driver.handle.spawn(async move {
            std::future::pending::<()>().await;
            drop(sender);
        });
        drop(driver);
        assert!(receiver.recv().is_err());
        while end.strong_count() > 0 {
            thread::yield_now();
        }
    }

    #[test]
    fn a_driver_may_be_dropped_on_its_own_thread_and_in_async_code() {
        let driver = Arc::new(Driver::start().unwrap());
        let (dropped, receiver) = std::sync::mpsc::channel();
        let own = Arc::clone(&driver);
        driver.handle.spawn(async move {
            while Arc::strong_count(&own) > 1 {
                tokio::task::yield_now().await;
            }
            drop(own);
            dropped.send(()).unwrap();
        });
        drop(driver);
        receiver.recv().unwrap();
        Builder::new_current_thread().build().unwrap().block_on(async { drop(Driver::start().unwrap()) });
    }
}

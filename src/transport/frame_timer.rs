//! hyper's timer, for its HTTP/2 connections: it looks at the clock a few times an interval, not with each frame.
//!
//! To find out whether a connection was silent for seconds, hyper asks for the time with every frame that arrives, two or three
//! times a request: some 80 ns, 2 % of a request's CPU time. While a connection waits for the end of its interval, the time is
//! that of the wait's last look; silence is then noticed up to a quarter of the interval early, never late. Where the runtime of those
//! who wait isn't driven, it is noticed earlier still, which costs a ping.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};
use pin_project_lite::pin_project;

/// A timer whose clock is looked at once a tick, as long as somebody waits for it.
#[derive(Debug, Clone)]
pub(super) struct FrameTimer(Arc<Clock>);

#[derive(Debug)]
struct Clock {
    start: Instant,
    tick: Duration,
    /// Nanoseconds from `start` to the last look.
    looked_at: AtomicU64,
    /// How many wait, and look at the clock meanwhile.
    waiting: AtomicUsize,
}

impl FrameTimer {
    /// Makes a timer whose waits look at the clock that often.
    pub(super) fn new(tick: Duration) -> Self {
        let (looked_at, waiting) = (AtomicU64::new(0), AtomicUsize::new(0));
        Self(Arc::new(Clock { start: look(), tick, looked_at, waiting }))
    }
}

impl Timer for FrameTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(look() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let inner = tokio::time::sleep_until(deadline.into());
        Box::pin(Wait { inner, deadline, counted: None, clock: Arc::clone(&self.0) })
    }

    fn now(&self) -> Instant {
        self.0.now()
    }

    fn reset(&self, sleep: &mut Pin<Box<dyn Sleep>>, deadline: Instant) {
        match sleep.as_mut().downcast_mut_pin::<Wait>() {
            Some(wait) => wait.reset(deadline),
            None => *sleep = self.sleep_until(deadline),
        }
    }
}

impl Clock {
    fn now(&self) -> Instant {
        match self.waiting.load(Ordering::Acquire) {
            0 => look(),
            _ => self.start + Duration::from_nanos(self.looked_at.load(Ordering::Relaxed)),
        }
    }

    /// Looks at the clock, for all who ask until the next look.
    fn look_for_all(&self) -> Instant {
        let now = look();
        let since = now.saturating_duration_since(self.start).as_nanos();
        // Never back: of two threads that look at once, either may be the last to say what it saw.
        self.looked_at.fetch_max(u64::try_from(since).unwrap_or(u64::MAX), Ordering::Relaxed);
        now
    }
}

/// tokio's clock, which a test may have paused.
fn look() -> Instant {
    tokio::time::Instant::now().into_std()
}

pin_project! {
    struct Wait {
        #[pin]
        inner: tokio::time::Sleep,
        deadline: Instant,
        // As one who looks at the clock, while it waits.
        counted: Option<Counted>,
        clock: Arc<Clock>,
    }
}

impl Wait {
    fn reset(self: Pin<&mut Self>, deadline: Instant) {
        let this = self.project();
        *this.deadline = deadline;
        // The next poll begins with a look.
        *this.counted = None;
        this.inner.reset(deadline.into());
    }
}

impl Future for Wait {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        loop {
            if this.counted.is_some() {
                ready!(this.inner.as_mut().poll(cx));
            }
            let now = this.clock.look_for_all();
            if now >= *this.deadline {
                *this.counted = None;
                return Poll::Ready(());
            }
            this.counted.get_or_insert_with(|| Counted::new(this.clock));
            this.inner.as_mut().reset((*this.deadline).min(now + this.clock.tick).into());
        }
    }
}

impl Sleep for Wait {}

#[derive(Debug)]
struct Counted(Arc<Clock>);

impl Counted {
    fn new(clock: &Arc<Clock>) -> Self {
        // After the look that goes with it.
        clock.waiting.fetch_add(1, Ordering::Release);
        Self(Arc::clone(clock))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;
    use tokio_test::{assert_pending, assert_ready, task};

    use super::*;

    const TICK: Duration = Duration::from_secs(1);

    /// What has passed since then, with room for tokio's rounding up to milliseconds.
    fn secs_since(then: Instant, now: Instant) -> f64 {
        (now.duration_since(then).as_secs_f64() * 10.0).round() / 10.0
    }

    async fn advance_secs(secs: f64) {
        advance(Duration::from_secs_f64(secs) + Duration::from_millis(2)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn while_somebody_waits_the_time_is_that_of_the_waits_last_look() {
        let (timer, start) = (FrameTimer::new(TICK), look());
        advance_secs(7.0).await;
        assert_eq!(secs_since(start, timer.now()), 7.0, "nobody waits, so it is looked at");

        let mut wait = task::spawn(timer.sleep(4 * TICK));
        assert_pending!(wait.poll());
        advance_secs(0.9).await;
        assert_pending!(wait.poll());
        assert_eq!(secs_since(start, timer.now()), 7.0);
        advance_secs(0.2).await;
        assert!(wait.is_woken(), "for the next look");
        assert_pending!(wait.poll());
        assert_eq!(secs_since(start, timer.now()), 8.1);

        drop(wait);
        advance_secs(0.5).await;
        assert_eq!(secs_since(start, timer.now()), 8.6, "nobody waits any more");
    }

    #[tokio::test(start_paused = true)]
    async fn it_fires_at_its_time_and_stays_so() {
        let (timer, start) = (FrameTimer::new(TICK), look());
        let mut wait = task::spawn(timer.sleep(Duration::from_millis(2_500)));
        for _ in 0..8 {
            assert_pending!(wait.poll());
            advance_secs(0.3).await;
        }
        assert_pending!(wait.poll());
        advance_secs(0.1).await;
        assert_ready!(wait.poll());
        assert_eq!(secs_since(start, timer.now()), 2.5);
        advance_secs(60.0).await;
        assert_ready!(wait.poll());
        assert_eq!(secs_since(start, timer.now()), 62.5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_is_reset_fires_at_its_new_time() {
        let timer = FrameTimer::new(TICK);
        let mut wait = timer.sleep(2 * TICK);
        assert_pending!(task::spawn(wait.as_mut()).poll());
        timer.reset(&mut wait, timer.now() + 4 * TICK);
        for _ in 0..3 {
            assert_pending!(task::spawn(wait.as_mut()).poll());
            advance_secs(1.0).await;
        }
        assert_pending!(task::spawn(wait.as_mut()).poll());
        advance_secs(1.0).await;
        assert_ready!(task::spawn(wait.as_mut()).poll());

        // Also after it has fired, and back in time.
        timer.reset(&mut wait, timer.now() + TICK);
        assert_pending!(task::spawn(wait.as_mut()).poll());
        timer.reset(&mut wait, timer.now());
        assert_ready!(task::spawn(wait.as_mut()).poll());
    }

    #[tokio::test(start_paused = true)]
    async fn of_several_who_wait_any_looks_for_all() {
        let (timer, start) = (FrameTimer::new(TICK), look());
        let mut first = task::spawn(timer.sleep(60 * TICK));
        assert_pending!(first.poll());
        advance_secs(10.0).await;
        assert_eq!(secs_since(start, timer.now()), 0.0);
        let mut second = task::spawn(timer.sleep(60 * TICK));
        assert_pending!(second.poll());
        assert_eq!(secs_since(start, timer.now()), 10.0);
        drop(second);
        advance_secs(1.0).await;
        assert_eq!(secs_since(start, timer.now()), 10.0, "the first still waits");
    }
}

//! The time that an answer has to arrive.

use std::task::{Context, Poll};
use std::time::Duration;

use crate::BoxError;

/// The time that an answer has to arrive. No timer is armed before the head is there and the body has to be waited for.
#[derive(Debug, Default)]
pub(super) struct Limit {
    #[cfg(feature = "timeout")]
    end: Option<End>,
    #[cfg(feature = "timeout")]
    timer: Option<std::pin::Pin<Box<tokio::time::Sleep>>>,
}

/// When the time is up, and how that is told.
#[cfg(feature = "timeout")]
#[derive(Debug, Clone, Copy)]
struct End {
    at: tokio::time::Instant,
    error: crate::timeout::TimeoutError,
}

#[cfg(feature = "timeout")]
impl Limit {
    /// Notes that the answer has to be waited for: its time is counted from the first wait, and ends with the call's at the latest.
    pub(super) fn begin(&mut self, timeout: Option<Duration>) {
        use crate::clock::{CallTime, call_time, now};
        use crate::timeout::{Limit, TimeoutError};

        if self.end.is_some() {
            return;
        }
        let attempts = timeout.and_then(|timeout| {
            Some(End { at: now().checked_add(timeout)?, error: TimeoutError::new(Limit::Attempt, timeout) })
        });
        let calls = call_time().map(|CallTime { start, deadline }| {
            let after = deadline.saturating_duration_since(start);
            End { at: deadline, error: TimeoutError::new(Limit::Operation, after) }
        });
        self.end = attempts.into_iter().chain(calls).min_by_key(|end| end.at);
    }

    /// Ready with an error once the time is up.
    pub(super) fn poll(&mut self, timeout: Option<Duration>, cx: &mut Context<'_>) -> Poll<BoxError> {
        self.begin(timeout);
        let Some(End { at, error }) = self.end else { return Poll::Pending };
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        // What stands around this may have the same limit, and a timer of its own, which may be told first.
        match timer.as_mut().poll(cx) {
            Poll::Pending if tokio::time::Instant::now() < at => Poll::Pending,
            _ => Poll::Ready(error.into()),
        }
    }
}

#[cfg(not(feature = "timeout"))]
impl Limit {
    pub(super) fn begin(&mut self, _: Option<Duration>) {}

    pub(super) fn poll(&mut self, _: Option<Duration>, _: &mut Context<'_>) -> Poll<BoxError> {
        Poll::Pending
    }
}

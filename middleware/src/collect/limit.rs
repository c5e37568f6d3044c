//! The time that an answer has to arrive.

use std::task::{Context, Poll};
use std::time::Duration;

use crate::BoxError;

/// The time that an answer has to arrive. No timer is armed before the head is there and the body has to be waited for.
#[derive(Debug, Default)]
pub(super) struct Limit {
    #[cfg(feature = "timeout")]
    start: Option<tokio::time::Instant>,
    #[cfg(feature = "timeout")]
    timer: Option<std::pin::Pin<Box<tokio::time::Sleep>>>,
}

impl Limit {
    /// Notes that the answer has to be waited for: its time is counted from the first wait.
    pub(super) fn begin(&mut self, timeout: Option<Duration>) {
        #[cfg(feature = "timeout")]
        if timeout.is_some() && self.start.is_none() {
            self.start = Some(crate::clock::now());
        }
        #[cfg(not(feature = "timeout"))]
        let _ = timeout;
    }

    /// Ready with an error once the time is up.
    #[cfg(feature = "timeout")]
    pub(super) fn poll(&mut self, timeout: Option<Duration>, cx: &mut Context<'_>) -> Poll<BoxError> {
        use crate::timeout::TimeoutError;

        self.begin(timeout);
        let (Some(timeout), Some(start)) = (timeout, self.start) else { return Poll::Pending };
        let Some(deadline) = start.checked_add(timeout) else { return Poll::Pending };
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        timer.as_mut().poll(cx).map(|()| TimeoutError::new(crate::timeout::Limit::Attempt, timeout).into())
    }

    #[cfg(not(feature = "timeout"))]
    pub(super) fn poll(&mut self, timeout: Option<Duration>, _: &mut Context<'_>) -> Poll<BoxError> {
        self.begin(timeout);
        Poll::Pending
    }
}

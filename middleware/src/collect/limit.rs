//! The time that an answer has to arrive.

use std::task::{Context, Poll};
use std::time::Duration;

#[cfg(feature = "timeout")]
use tokio::time::Instant;

use crate::BoxError;
#[cfg(feature = "timeout")]
use crate::clock::{self, CallTime};
#[cfg(feature = "timeout")]
use crate::timeout::TimeoutError;

/// The time that an answer has to arrive. No timer is armed before the head is there and the body has to be waited for.
#[derive(Debug, Default)]
pub(super) struct Limit {
    #[cfg(feature = "timeout")]
    end: Option<End>,
    #[cfg(feature = "timeout")]
    timer: Option<std::pin::Pin<Box<tokio::time::Sleep>>>,
}

/// When the time is up.
#[cfg(feature = "timeout")]
#[derive(Debug)]
enum End {
    Attempt(Instant),
    // In a box, since a call's time is seldom up before an attempt's, and each call would carry its room about.
    Call(Box<CallTime>),
}

#[cfg(feature = "timeout")]
impl Limit {
    /// Notes that the answer has to be waited for: its time is counted from the first wait, and ends with the call's at the latest.
    pub(super) fn begin(&mut self, timeout: Option<Duration>) {
        if self.end.is_some() {
            return;
        }
        let end = timeout.and_then(|timeout| clock::now().checked_add(timeout));
        let call = clock::call_time().filter(|call| end.is_none_or(|end| call.deadline < end));
        self.end = call.map(|call| End::Call(Box::new(call))).or(end.map(End::Attempt));
    }

    /// Ready with an error once the time is up.
    pub(super) fn poll(&mut self, timeout: Option<Duration>, cx: &mut Context<'_>) -> Poll<BoxError> {
        use crate::timeout::Limit;

        self.begin(timeout);
        let (at, limit, after) = match &self.end {
            None => return Poll::Pending,
            Some(End::Attempt(at)) => (*at, Limit::Attempt, timeout.unwrap_or_default()),
            Some(End::Call(call)) => (call.deadline, Limit::Operation, call.length()),
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        // What stands around this may have the same limit, and a timer of its own, which may be told first.
        match timer.as_mut().poll(cx) {
            Poll::Pending if Instant::now() < at => Poll::Pending,
            _ => Poll::Ready(TimeoutError::new(limit, after).into()),
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

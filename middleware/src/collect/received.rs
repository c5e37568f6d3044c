//! What arrives of a body.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};

use super::body_error::Failure;
use crate::BoxError;

/// What has arrived of a body: nothing is copied while it is one frame.
#[derive(Debug)]
pub(super) enum Received {
    One(Bytes),
    Many(BytesMut),
}

impl Default for Received {
    fn default() -> Self {
        Self::One(Bytes::new())
    }
}

impl Received {
    /// Collects up to `max` bytes. Where it is `worth_a_part`, what there is of a longer body is kept.
    pub(super) fn poll_collect<B>(
        &mut self,
        mut body: Pin<&mut B>,
        max: usize,
        worth_a_part: impl Fn() -> bool,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Failure>>
    where
        B: http_body::Body,
        B::Error: Into<BoxError>,
    {
        if self.len() == 0 && body.size_hint().lower() > max as u64 && !worth_a_part() {
            return Poll::Ready(Err(Failure::TooLarge { max }));
        }
        loop {
            match ready!(body.as_mut().poll_frame(cx)) {
                None => return Poll::Ready(Ok(())),
                Some(Err(error)) => return Poll::Ready(Err(Failure::Broken(error.into()))),
                Some(Ok(frame)) => {
                    if let Ok(mut data) = frame.into_data() {
                        let room = max - self.len();
                        if data.remaining() > room {
                            if worth_a_part() {
                                self.push(data.copy_to_bytes(room));
                            }
                            return Poll::Ready(Err(Failure::TooLarge { max }));
                        }
                        self.push(data.copy_to_bytes(data.remaining()));
                    }
                }
            }
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::One(first) => first.len(),
            Self::Many(all) => all.len(),
        }
    }

    fn push(&mut self, data: Bytes) {
        match self {
            Self::One(first) if first.is_empty() => *first = data,
            Self::One(first) => {
                let mut all = BytesMut::with_capacity(first.len() + data.len());
                all.extend_from_slice(first);
                all.extend_from_slice(&data);
                *self = Self::Many(all);
            }
            Self::Many(all) => all.extend_from_slice(&data),
        }
    }

    pub(super) fn into_bytes(self) -> Bytes {
        match self {
            Self::One(first) => first,
            Self::Many(all) => all.freeze(),
        }
    }
}

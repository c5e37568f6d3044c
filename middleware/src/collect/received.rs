//! What arrives of a body.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};

use super::body_error::Failure;
use crate::BoxError;

/// What has arrived of a body: nothing is copied while it is one frame.
#[derive(Debug, Default)]
pub(super) struct Received {
    first: Bytes,
    all: BytesMut,
}

impl Received {
    pub(super) fn poll_collect<B>(
        &mut self,
        mut body: Pin<&mut B>,
        max: usize,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Failure>>
    where
        B: http_body::Body,
        B::Error: Into<BoxError>,
    {
        if self.len() == 0 && body.size_hint().lower() > max as u64 {
            return Poll::Ready(Err(Failure::TooLarge { max }));
        }
        loop {
            match ready!(body.as_mut().poll_frame(cx)) {
                None => return Poll::Ready(Ok(())),
                Some(Err(error)) => return Poll::Ready(Err(Failure::Broken(error.into()))),
                Some(Ok(frame)) => {
                    if let Ok(mut data) = frame.into_data() {
                        if data.remaining() > max - self.len() {
                            return Poll::Ready(Err(Failure::TooLarge { max }));
                        }
                        self.push(data.copy_to_bytes(data.remaining()));
                    }
                }
            }
        }
    }

    fn len(&self) -> usize {
        self.first.len() + self.all.len()
    }

    fn push(&mut self, data: Bytes) {
        if self.len() == 0 {
            self.first = data;
            return;
        }
        if self.all.is_empty() {
            self.all.reserve(self.first.len() + data.len());
            self.all.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.all.extend_from_slice(&data);
    }

    pub(super) fn into_bytes(self) -> Bytes {
        if self.all.is_empty() { self.first } else { self.all.freeze() }
    }
}

//! The body of an answer, as it arrives.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use pin_project_lite::pin_project;

use super::without_the_servers_words;
use crate::error::TransportError;

pin_project! {
    /// The body of an answer. Its errors are the transport's own.
    #[derive(Debug)]
    pub(crate) struct ResponseBody {
        #[pin]
        inner: Incoming,
    }
}

impl ResponseBody {
    pub(super) fn new(inner: Incoming) -> Self {
        Self { inner }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        let told = |error| TransportError::new(false, without_the_servers_words(error));
        self.project().inner.poll_frame(cx).map_err(told)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

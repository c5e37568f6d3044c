//! A connection in a box.
//!
//! hyper has one type for the future of a connection and for those of its requests, and hyper-util one for a request that makes a
//! connection and for one that finds one: each request has room for a whole connection, TLS included, and moves it about. A box
//! makes that room a pointer's.

use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};

#[derive(Debug)]
pub(super) struct BoxConnection<C>(Box<C>);

impl<C> BoxConnection<C> {
    pub(super) fn new(connection: C) -> Self {
        Self(Box::new(connection))
    }
}

impl<C: Connection> Connection for BoxConnection<C> {
    /// Leaves out what a connector adds for those who ask: hyper-util would put a copy of it, here the two addresses, into the
    /// extensions of each answer, for four allocations.
    fn connected(&self) -> Connected {
        let connected = self.0.connected();
        let own = Connected::new().proxy(connected.is_proxied());
        if connected.is_negotiated_h2() { own.negotiated_h2() } else { own }
    }
}

impl<C: Read + Unpin> Read for BoxConnection<C> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<Result<()>> {
        Pin::new(&mut *self.0).poll_read(cx, buf)
    }
}

impl<C: Write + Unpin> Write for BoxConnection<C> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut *self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut *self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut *self.0).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut *self.0).poll_write_vectored(cx, bufs)
    }
}

//! What HTTP/2 met, without what the server said in its own words.

use std::error::Error;
use std::fmt;

use h2::Reason;
use magicbell_middleware::{BoxError, find_source};

/// An error of HTTP/2, told in words of our own.
///
/// h2's own shows the debug data of a GOAWAY in its Debug, which is the server's to write, an echo of the token included.
#[derive(Debug)]
pub(super) struct Http2Error {
    what: What,
    is_remote: bool,
    reason: Option<Reason>,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Stream,
    Connection,
    Other,
}

impl Http2Error {
    pub(super) fn new(error: &h2::Error) -> Self {
        let what = match error {
            _ if error.is_reset() => What::Stream,
            _ if error.is_go_away() => What::Connection,
            _ => What::Other,
        };
        Self { what, is_remote: error.is_remote(), reason: error.reason() }
    }
}

impl fmt::Display for Http2Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = if self.is_remote { "the server" } else { "the client" };
        match self.what {
            What::Stream => write!(f, "HTTP/2: {who} reset the stream")?,
            What::Connection => write!(f, "HTTP/2: {who} ended the connection")?,
            What::Other => f.write_str("HTTP/2 failed")?,
        }
        match self.reason {
            Some(reason) => write!(f, ": {}", reason.description()),
            None => Ok(()),
        }
    }
}

impl Error for Http2Error {}

/// Leaves out of an error of the connection what the server said in its own words.
pub(super) fn without_the_servers_words(error: impl Into<BoxError>) -> BoxError {
    let error = error.into();
    match find_source::<h2::Error>(&*error) {
        // An error of the socket's says nothing of the server's.
        Some(told) if !told.is_io() => Http2Error::new(told).into(),
        _ => error,
    }
}

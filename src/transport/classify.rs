//! What a failed attempt says of its request.

#[cfg(feature = "http2")]
use h2::Reason;
use hyper_util::client::legacy;
use magicbell_middleware::timeout::TimeoutError;
use magicbell_middleware::{AttemptError, find_source};

use super::without_the_servers_words;
use crate::error::{TlsError, TransportError};

/// Says what became of the request.
///
/// Only what proves that the server can't have seen it counts as not sent: no connection; hyper gave the request back unsent
/// (`is_canceled`); the server refused the stream (HTTP/2's `REFUSED_STREAM`, RFC 9113, section 8.7); the stream came after the
/// last one that the server's GOAWAY names (section 6.8).
pub(super) fn classify(error: legacy::Error) -> AttemptError {
    let is_connect = error.is_connect();
    let is_tls = is_connect && find_source::<rustls::Error>(&error).is_some();
    let is_unsent =
        find_source::<::hyper::Error>(&error).is_some_and(::hyper::Error::is_canceled) || is_unsent_stream(&error);
    let timeout = find_source::<TimeoutError>(&error).copied();
    let error = TransportError::new(is_connect, without_the_servers_words(error));
    match timeout {
        Some(timeout) if is_connect => AttemptError::not_sent(timeout),
        _ if is_tls => AttemptError::not_sent(TlsError(error)).permanent(),
        _ if is_connect || is_unsent => AttemptError::not_sent(error),
        _ => AttemptError::unknown(error),
    }
}

#[cfg(feature = "http2")]
fn is_unsent_stream(error: &legacy::Error) -> bool {
    find_source::<h2::Error>(error).is_some_and(|error| is_refused(error) || is_after_the_last(error))
}

#[cfg(not(feature = "http2"))]
fn is_unsent_stream(_: &legacy::Error) -> bool {
    false
}

#[cfg(feature = "http2")]
fn is_refused(error: &h2::Error) -> bool {
    error.is_remote() && error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM)
}

/// h2 puts a GOAWAY without an error on the streams after the last one that it names, and on no others: those that the server
/// has taken up go on, and end with the connection's own error if it closes.
#[cfg(feature = "http2")]
fn is_after_the_last(error: &h2::Error) -> bool {
    error.is_remote() && error.is_go_away() && error.reason() == Some(Reason::NO_ERROR)
}

//! What lies beneath an error, for it to be told by.

use std::error::Error;
use std::fmt;

use magicbell_middleware::BoxError;

/// An error of the connection, hyper's own beneath it.
#[derive(Debug)]
pub(crate) struct TransportError {
    is_connect: bool,
    source: BoxError,
}

impl TransportError {
    #[cfg(any(feature = "_transport", feature = "testing"))]
    pub(crate) fn new(is_connect: bool, source: impl Into<BoxError>) -> Self {
        Self { is_connect, source: source.into() }
    }

    /// Says whether no connection was made.
    pub(super) fn is_connect(&self) -> bool {
        self.is_connect
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_connect { "connecting failed" } else { "the connection failed" })
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

/// TLS refused the server, or the server refused TLS.
#[derive(Debug)]
pub(crate) struct TlsError(pub(crate) TransportError);

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TLS failed")
    }
}

impl Error for TlsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// The caller's credentials gave no token.
#[derive(Debug)]
pub(crate) struct CredentialsError(pub(crate) BoxError);

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the credentials gave no token")
    }
}

impl Error for CredentialsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

#[cfg(test)]
#[cfg(any(feature = "_transport", feature = "testing"))]
mod tests {
    use super::*;

    fn lines(error: &(dyn Error + 'static)) -> Vec<String> {
        std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| (*error).source())
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn each_says_what_failed_and_what_is_beneath() {
        let (connecting, connected) = (TransportError::new(true, "refused"), TransportError::new(false, "reset"));
        assert!(connecting.is_connect() && !connected.is_connect());
        assert_eq!(lines(&connecting), ["connecting failed", "refused"]);
        assert_eq!(lines(&connected), ["the connection failed", "reset"]);
        assert_eq!(lines(&TlsError(connecting)), ["TLS failed", "connecting failed", "refused"]);
        assert_eq!(lines(&CredentialsError("no vault".into())), ["the credentials gave no token", "no vault"]);
    }
}

//! The kinds of errors.

/// What kind of thing went wrong. Whether it is retried is the [policy](crate::RetryPolicy)'s to say, by the table in
/// [`magicbell_middleware::retry`]; each variant says what the default does.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{Error, ErrorKind, jwt::CreateUserJwt, testing::Server};
///
/// /// What a web service of your own answers.
/// fn status_for(error: &Error) -> u16 {
///     match error.kind() {
///         ErrorKind::InvalidRequest => 400,
///         ErrorKind::Timeout => 504,
///         _ => 502,
///     }
/// }
/// # let server = Server::start().await?;
/// let error = server.client().execute(CreateUserJwt::builder().expiry(0).build()).await.unwrap_err();
/// assert_eq!((status_for(&error), server.request_count()), (400, 0));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A client can't be built from these settings; or a blocking one is used where it can't wait, in async code or after a fork.
    /// Nothing was sent.
    Configuration,
    /// The request can't be sent as it is: an empty id, a name that is too long. Nothing was sent, nothing is retried.
    /// [`Error::invalid_request`](crate::Error::invalid_request) says which part of it, and why.
    InvalidRequest,
    /// The [`Credentials`](crate::Credentials) gave no token. The attempt was not sent; retried.
    Credentials,
    /// No connection was made: refused, no such host. The attempt was not sent; retried.
    Connect,
    /// TLS failed: a certificate that is expired, for another host, or from an unknown authority; no common version. The
    /// attempt was not sent. Never retried.
    Tls,
    /// A limit on time was reached: [`Error::timeout`](crate::Error::timeout) says which, and after what. Where it was that on
    /// credentials or on connecting, the attempt was not sent, and is retried; that of an attempt is retried unless the operation
    /// creates; that of the whole call ends it.
    Timeout,
    /// The connection failed after the request had been handed to it. Retried unless the operation creates.
    Transport,
    /// The request was held back, since its turn under the quota, or the end of a pause that the service asked for, would
    /// have come after the deadline. Not sent, or after an earlier attempt not sent again.
    HeldBack,
    /// The service answered with an error status, 4xx or 5xx. 429 is waited for and retried; 408, 500, 502, 503 and 504 are
    /// retried unless the operation creates; 401 once, where the credentials would be others; no other is, but a trusted
    /// creation's 409 that says 'in progress'.
    Api,
    /// A status that the API doesn't use: 1xx, a redirect (none is ever followed), or beyond 599. Never retried.
    UnexpectedStatus,
    /// The service answered with a success, and its body can't be read: broken off, over the cap, not JSON, not what was
    /// expected. A body that broke off, or that is a page of HTML, is retried unless the operation creates. [`Error::body`](crate::Error::body) has what
    /// arrived.
    Decode,
    /// The service answered with a success that speaks of something else than was asked for: another token's id. Whether the
    /// request was applied can't be told. Never retried.
    Unverified,
    /// A layer of the caller's failed with an error of its own. Retried unless the operation creates, if the layer is an
    /// attempt layer; wrap the error in an [`AttemptError`](crate::AttemptError) to say more.
    Layer,
}

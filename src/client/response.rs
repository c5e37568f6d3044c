//! A success, whole.

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use magicbell_middleware::{Attempt, Attempts, Body};

use super::headers::Names;
use crate::error::request_id;

/// A success: what was read from the answer, and the answer's status and headers.
///
/// Debug shows the headers' names, not their values.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{jwt::FetchProjectTokens, testing::{Fault, Server}};
///
/// let server = Server::start().await?;
/// server.fail_next(Fault::status(503));
///
/// // A success that took a second attempt shows nowhere else.
/// let response = server.client().request(FetchProjectTokens::builder().build()).send().await?;
/// let met = response.attempts().iter().filter_map(|attempt| attempt.status);
/// assert!(met.eq([503, 200].map(|status| http::StatusCode::from_u16(status).unwrap())));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Response<T> {
    status: StatusCode,
    headers: HeaderMap,
    attempts: Vec<Attempt>,
    elapsed: Duration,
    data: T,
}

impl<T> Response<T> {
    /// Takes what it is made of out of an answer.
    pub(super) fn new(answer: &mut http::Response<Body>, data: T, elapsed: Duration) -> Self {
        let status = answer.status();
        let attempts = answer.extensions_mut().remove::<Attempts>().map(|attempts| attempts.0);
        let attempts = attempts.unwrap_or_else(|| vec![Attempt::answered(status, elapsed)]);
        Self { status, headers: std::mem::take(answer.headers_mut()), attempts, elapsed, data }
    }

    /// Returns the status: 2xx.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the service's own id of the request, `x-request-id`, where it sent one.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        request_id(&self.headers)
    }

    /// Returns what each attempt met, the last one the success; none where a layer of the caller's answered itself. Where there was one alone, its time may be the whole call's, a
    /// wait for its turn included.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// Returns how long the call took, waits included.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Returns what was read from the answer.
    #[must_use]
    pub fn data(&self) -> &T {
        &self.data
    }

    /// Takes what was read from the answer.
    #[must_use]
    pub fn into_data(self) -> T {
        self.data
    }
}

impl<T: fmt::Debug> fmt::Debug for Response<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &Names(&self.headers))
            .field("attempts", &self.attempts)
            .field("elapsed", &self.elapsed)
            .field("data", &self.data)
            .finish()
    }
}

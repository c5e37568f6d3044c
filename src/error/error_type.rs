//! The one error type.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode};
use magicbell_middleware::timeout::{Limit, TimeoutError};
use magicbell_middleware::{Attempt, BoxError, Outcome, Safety};

use super::api_error::Envelope;
use super::{ApiError, DecodeError, ErrorKind, InvalidRequest};

/// Why a call failed, what is known of the request, and what each attempt met.
///
/// Neither Debug nor Display shows a header, a body or a token. Texts of the service are redacted, stripped of control
/// characters, and cut.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{ErrorKind, Outcome, jwt::DiscardUserJwt, testing::Server};
///
/// let server = Server::start().await?;
/// let error = server.client().execute(DiscardUserJwt::new("550e8400-e29b-41d4-a716-446655440000")).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Api);
/// assert_eq!(error.outcome(), Outcome::Answered);
/// assert!(error.is_not_found());
/// # Ok(())
/// # }
/// ```
pub struct Error(Box<Inner>);

pub(super) struct Inner {
    pub(super) kind: ErrorKind,
    pub(super) operation: Option<&'static str>,
    pub(super) safety: Safety,
    pub(super) outcome: Outcome,
    pub(super) message: Cow<'static, str>,
    pub(super) status: Option<StatusCode>,
    pub(super) headers: Option<HeaderMap>,
    pub(super) body: Option<Bytes>,
    pub(super) envelope: Envelope,
    /// In a box, since few errors have one.
    pub(super) invalid: Option<Box<InvalidRequest>>,
    pub(super) retry_after: Option<Duration>,
    pub(super) timeout: Option<TimeoutError>,
    pub(super) transient: bool,
    /// Whether a status arrived, and its body broke off.
    pub(super) is_body_lost: bool,
    pub(super) attempts: Vec<Attempt>,
    pub(super) elapsed: Duration,
    pub(super) source: Option<BoxError>,
}

impl Error {
    pub(super) fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            operation: None,
            safety: Safety::Safe,
            outcome: Outcome::NotSent,
            message: message.into(),
            status: None,
            headers: None,
            body: None,
            envelope: Envelope::default(),
            invalid: None,
            retry_after: None,
            timeout: None,
            transient: false,
            is_body_lost: false,
            attempts: Vec::new(),
            elapsed: Duration::ZERO,
            source: None,
        }))
    }

    /// Makes an error of a setting that can't be used. `message` must not hold a secret.
    pub(crate) fn configuration(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    /// Makes an error of a request that can't be sent as it is.
    pub(crate) fn invalid(operation: &'static str, invalid: InvalidRequest) -> Self {
        let mut error = Self::new(ErrorKind::InvalidRequest, format!("invalid request: {invalid}"));
        error.0.operation = Some(operation);
        error.0.invalid = Some(Box::new(invalid));
        error
    }

    /// Makes an error of one item of a list that had arrived.
    pub(crate) fn item(operation: &'static str, error: DecodeError) -> Self {
        let mut item = Self::new(ErrorKind::Decode, format!("an item of the list can't be read: {error}"));
        item.0.operation = Some(operation);
        item.0.outcome = Outcome::Answered;
        item
    }

    pub(crate) fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.0
    }

    pub(super) fn inner_mut(&mut self) -> &mut Inner {
        &mut self.0
    }

    /// Returns what kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns what is known of the request: may the server have applied it?
    ///
    /// It is [`Outcome::Unknown`] as soon as one of the attempts is, and where an earlier one
    /// [may have been applied](Attempt::may_have_been_applied), whatever status the last one got.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }

    /// Returns the name of the operation; `None` where there was none yet.
    #[must_use]
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// Says whether a limit on time was reached: on credentials, on connecting, on an attempt, or on the whole call. Where a status
    /// had arrived by then, and its body hadn't, the kind is the status's.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.0.timeout.is_some()
    }

    /// Returns which limit on time was reached, and after what; `None` where none was.
    #[must_use]
    pub fn timeout(&self) -> Option<(Limit, Duration)> {
        self.0.timeout.map(|timeout| (timeout.limit(), timeout.after()))
    }

    /// Says whether no connection was made: refused, no such host, TLS, or not in time.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Connect | ErrorKind::Tls)
            || matches!(self.timeout(), Some((Limit::Connect, _)))
    }

    /// Says whether the service, or the client's own pace, wants fewer requests: 429, or held back.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.has_status(StatusCode::TOO_MANY_REQUESTS) || self.0.kind == ErrorKind::HeldBack
    }

    /// Says whether the service refused the credentials: 401.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.has_status(StatusCode::UNAUTHORIZED)
    }

    /// Says whether the answer was 404. Only with [`has_api_envelope`](Self::has_api_envelope) did the API itself say so: a
    /// proxy, or a wrong base URL, answers 404 too.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.has_status(StatusCode::NOT_FOUND)
    }

    /// Says whether making the call again may succeed and can't do its work twice: what was wrong may pass, and the request
    /// was not sent, or is safe or idempotent.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        let may_have_been = self.0.attempts.iter().any(Attempt::may_have_been_applied);
        let is_harmless = self.0.outcome != Outcome::Unknown && !may_have_been;
        self.0.transient && (self.0.safety != Safety::NonIdempotent || is_harmless)
    }

    /// Returns the status, where one arrived.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// Returns the response's headers, where they arrived.
    #[must_use]
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.0.headers.as_ref()
    }

    /// Returns the service's own id of the request, `x-request-id`, where it sent one.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        request_id(self.headers()?)
    }

    /// Returns how long the service asks to wait, or how long the request would have been held back.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns what the API says is wrong, entry by entry; empty where the body wasn't the API's.
    #[must_use]
    pub fn api_errors(&self) -> &[ApiError] {
        &self.0.envelope.errors
    }

    /// Returns which part of the request can't be sent, and why, where that is what went wrong.
    ///
    /// A form can mark the field, as it does for those that the service [complains of](Self::api_errors):
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use magicbell::{jwt::CreateUserJwt, testing::Server};
    ///
    /// let server = Server::start().await?;
    /// let error = server.client().execute(CreateUserJwt::builder().expiry(0).build()).await.unwrap_err();
    /// let invalid = error.invalid_request().expect("nothing is sent");
    /// assert_eq!((invalid.field(), invalid.reason()), ("expiry", "it must be at least 1 second"));
    /// # assert_eq!(server.request_count(), 0);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn invalid_request(&self) -> Option<&InvalidRequest> {
        self.0.invalid.as_deref()
    }

    /// Says whether the answer came in the API's own error envelope, and so from the API and not from something in front.
    #[must_use]
    pub fn has_api_envelope(&self) -> bool {
        self.0.envelope.is_the_apis
    }

    /// Returns what each attempt met, the first one first; none where nothing was attempted.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.0.attempts
    }

    /// Returns how long the call took, waits included.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// Returns the raw body, where one arrived, or the part of it that did.
    ///
    /// It is there for the one case where it matters: a token that was created, in an answer that can't be read. It may hold a
    /// live credential, so it doesn't belong in a log.
    #[must_use]
    pub fn body(&self) -> Option<&Bytes> {
        self.0.body.as_ref()
    }

    /// Says whether a status arrived, and its body broke off.
    pub(crate) fn is_body_lost(&self) -> bool {
        self.0.is_body_lost
    }

    fn has_status(&self, status: StatusCode) -> bool {
        self.0.status == Some(status)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("operation", &self.0.operation)
            .field("outcome", &self.0.outcome)
            .field("status", &self.0.status)
            .field("message", &self.0.message)
            .field("api_errors", &self.0.envelope.errors)
            .field("attempts", &self.0.attempts)
            .field("elapsed", &self.0.elapsed)
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// The header in which the service names its own id of a request.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Returns a response's `x-request-id`.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<&str> {
    headers.get(REQUEST_ID)?.to_str().ok()
}

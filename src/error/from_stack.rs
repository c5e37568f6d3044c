//! Makes errors of what the stack returned.

use std::borrow::Cow;
use std::error::Error as _;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use magicbell_middleware::collect::ResponseBodyError;
use magicbell_middleware::pace::HeldBack;
use magicbell_middleware::retry::{RetryError, retry_after};
use magicbell_middleware::timeout::TimeoutError;
use magicbell_middleware::{Attempt, AttemptError, Attempts, Body, BoxError, Outcome, Safety, own_sources};

use super::api_error::is_no_answer;
use super::{CredentialsError, DecodeError, Error, ErrorKind, Redactor, TlsError, TransportError, api_error};

/// The longest excerpt of a body that isn't the API's, in bytes.
const MAX_EXCERPT: usize = 256;

/// How many of the errors that the API tells are in a message.
const MAX_ENTRIES: usize = 3;

/// What is known of a call when it fails.
#[derive(Debug)]
pub(crate) struct Failure<'a> {
    pub(crate) operation: &'static str,
    pub(crate) safety: Safety,
    pub(crate) elapsed: Duration,
    pub(crate) redactor: &'a Redactor,
    /// The record of the attempts, where something outside of retry kept one.
    pub(crate) record: Option<Vec<Attempt>>,
}

impl Failure<'_> {
    /// Makes an error of an error of the stack: there was no whole answer.
    pub(crate) fn without_answer(self, error: BoxError) -> Error {
        let (attempts, outcome) = self.attempts(&*error);
        let mut failed = match Story::of(&*error) {
            Story::Lost(lost) => {
                self.with_answer(lost.status(), lost.headers().clone(), lost.received().clone(), Some(lost))
            }
            story => story.into_error(),
        };
        let is_transient = own_sources(&*error).find_map(|error| error.downcast_ref().map(AttemptError::is_transient));
        let inner = failed.inner_mut();
        inner.transient = is_transient.unwrap_or(inner.transient);
        inner.outcome = outcome;
        if inner.kind == ErrorKind::HeldBack && !attempts.is_empty() {
            inner.message = "not sent again".into();
        }
        inner.attempts = attempts;
        self.describe(&mut failed);
        match what_is_left_to_say(error) {
            // Its message has said it all.
            _ if failed.kind() == ErrorKind::Timeout => failed,
            Some(source) => failed.with_source(source),
            None => failed,
        }
    }

    /// Makes an error of an answer whose status isn't a success.
    pub(crate) fn by_status(self, response: http::Response<Body>) -> Error {
        let (mut parts, body) = response.into_parts();
        let attempts = parts.extensions.remove::<Attempts>().map(|attempts| attempts.0);
        let attempts = attempts.unwrap_or_else(|| vec![Attempt::answered(parts.status, self.elapsed)]);
        let mut failed = self.with_answer(parts.status, parts.headers, body.into_bytes(), None);
        failed.inner_mut().outcome = Outcome::after(&attempts);
        failed.inner_mut().attempts = attempts;
        self.describe(&mut failed);
        failed
    }

    /// Makes an error of a success whose body can't be read, or speaks of something else.
    pub(crate) fn unreadable(self, response: http::Response<Body>, error: DecodeError) -> Error {
        let kind = if error.is_unverified() { ErrorKind::Unverified } else { ErrorKind::Decode };
        let is_no_answer = is_no_answer(response.body().as_bytes());
        let mut failed = self.by_status(response);
        failed.inner_mut().kind = kind;
        // What the client itself would have sent again.
        failed.inner_mut().transient = is_no_answer;
        let problem = if error.is_unverified() { "can't be trusted" } else { "can't be read" };
        failed.inner_mut().message = format!("the answer {problem}: {error}").into();
        if error.is_unverified() {
            failed.inner_mut().outcome = Outcome::Unknown;
        }
        failed
    }

    fn describe(&self, failed: &mut Error) {
        let inner = failed.inner_mut();
        inner.operation = Some(self.operation);
        inner.safety = self.safety;
        inner.elapsed = self.elapsed;
    }

    fn attempts(&self, error: &(dyn std::error::Error + 'static)) -> (Vec<Attempt>, Outcome) {
        let retried = own_sources(error).find_map(|error| error.downcast_ref::<RetryError>());
        match (&self.record, retried) {
            (Some(record), _) => (record.clone(), Outcome::after(record)),
            (None, Some(retried)) => (retried.attempts().to_vec(), retried.outcome()),
            (None, None) => (Vec::new(), Outcome::of(error)),
        }
    }

    fn with_answer(
        &self,
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
        lost: Option<&ResponseBodyError>,
    ) -> Error {
        let envelope = if status.is_success() { Default::default() } else { api_error::parse(&body, self.redactor) };
        let is_error = status.is_client_error() || status.is_server_error();
        let (kind, message) = match lost {
            Some(lost) if status.is_success() => (ErrorKind::Decode, lost.to_string().into()),
            _ if is_error => (ErrorKind::Api, self.error_message(&envelope, &body)),
            _ => (ErrorKind::UnexpectedStatus, "the API doesn't use this status".into()),
        };
        let mut failed = Error::new(kind, message);
        let inner = failed.inner_mut();
        inner.transient = match status.as_u16() {
            408 | 429 | 500 | 502 | 503 | 504 => true,
            _ => status.is_success() && lost.is_some_and(|lost| !lost.is_too_large()),
        };
        inner.is_body_lost = lost.is_some();
        inner.timeout = lost.and_then(|lost| lost.source()?.downcast_ref().copied());
        inner.status = Some(status);
        inner.retry_after = retry_after(&headers);
        inner.headers = Some(headers);
        inner.body = Some(body);
        inner.envelope = envelope;
        failed
    }

    fn error_message(&self, envelope: &api_error::Envelope, body: &[u8]) -> Cow<'static, str> {
        let texts = envelope.errors.iter().map(|error| match (&error.code, &*error.message) {
            (Some(code), "") => code.clone(),
            (Some(code), message) => format!("{code}: {message}"),
            (None, message) => message.to_owned(),
        });
        let texts = texts.filter(|text| !text.is_empty()).collect::<Vec<_>>();
        match texts.iter().take(MAX_ENTRIES).map(String::as_str).collect::<Vec<_>>().join("; ") {
            text if !text.is_empty() && texts.len() > MAX_ENTRIES => {
                format!("{text}; and {} more", texts.len() - MAX_ENTRIES).into()
            }
            text if !text.is_empty() => text.into(),
            _ if envelope.is_the_apis => "the API doesn't say why".into(),
            _ if body.is_empty() => "the answer is empty".into(),
            // No excerpt: in JSON's escapes a token could hide from the redaction.
            _ if body.trim_ascii_start().starts_with(b"{") || body.trim_ascii_start().starts_with(b"[") => {
                "the answer is not the API's: JSON of another kind".into()
            }
            _ => {
                let excerpt = self.redactor.clean(&String::from_utf8_lossy(body), MAX_EXCERPT);
                format!("the answer is not the API's: \"{}\"", escaped(&excerpt, MAX_EXCERPT)).into()
            }
        }
    }
}

/// Escapes text, up to so many bytes, and cuts no escape in two.
fn escaped(text: &str, max_bytes: usize) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        let length = escaped.len();
        escaped.extend(c.escape_debug());
        if escaped.len() > max_bytes {
            escaped.truncate(length);
            break;
        }
    }
    escaped
}

/// What went wrong, as the first error of a chain says that knows it.
enum Story<'a> {
    Lost(&'a ResponseBodyError),
    Timeout(TimeoutError),
    HeldBack(HeldBack),
    Told(ErrorKind, &'static str),
}

impl<'a> Story<'a> {
    fn of(error: &'a (dyn std::error::Error + 'static)) -> Self {
        let own = own_sources(error);
        let told = own.take_while(|error| !error.is::<Error>()).find_map(Self::told_by);
        told.unwrap_or(Self::Told(ErrorKind::Layer, "a layer or transport of the caller's failed"))
    }

    fn told_by(error: &'a (dyn std::error::Error + 'static)) -> Option<Self> {
        if let Some(lost) = error.downcast_ref() {
            return Some(Self::Lost(lost));
        }
        if let Some(timeout) = error.downcast_ref() {
            return Some(Self::Timeout(*timeout));
        }
        if let Some(held) = error.downcast_ref() {
            return Some(Self::HeldBack(*held));
        }
        if error.is::<CredentialsError>() {
            return Some(Self::Told(ErrorKind::Credentials, "not authorized, and so not sent"));
        }
        if error.is::<TlsError>() {
            return Some(Self::Told(ErrorKind::Tls, "no secure connection was made"));
        }
        error.downcast_ref().map(|transport: &TransportError| match transport.is_connect() {
            true => Self::Told(ErrorKind::Connect, "no connection was made"),
            false => Self::Told(ErrorKind::Transport, "no answer came"),
        })
    }

    fn into_error(self) -> Error {
        let (kind, message) = match &self {
            Self::Lost(lost) => (ErrorKind::Decode, lost.to_string().into()),
            Self::Timeout(timeout) => (ErrorKind::Timeout, timeout.to_string().into()),
            Self::HeldBack(_) => (ErrorKind::HeldBack, "not sent".into()),
            Self::Told(kind, message) => (*kind, Cow::Borrowed(*message)),
        };
        let mut failed = Error::new(kind, message);
        let inner = failed.inner_mut();
        inner.transient = true;
        match self {
            Self::Timeout(timeout) => inner.timeout = Some(timeout),
            Self::HeldBack(held) => inner.retry_after = Some(held.wait()),
            Self::Lost(_) | Self::Told(..) => {}
        }
        failed
    }
}

/// Returns what lies beneath what the error says itself: its attempts, its outcome, its status. So nothing that a call's error
/// is made of is left in its chain, to be taken for another call's that has it as its cause.
fn what_is_left_to_say(error: BoxError) -> Option<BoxError> {
    let error = match error.downcast::<RetryError>() {
        Ok(retried) => retried.into_parts().1,
        Err(error) => error,
    };
    match error.downcast::<AttemptError>().map(|told| told.into_source()) {
        Ok(source) => Some(source),
        Err(error) => match error.downcast::<ResponseBodyError>() {
            Ok(lost) => lost.into_source(),
            Err(error) => Some(error),
        },
    }
}

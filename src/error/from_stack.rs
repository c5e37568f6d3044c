//! Makes errors of what the stack returned.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use magicbell_middleware::collect::ResponseBodyError;
use magicbell_middleware::pace::HeldBack;
use magicbell_middleware::retry::{RetryError, retry_after};
use magicbell_middleware::timeout::TimeoutError;
use magicbell_middleware::{Attempt, AttemptError, Attempts, Body, BoxError, Outcome, Safety, find_source};

use super::{CredentialsError, DecodeError, Error, ErrorKind, Redactor, TlsError, TransportError, api_error};

/// The longest excerpt of a body that isn't the API's, in bytes.
const MAX_EXCERPT: usize = 256;

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
        let error = match error.downcast::<Error>() {
            Ok(error) => return *error,
            Err(error) => error,
        };
        let (attempts, outcome) = self.attempts(&*error);
        let mut failed = match find_source::<ResponseBodyError>(&*error) {
            Some(lost) => self.with_answer(lost.status(), lost.headers().clone(), lost.received().clone(), Some(lost)),
            None => told_by(&*error),
        };
        failed.inner_mut().outcome = outcome;
        failed.inner_mut().attempts = attempts;
        self.describe(&mut failed);
        match error.downcast::<RetryError>() {
            // Its message has said it all.
            _ if failed.kind() == ErrorKind::Timeout => failed,
            // The attempts have been taken out of it; its own source is what is left to say.
            Ok(error) => failed.with_source(error.into_parts().1),
            Err(error) => failed.with_source(error),
        }
    }

    /// Makes an error of an answer whose status isn't a success.
    pub(crate) fn by_status(self, response: http::Response<Body>) -> Error {
        let (mut parts, body) = response.into_parts();
        let attempts = parts.extensions.remove::<Attempts>().map(|attempts| attempts.0);
        let attempts = attempts.unwrap_or_else(|| vec![Attempt::answered(parts.status, self.elapsed)]);
        let mut failed = self.with_answer(parts.status, parts.headers, body.into_bytes(), None);
        failed.inner_mut().outcome = worst(&attempts);
        failed.inner_mut().attempts = attempts;
        self.describe(&mut failed);
        failed
    }

    /// Makes an error of a success whose body can't be read, or speaks of something else.
    pub(crate) fn unreadable(self, response: http::Response<Body>, error: DecodeError) -> Error {
        let kind = if error.is_unverified() { ErrorKind::Unverified } else { ErrorKind::Decode };
        let mut failed = self.by_status(response);
        failed.inner_mut().kind = kind;
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
        if let Some(retried) = find_source::<RetryError>(error) {
            return (retried.attempts().to_vec(), retried.outcome());
        }
        match &self.record {
            Some(record) => (record.clone(), worst(record)),
            None => (Vec::new(), Outcome::of(error)),
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
        inner.status = Some(status);
        inner.retry_after = retry_after(&headers);
        inner.headers = Some(headers);
        inner.body = Some(body);
        inner.envelope = envelope;
        failed
    }

    fn error_message(&self, envelope: &api_error::Envelope, body: &[u8]) -> std::borrow::Cow<'static, str> {
        let texts = envelope.errors.iter().map(|error| match (&error.code, &*error.message) {
            (Some(code), "") => code.clone(),
            (Some(code), message) => format!("{code}: {message}"),
            (None, message) => message.to_owned(),
        });
        match texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ") {
            text if !text.is_empty() => text.into(),
            _ if envelope.is_the_apis => "the API doesn't say why".into(),
            _ if body.is_empty() => "the answer is empty".into(),
            // No excerpt: in JSON's escapes a token could hide from the redaction.
            _ if body.trim_ascii_start().starts_with(b"{") || body.trim_ascii_start().starts_with(b"[") => {
                "the answer is not the API's: JSON of another kind".into()
            }
            _ => {
                let excerpt = self.redactor.clean(&String::from_utf8_lossy(body), MAX_EXCERPT);
                format!("the answer is not the API's: {excerpt:?}").into()
            }
        }
    }
}

fn worst(attempts: &[Attempt]) -> Outcome {
    attempts.iter().map(|attempt| attempt.outcome).max().unwrap_or(Outcome::NotSent)
}

/// Makes an error of what the chain of sources has in it.
fn told_by(error: &(dyn std::error::Error + 'static)) -> Error {
    let mut failed = match (find_source::<TimeoutError>(error), find_source::<HeldBack>(error)) {
        (Some(timeout), _) => {
            let mut failed = Error::new(ErrorKind::Timeout, timeout.to_string());
            failed.inner_mut().timeout = Some(*timeout);
            failed
        }
        (None, Some(held)) => {
            let mut failed = Error::new(ErrorKind::HeldBack, "not sent");
            failed.inner_mut().retry_after = Some(held.wait());
            failed
        }
        (None, None) => {
            let (kind, message) = kind_of(error);
            Error::new(kind, message)
        }
    };
    failed.inner_mut().transient = find_source(error).is_none_or(AttemptError::is_transient);
    failed
}

fn kind_of(error: &(dyn std::error::Error + 'static)) -> (ErrorKind, &'static str) {
    if find_source::<CredentialsError>(error).is_some() {
        return (ErrorKind::Credentials, "not authorized, and so not sent");
    }
    if find_source::<TlsError>(error).is_some() {
        return (ErrorKind::Tls, "no secure connection was made");
    }
    match find_source::<TransportError>(error) {
        Some(transport) if transport.is_connect() => (ErrorKind::Connect, "no connection was made"),
        Some(_) => (ErrorKind::Transport, "no answer came"),
        None => (ErrorKind::Layer, "a layer or transport of the caller's failed"),
    }
}

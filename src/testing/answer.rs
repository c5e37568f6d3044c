//! Builds answers: JSON bodies and the API's error envelope.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use serde::Serialize;
use uuid::Uuid;

/// An answer whose body is complete.
pub(super) type Answer = Response<Bytes>;

/// An answer that says no, in a box since it is rare and large.
pub(super) type Refusal = Box<Answer>;

/// The header that says that an answer was given before, for the same idempotency key.
pub(super) const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// One entry of the error envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Problem {
    pub(super) code: &'static str,
    pub(super) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) field: Option<&'static str>,
}

impl Problem {
    pub(super) fn of_field(field: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: Some(field) }
    }
}

/// An answer with a JSON body.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    let body = serde_json::to_vec(body).unwrap_or_default();
    with_type(status, JSON, body.into())
}

/// An answer with a body that is sent as JSON, whatever it is.
pub(super) fn raw_json(status: StatusCode, body: Bytes) -> Answer {
    with_type(status, JSON, body)
}

/// The sort of page that a proxy in front of the service answers with.
pub(super) fn html(status: StatusCode) -> Answer {
    let page =
        format!("<!DOCTYPE html>\n<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n");
    with_type(status, HTML, page.into())
}

/// An answer with neither body nor content type.
pub(super) fn empty(status: StatusCode) -> Answer {
    with_status(status, Bytes::new())
}

/// The envelope with one problem.
pub(super) fn error(status: StatusCode, code: &'static str, message: impl Into<String>) -> Answer {
    let message = message.into();
    errors(status, &[Problem { code, message, field: None }])
}

/// The envelope with several problems.
pub(super) fn errors(status: StatusCode, problems: &[Problem]) -> Answer {
    #[derive(Serialize)]
    struct Envelope<'a> {
        errors: &'a [Problem],
    }
    json(status, &Envelope { errors: problems })
}

/// 422 with several problems.
pub(super) fn unprocessable(problems: &[Problem]) -> Answer {
    errors(StatusCode::UNPROCESSABLE_ENTITY, problems)
}

/// 401, the same for every reason.
pub(super) fn unauthorized() -> Answer {
    let mut answer = error(StatusCode::UNAUTHORIZED, "unauthorized", "The token is not valid");
    answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    answer
}

/// 404 for a path or a token.
pub(super) fn not_found(what: &str) -> Answer {
    error(StatusCode::NOT_FOUND, "not_found", format!("{what} was not found"))
}

/// 405 with the methods that the path has.
pub(super) fn method_not_allowed(allow: &'static str) -> Answer {
    let message = format!("This path has only {allow}");
    let mut answer = error(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message);
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    answer
}

/// 429 with the wait in whole seconds.
pub(super) fn rate_limited(seconds: u64) -> Answer {
    let mut answer = error(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Too many requests");
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    answer
}

/// Gives the answer a request id of its own.
pub(super) fn identify(answer: &mut Answer) {
    let mut text = Uuid::encode_buffer();
    let text = Uuid::new_v4().hyphenated().encode_lower(&mut text);
    if let Ok(value) = HeaderValue::from_str(text) {
        answer.headers_mut().insert(REQUEST_ID, value);
    }
}

fn with_type(status: StatusCode, content_type: HeaderValue, body: Bytes) -> Answer {
    let mut answer = with_status(status, body);
    answer.headers_mut().insert(CONTENT_TYPE, content_type);
    answer
}

fn with_status(status: StatusCode, body: Bytes) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer
}

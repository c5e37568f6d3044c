//! The table: what an attempt's end calls for.

use std::error::Error;

use http::{HeaderMap, Method, Response, StatusCode, Uri};

use crate::collect::ResponseBodyError;
use crate::outcome::lost_answer;
use crate::{AttemptError, Body, BoxError, Outcome, Safety, find_source};

/// What an attempt's end calls for.
///
/// A server whose replicas lag behind answers 404 for a moment to what was just made:
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), magicbell_middleware::BoxError> {
/// # use std::sync::atomic::{AtomicU32, Ordering};
/// # use http::{Request, Response};
/// # use magicbell_middleware::{Body, retry::RetryLayer};
/// # use tower::{ServiceBuilder, ServiceExt};
/// # static SENT: AtomicU32 = AtomicU32::new(0);
/// use magicbell_middleware::retry::{RetryPolicy, Verdict};
///
/// let policy = RetryPolicy::builder()
///     .classify(|attempt| (attempt.status()?.as_u16() == 404).then_some(Verdict::Backoff))
///     .build();
/// # let service = ServiceBuilder::new().layer(RetryLayer::new(policy)).service_fn(async |_: Request<Body>| {
/// #     let status = if SENT.fetch_add(1, Ordering::Relaxed) < 2 { 404 } else { 200 };
/// #     Response::builder().status(status).body(Body::empty())
/// # });
/// let response = service.oneshot(Request::get("/tokens/1").body(Body::empty())?).await?;
/// assert_eq!(response.status(), 200);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It stands: a success, or what another attempt wouldn't change or mustn't risk.
    Final,
    /// Another attempt after the ordinary backoff, or `Retry-After`.
    Backoff,
    /// Another attempt after the backoff for rate limits, or `Retry-After`.
    RateLimited,
    /// Another attempt at once, and only once a call: the credentials were refused, and the next attempt carries others. Where it
    /// would carry the same, it isn't sent.
    Renewed,
}

/// How an attempt ended, for a policy to judge.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), magicbell_middleware::BoxError> {
/// # use http::{Request, Response};
/// # use magicbell_middleware::{Attempts, Body, retry::RetryLayer};
/// # use tower::{ServiceBuilder, ServiceExt};
/// use magicbell_middleware::retry::{RetryPolicy, Verdict};
///
/// // A 503 whose body speaks of maintenance will be one for hours.
/// let policy = RetryPolicy::builder()
///     .classify(|attempt| {
///         let body = attempt.response()?.body().as_bytes();
///         body.starts_with(b"maintenance").then_some(Verdict::Final)
///     })
///     .build();
/// # let service = ServiceBuilder::new().layer(RetryLayer::new(policy)).service_fn(async |_: Request<Body>| {
/// #     Response::builder().status(503).body(Body::from("maintenance until 8"))
/// # });
/// let response = service.oneshot(Request::get("/tokens").body(Body::empty())?).await?;
/// assert_eq!(response.status(), 503);
/// assert!(response.extensions().get::<Attempts>().is_none(), "it was sent once");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct AttemptResult<'a> {
    pub(super) method: &'a Method,
    pub(super) uri: &'a Uri,
    pub(super) safety: Safety,
    pub(super) has_idempotency_key: bool,
    pub(super) result: Result<&'a Response<Body>, &'a BoxError>,
}

impl<'a> AttemptResult<'a> {
    /// Returns the request's method.
    #[must_use]
    pub fn method(&self) -> &Method {
        self.method
    }

    /// Returns the URI that was asked for. Its path may hold ids.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        self.uri
    }

    /// Returns what happens when the request is sent twice.
    #[must_use]
    pub fn safety(&self) -> Safety {
        self.safety
    }

    /// Says whether the request carries an `Idempotency-Key`.
    #[must_use]
    pub fn has_idempotency_key(&self) -> bool {
        self.has_idempotency_key
    }

    /// Returns the whole response, where there is one.
    #[must_use]
    #[inline]
    pub fn response(&self) -> Option<&'a Response<Body>> {
        self.result.ok()
    }

    /// Returns the error, where there was no whole response.
    #[must_use]
    pub fn error(&self) -> Option<&'a (dyn Error + 'static)> {
        self.result.err().map(|error| &**error as _)
    }

    /// Returns the status, where one arrived, even if the body didn't.
    #[must_use]
    #[inline]
    pub fn status(&self) -> Option<StatusCode> {
        match self.result {
            Ok(response) => Some(response.status()),
            Err(error) => lost_answer(&**error).map(ResponseBodyError::status),
        }
    }

    /// Returns the response's headers, where they arrived, even if the body didn't.
    #[must_use]
    #[inline]
    pub fn headers(&self) -> Option<&'a HeaderMap> {
        match self.result {
            Ok(response) => Some(response.headers()),
            Err(error) => lost_answer(&**error).map(ResponseBodyError::headers),
        }
    }

    /// Returns what is known of the request.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self.result {
            Ok(_) => Outcome::Answered,
            Err(error) => Outcome::of(&**error),
        }
    }

    /// The rules, in one place.
    pub(super) fn verdict(&self, trust_keys: bool) -> Verdict {
        let repeatable = self.safety != Safety::NonIdempotent || (trust_keys && self.has_idempotency_key);
        let backoff_if = |condition| if condition { Verdict::Backoff } else { Verdict::Final };
        match self.result {
            Ok(response) if response.status().is_success() => Verdict::Final,
            #[cfg(feature = "auth")]
            Ok(response) if response.extensions().get::<crate::auth::Refused>().is_some() => Verdict::Renewed,
            Ok(response) => by_status(response.status(), repeatable),
            Err(error) => match lost_answer(&**error) {
                // Another attempt would meet the same.
                Some(lost) if lost.status().is_success() => backoff_if(repeatable && !lost.is_too_large()),
                Some(lost) => by_status(lost.status(), repeatable),
                None if find_source(&**error).is_some_and(|error: &AttemptError| !error.is_transient()) => {
                    Verdict::Final
                }
                None => backoff_if(repeatable || self.outcome() == Outcome::NotSent),
            },
        }
    }
}

fn by_status(status: StatusCode, repeatable: bool) -> Verdict {
    match status.as_u16() {
        429 => Verdict::RateLimited,
        408 | 500 | 502 | 503 | 504 if repeatable => Verdict::Backoff,
        _ => Verdict::Final,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeout::{Limit, TimeoutError};
    use std::time::Duration;

    /// The columns: a list, a discard, a create, and a create whose key is trusted.
    const COLUMNS: [(Method, Safety, bool); 4] = [
        (Method::GET, Safety::Safe, false),
        (Method::DELETE, Safety::Idempotent, false),
        (Method::POST, Safety::NonIdempotent, false),
        (Method::POST, Safety::NonIdempotent, true),
    ];

    fn row(result: Result<&Response<Body>, &BoxError>) -> [Verdict; 4] {
        COLUMNS.map(|(method, safety, trust)| {
            let has_idempotency_key = method == Method::POST;
            AttemptResult { method: &method, uri: &Uri::default(), safety, has_idempotency_key, result }.verdict(trust)
        })
    }

    fn status(status: u16) -> [Verdict; 4] {
        row(Ok(&Response::builder().status(status).body(Body::empty()).unwrap()))
    }

    const NO: Verdict = Verdict::Final;
    const AGAIN: Verdict = Verdict::Backoff;
    const WAIT: Verdict = Verdict::RateLimited;

    #[test]
    fn not_sent_is_retried_whatever_it_is() {
        assert_eq!(row(Err(&AttemptError::not_sent("refused").into())), [AGAIN; 4]);
    }

    #[test]
    fn permanent_is_never_retried() {
        assert_eq!(row(Err(&AttemptError::not_sent("bad certificate").permanent().into())), [NO; 4]);
    }

    #[test]
    fn unknown_is_retried_unless_it_creates() {
        let timeout = BoxError::from(TimeoutError::new(Limit::Attempt, Duration::from_secs(10)));
        for error in [AttemptError::unknown("reset").into(), BoxError::from("anything else"), timeout] {
            assert_eq!(row(Err(&error)), [AGAIN, AGAIN, NO, AGAIN], "{error}");
        }
    }

    #[test]
    fn statuses_that_another_attempt_would_not_change_are_final() {
        let finals =
            [200, 201, 204, 301, 302, 307, 308, 400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 501, 505, 999];
        for code in finals {
            assert_eq!(status(code), [NO; 4], "{code}");
        }
    }

    #[test]
    fn passing_statuses_are_retried_unless_it_creates() {
        for code in [408, 500, 502, 503, 504] {
            assert_eq!(status(code), [AGAIN, AGAIN, NO, AGAIN], "{code}");
        }
    }

    #[test]
    fn a_429_is_waited_for_whatever_it_is() {
        assert_eq!(status(429), [WAIT; 4]);
    }

    #[test]
    fn a_classifier_sees_the_request_and_what_it_met() {
        let response = Response::builder().status(418).header("x", "1").body(Body::from("tea")).unwrap();
        let uri = Uri::from_static("/teapot");
        let attempt = |has_idempotency_key, result| AttemptResult {
            method: &Method::PUT,
            uri: &uri,
            safety: Safety::Idempotent,
            has_idempotency_key,
            result,
        };
        let answered = attempt(true, Ok(&response));
        assert_eq!((answered.method(), answered.safety()), (&Method::PUT, Safety::Idempotent));
        assert_eq!(answered.uri().path(), "/teapot");
        assert!(answered.has_idempotency_key() && answered.error().is_none());
        assert_eq!(answered.response().unwrap().body().as_bytes(), b"tea");
        assert_eq!(answered.headers().unwrap()["x"], "1");
        let error = BoxError::from("reset");
        let failed = attempt(false, Err(&error));
        assert!(!failed.has_idempotency_key() && failed.response().is_none() && failed.headers().is_none());
        assert_eq!(failed.error().unwrap().to_string(), "reset");
    }

    #[test]
    fn a_key_that_is_not_there_cannot_be_trusted() {
        let error = BoxError::from("reset");
        let attempt = AttemptResult {
            method: &Method::POST,
            uri: &Uri::default(),
            safety: Safety::NonIdempotent,
            has_idempotency_key: false,
            result: Err(&error),
        };
        assert_eq!(attempt.verdict(true), NO);
    }
}

//! A request as it arrived, and what a test asks of it.

use std::fmt;
use std::time::Instant;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, Request, Version};
use serde_json::Value;

use super::template::{self, Template};
use crate::error::Redactor;

const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// How much of a body, in bytes, a message shows.
pub(super) const SHOWN: usize = 200;

/// A request as it arrived.
///
/// Neither its `Debug` nor its `Display` shows the `Authorization` header's value, which is marked as sensitive. `Display` is one
/// line: method, target, body and status, with anything in the shape of a token redacted.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::jwt::{DiscardUserJwt, FetchProjectTokens};
/// use magicbell::testing::Server;
///
/// let server = Server::start().await?;
/// let client = server.client();
/// client.execute(FetchProjectTokens::builder().limit(50).build()).await?;
/// client.execute(DiscardUserJwt::new("a/b")).await.unwrap_err();
///
/// let [list, discard] = &server.requests()[..] else { panic!("two were sent") };
/// assert_eq!(list.query_parameter("limit").as_deref(), Some("50"));
/// assert_eq!((discard.path_parameter("token_id"), discard.status), ("a/b".to_owned(), Some(404)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReceivedRequest {
    /// The method.
    pub method: Method,
    /// The path and query as they were on the wire, nothing decoded. What stood before the path
    /// (scheme and host) and after a `#` isn't kept.
    pub target: String,
    /// The headers, several values of a name in their order.
    pub headers: HeaderMap,
    /// The whole body; empty where there was none.
    pub body: Bytes,
    /// The OpenAPI id of the operation that method and path name, such as `"discard_user_jwt"`, or the name of one for which the
    /// server had a [script](super::Server::on); `None` where they name none.
    pub operation: Option<&'static str>,
    /// The protocol's version: HTTP/1.0, HTTP/1.1 or HTTP/2.
    pub version: Version,
    /// When its head had arrived. In paused time it keeps that time.
    pub received_at: Instant,
    /// The status that was answered. `None` while there is no answer, and for good where the
    /// connection was ended without one.
    pub status: Option<u16>,
    /// Of the operation.
    template: Option<Template>,
    attempt: usize,
}

impl ReceivedRequest {
    pub(super) fn new(request: &Request<Bytes>, operation: Option<Known>, received_at: Instant) -> Self {
        let uri = request.uri();
        Self {
            method: request.method().clone(),
            target: uri.path_and_query().map_or_else(|| uri.to_string(), ToString::to_string),
            headers: with_sensitive_credentials(request.headers().clone()),
            body: request.body().clone(),
            operation: operation.map(|operation| operation.name),
            version: request.version(),
            received_at,
            status: None,
            template: operation.map(|operation| operation.template),
            attempt: 1,
        }
    }

    /// Returns a parameter of the operation's path, decoded: of `/jwt/user/{token_id}`, `"token_id"`.
    ///
    /// # Panics
    ///
    /// Where the operation's path has no such parameter.
    #[must_use]
    #[track_caller]
    #[expect(clippy::panic, reason = "a parameter's name that is mistyped is a mistake of the test's")]
    pub fn path_parameter(&self, name: &str) -> String {
        let (path, template) = (template::below_base(self.path()), self.template.map_or("", |template| template.0));
        match path.and_then(|path| self.template?.parameter(path, name)) {
            Some(value) => value,
            None => panic!("the path of {self} has no parameter {name:?}; its template is {template:?}"),
        }
    }

    /// Returns the first parameter of the query with this name, decoded: `"starting_after"`, say.
    #[must_use]
    pub fn query_parameter(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        let (_, value) = form_urlencoded::parse(query.as_bytes()).find(|(found, _)| found == name)?;
        Some(value.into_owned())
    }

    /// Returns the body as JSON; `null` where it is empty.
    ///
    /// # Panics
    ///
    /// Where it isn't JSON.
    #[must_use]
    #[track_caller]
    #[expect(clippy::panic, reason = "a body that is no JSON is what a test has to hear of")]
    pub fn body_json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            _ if self.body.is_empty() => Value::Null,
            Ok(value) => value,
            Err(error) => panic!("the body of {self} is not JSON (line {}, column {})", error.line(), error.column()),
        }
    }

    /// Returns the first value of a header, where it is text. The token's own, `Authorization`, is never returned: where a test
    /// has to know which token was sent, it stands in [`headers`](Self::headers).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).filter(|value| !value.is_sensitive())?.to_str().ok()
    }

    /// Returns the idempotency key, which every creation is sent with.
    #[must_use]
    pub fn idempotency_key(&self) -> Option<&str> {
        self.header(IDEMPOTENCY_KEY)
    }

    /// Returns how often this very request had arrived by then, this time included: 1 for the first attempt of a call, 2 for the
    /// second.
    ///
    /// It is counted by method, target, body and idempotency key, since nothing on the wire tells an attempt from another call
    /// for the same: two calls of one list, or discards of one token, are counted together.
    #[must_use]
    pub fn attempt(&self) -> usize {
        self.attempt
    }

    /// The path as it was on the wire, without its query.
    pub(super) fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// Takes the request for one of this operation.
    pub(super) fn set_template(&mut self, template: Template) {
        self.template = Some(template);
    }

    pub(super) fn set_attempt(&mut self, attempt: usize) {
        self.attempt = attempt;
    }

    /// The line about it, without the tokens that the redactor knows.
    pub(super) fn line(&self, redactor: &Redactor) -> String {
        let body = String::from_utf8_lossy(&self.body);
        let body = if body.is_empty() { String::new() } else { format!(" {}", redactor.clean(&body, SHOWN)) };
        let answered = self.status.map_or_else(|| "not answered".to_owned(), |status| format!("answered {status}"));
        format!("{} {}{body}, {answered}", self.method, redactor.clean(&self.target, SHOWN))
    }

    pub(super) fn teach(&self, redactor: &Redactor) {
        for value in self.headers.get_all(AUTHORIZATION) {
            redactor.learn(value);
        }
    }
}

impl fmt::Display for ReceivedRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let redactor = Redactor::default();
        self.teach(&redactor);
        formatter.write_str(&self.line(&redactor))
    }
}

/// An operation that a request was found to be for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) name: &'static str,
    pub(super) template: Template,
}

fn with_sensitive_credentials(mut headers: HeaderMap) -> HeaderMap {
    let credentials = headers.iter_mut().filter(|(name, _)| *name == AUTHORIZATION);
    credentials.for_each(|(_, value)| value.set_sensitive(true));
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "an-opaque-token";

    fn received(target: &str, body: &'static str) -> ReceivedRequest {
        let request = Request::builder().method("PUT").uri(target).header(AUTHORIZATION, format!("Bearer {TOKEN}"));
        let request = request.header(IDEMPOTENCY_KEY, "k").body(Bytes::from(body)).expect("a request");
        let operation = Known { name: "save_user", template: Template("/users/{user_id}") };
        ReceivedRequest::new(&request, Some(operation), Instant::now())
    }

    #[test]
    fn its_parts_are_read() {
        let request = received("/v2/users/a%2Fb?fields=id%2Cemail&fields=x", r#"{"email":null}"#);
        assert_eq!(request.path_parameter("user_id"), "a/b");
        assert_eq!(request.query_parameter("fields").as_deref(), Some("id,email"));
        assert_eq!(request.query_parameter("limit"), None);
        assert_eq!(request.body_json(), serde_json::json!({ "email": null }));
        assert_eq!(received("/v2/users/7", "").body_json(), Value::Null);
        assert_eq!((request.idempotency_key(), request.header("Idempotency-Key")), (Some("k"), Some("k")));
    }

    #[test]
    fn neither_of_its_texts_shows_a_token() {
        const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiJhIn0.c2lnbmF0dXJl";
        let mut request = received(&format!("/v2/users/{JWT}?t={TOKEN}"), r#"{"token":"an-opaque-token"}"#);
        request.status = Some(404);
        let shown = r#"PUT /v2/users/[redacted]?t=[redacted] {"token":"[redacted]"}, answered 404"#;
        assert_eq!(request.to_string(), shown);
        assert!(!format!("{:?}", request.headers).contains(TOKEN));
        assert_eq!(request.header("authorization"), None);
    }

    #[test]
    #[should_panic(
        expected = "the path of PUT /v2/users/7, not answered has no parameter \"id\"; its template is \"/users/{user_id}\""
    )]
    fn a_parameter_that_the_path_has_not_is_named() {
        _ = received("/v2/users/7", "").path_parameter("id");
    }

    #[test]
    #[should_panic(expected = "the body of PUT /v2/users/7 no, not answered is not JSON (line 1, column 2)")]
    fn a_body_that_is_no_json_is_shown() {
        _ = received("/v2/users/7", "no").body_json();
    }
}

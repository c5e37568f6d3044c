//! The API's own account of an error.

use serde_json::{Map, Value};

use super::Redactor;

/// The longest code or message that is kept, in bytes.
const MAX_TEXT: usize = 512;
/// The most errors of one answer that are kept.
const MAX_ERRORS: usize = 32;

/// One entry of the API's error envelope, `{"errors":[{"code":"…","message":"…"}]}`.
///
/// Its texts are the server's: what looks like a token is redacted, control characters are stripped, and each is cut at 512
/// bytes.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{jwt::CreateUserJwt, testing::{Fault, Server}};
///
/// let server = Server::start().await?;
/// let body = r#"{"errors":[{"code":"too_short","message":"is too short","field":"name"}]}"#;
/// server.on::<CreateUserJwt>().fails(Fault::body(422, body));
///
/// let error = server.client().execute(CreateUserJwt::builder().name("x").build()).await.unwrap_err();
/// for entry in error.api_errors() {
///     assert_eq!((entry.field.as_deref(), &*entry.message), (Some("name"), "is too short"));
/// }
/// # assert_eq!(error.api_errors().len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiError {
    /// A code for programs, where there is one.
    pub code: Option<String>,
    /// A sentence for people; empty where there is none.
    pub message: String,
    /// Which field of the request it is about, where the service says so.
    pub field: Option<String>,
}

/// What an error's body says.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    pub(super) errors: Vec<ApiError>,
    /// Whether it is the API's own envelope, with at least one error in it.
    pub(super) is_the_apis: bool,
}

/// Reads an error's body: the API's envelope, or problem details (RFC 9457).
pub(super) fn parse(body: &[u8], redactor: &Redactor) -> Envelope {
    let Ok(Value::Object(body)) = serde_json::from_slice(body) else {
        return Envelope::default();
    };
    if let Some(Value::Array(entries)) = body.get("errors") {
        let entries = entries.iter().filter_map(Value::as_object).take(MAX_ERRORS);
        let is_the_apis = entries.clone().any(|entry| entry.contains_key("code") || entry.contains_key("message"));
        let errors = entries.map(|entry| api_error(entry, "code", "message", redactor)).collect();
        return Envelope { errors, is_the_apis };
    }
    let problem = api_error(&body, "type", if body.contains_key("detail") { "detail" } else { "title" }, redactor);
    let says_something = problem != ApiError::default();
    Envelope { errors: says_something.then_some(problem).into_iter().collect(), is_the_apis: false }
}

/// Says whether an error's code says that the same creation is still in progress.
pub(crate) fn says_in_progress(body: &[u8]) -> bool {
    let envelope = parse(body, &Redactor::default());
    let codes = envelope.errors.iter().filter_map(|error| error.code.as_deref());
    envelope.is_the_apis && codes.into_iter().any(|code| code.replace([' ', '-'], "_").contains("in_progress"))
}

fn api_error(entry: &Map<String, Value>, code: &str, message: &str, redactor: &Redactor) -> ApiError {
    let text = |key: &str| match entry.get(key) {
        Some(Value::String(text)) => Some(redactor.clean(text, MAX_TEXT)),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    ApiError { code: text(code), message: text(message).unwrap_or_default(), field: text("field") }
}

/// Says whether a success is somebody else's page, or an object or array that was cut short. Ordinary bodies are told by their
/// first and last byte alone.
pub(crate) fn is_no_answer(body: &[u8]) -> bool {
    let body = body.trim_ascii();
    match body.first() {
        Some(b'<') => true,
        Some(b'\xef') => body.strip_prefix("\u{feff}".as_bytes()).is_some_and(is_no_answer),
        Some(b'{') => !body.ends_with(b"}") && !begins_with_a_value(body),
        Some(b'[') => !body.ends_with(b"]") && !begins_with_a_value(body),
        _ => false,
    }
}

/// Says whether there is a whole value, whatever follows it.
fn begins_with_a_value(body: &[u8]) -> bool {
    serde_json::Deserializer::from_slice(body)
        .into_iter::<serde::de::IgnoredAny>()
        .next()
        .is_some_and(|read| read.is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Envelope {
        parse(body.as_bytes(), &Redactor::default())
    }

    #[test]
    fn an_envelope_is_read_with_or_without_a_code() {
        let body = r#"{"errors":[{"message":"expiry must be at least 1"},{"code":"name_too_long","message":"too long","field":"name"}]}"#;
        let envelope = read(body);
        assert!(envelope.is_the_apis);
        assert_eq!(envelope.errors[0].code, None);
        assert_eq!(envelope.errors[0].message, "expiry must be at least 1");
        assert_eq!(envelope.errors[1].code.as_deref(), Some("name_too_long"));
        assert_eq!(envelope.errors[1].field.as_deref(), Some("name"));
    }

    #[test]
    fn problem_details_are_read_but_are_not_the_apis() {
        let envelope = read(r#"{"type":"about:blank","title":"Not Found","status":404}"#);
        assert!(!envelope.is_the_apis);
        assert_eq!(envelope.errors[0].message, "Not Found");
    }

    #[test]
    fn what_says_nothing_is_no_envelope() {
        for body in ["", "<html>", "null", "[]", r#"{"errors":[]}"#, r#"{"errors":null}"#, r#"{"errors":["x"]}"#, "{}"]
        {
            let envelope = read(body);
            assert!(!envelope.is_the_apis && envelope.errors.is_empty(), "{body}");
        }
        assert!(read(r#"{"errors":[{"message":null}]}"#).is_the_apis);
    }
}

//! An answer that can't be read.

use std::borrow::Cow;
use std::fmt;

use serde_json::error::Category;

/// An answer that can't be read: where and why. It never holds any of the answer's text, which may be a token.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{Answer, DecodeError, Endpoint, ErrorKind, Operation, testing::Server};
/// # use std::borrow::Cow;
/// # use serde_json::Value;
/// # struct FetchUser(&'static str);
///
/// impl Endpoint for FetchUser {
/// #   type Response = Value;
/// #   const OPERATION: Operation = Operation::get("fetch_user", "/users/{user_id}");
/// #   fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
/// #       (name == "user_id").then_some(Cow::Borrowed(self.0))
/// #   }
///     // …
///     fn decode(answer: &Answer<'_>) -> Result<Value, DecodeError> {
///         let user = answer.json::<Value>()?;
///         let is_asked_for = user["id"].as_str() == answer.path_parameter("user_id").as_deref();
///         is_asked_for.then_some(user).ok_or_else(|| DecodeError::unverified("it is another user"))
///     }
/// }
/// # let server = Server::start().await?;
/// # server.on::<FetchUser>().answers(serde_json::json!({ "id": "omar" }));
/// let error = server.client().execute(FetchUser("hana")).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Unverified);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    reason: Cow<'static, str>,
    unverified: bool,
}

impl DecodeError {
    /// Says why, in lower case and without a full stop. `reason` must not hold any of the answer's text.
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { reason: reason.into(), unverified: false }
    }

    /// Says that the answer speaks of something else than was asked for:
    /// [`ErrorKind::Unverified`](crate::ErrorKind::Unverified).
    pub fn unverified(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { reason: reason.into(), unverified: true }
    }

    /// Takes line, column and category from serde's error, whose own text echoes values.
    #[must_use]
    pub fn json(error: &serde_json::Error) -> Self {
        let what = match error.classify() {
            Category::Syntax => "it is not JSON",
            Category::Eof => "the JSON ends too soon",
            Category::Data => "the JSON is not what was expected",
            Category::Io => "it could not be read",
        };
        Self::new(format!("{what} (line {}, column {})", error.line(), error.column()))
    }

    /// Says whether the answer speaks of something else than was asked for.
    #[must_use]
    pub fn is_unverified(&self) -> bool {
        self.unverified
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for DecodeError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serdes_echo_of_a_value_is_left_out() {
        let error = serde_json::from_str::<u8>("\"eyJsecret\"").unwrap_err();
        assert!(error.to_string().contains("eyJsecret"), "the test shows nothing if serde stops echoing");
        let decode = DecodeError::json(&error);
        assert_eq!(decode.to_string(), "the JSON is not what was expected (line 1, column 11)");
        assert!(!format!("{decode:?}").contains("eyJsecret"));
    }
}

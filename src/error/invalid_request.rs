//! A request that can't be sent as it is.

use std::borrow::Cow;
use std::fmt;

/// A request that can't be sent as it is: which part of it, and why. It never holds the part's value.
///
/// A form can ask before anything is sent:
///
/// ```
/// use magicbell::{Endpoint, jwt::CreateUserJwt};
///
/// let invalid = CreateUserJwt::builder().name("x".repeat(256)).build().validate().unwrap_err();
/// assert_eq!(invalid.field(), "name");
/// ```
///
/// Where it is executed all the same, [`Error::invalid_request`](crate::Error::invalid_request) returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidRequest {
    field: Cow<'static, str>,
    reason: Cow<'static, str>,
}

impl InvalidRequest {
    /// Names the part and what is wrong with it, in lower case and without a full stop.
    ///
    /// ```
    /// let error = magicbell::InvalidRequest::new("limit", "it must be at least 1");
    /// assert_eq!(error.to_string(), "limit: it must be at least 1");
    /// ```
    pub fn new(field: impl Into<Cow<'static, str>>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }

    /// Returns which part of the request it is.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Returns what is wrong with it.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for InvalidRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.reason)
    }
}

impl std::error::Error for InvalidRequest {}

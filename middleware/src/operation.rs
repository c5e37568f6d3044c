//! What a request does, in terms that every layer shares.

use http::Method;

/// What happens when a request is sent twice, in the terms of [RFC 9110, section 9.2](https://www.rfc-editor.org/rfc/rfc9110#section-9.2).
///
/// ```
/// use http::Method;
/// use magicbell_middleware::{Operation, Safety};
///
/// assert_eq!(Safety::of(&Method::POST), Safety::NonIdempotent);
/// // A POST that only reads may be sent again.
/// const SEARCH: Operation = Operation::post("search", "/search").with_safety(Safety::Safe);
/// assert_eq!(SEARCH.safety(), Safety::Safe);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Safety {
    /// It reads: sending it again changes nothing.
    Safe,
    /// It changes something, and sent twice it does the same as sent once.
    Idempotent,
    /// Sent twice it may do its work twice, as a creation does.
    NonIdempotent,
}

impl Safety {
    /// Returns what RFC 9110 says of a method; of one that it doesn't know, [`Safety::NonIdempotent`].
    #[must_use]
    pub const fn of(method: &Method) -> Self {
        match *method {
            Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE => Self::Safe,
            Method::PUT | Method::DELETE => Self::Idempotent,
            _ => Self::NonIdempotent,
        }
    }
}

/// What an API calls one of its requests: name, method, path template and safety.
///
/// A client puts it into the request's extensions, so that each layer knows which operation it sees.
///
/// ```
/// use magicbell_middleware::{Operation, Safety};
///
/// const FETCH_USER: Operation = Operation::get("fetch_user", "/users/{user_id}");
/// assert_eq!(FETCH_USER.safety(), Safety::Safe);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    name: &'static str,
    method: Method,
    path: &'static str,
    safety: Safety,
}

impl Operation {
    /// Makes an operation of any method, with the safety that RFC 9110 gives the method.
    ///
    /// `name` is the API's own name for it, in `snake_case`; `path` begins with `/`, and each `{name}` in it is one
    /// segment that a parameter fills.
    #[must_use]
    pub const fn new(name: &'static str, method: Method, path: &'static str) -> Self {
        let safety = Safety::of(&method);
        Self { name, method, path, safety }
    }

    /// Makes a GET: safe.
    #[must_use]
    pub const fn get(name: &'static str, path: &'static str) -> Self {
        Self::new(name, Method::GET, path)
    }

    /// Makes a POST: neither safe nor idempotent.
    #[must_use]
    pub const fn post(name: &'static str, path: &'static str) -> Self {
        Self::new(name, Method::POST, path)
    }

    /// Makes a PUT: idempotent.
    #[must_use]
    pub const fn put(name: &'static str, path: &'static str) -> Self {
        Self::new(name, Method::PUT, path)
    }

    /// Makes a PATCH: neither safe nor idempotent.
    #[must_use]
    pub const fn patch(name: &'static str, path: &'static str) -> Self {
        Self::new(name, Method::PATCH, path)
    }

    /// Makes a DELETE: idempotent.
    #[must_use]
    pub const fn delete(name: &'static str, path: &'static str) -> Self {
        Self::new(name, Method::DELETE, path)
    }

    /// Replaces the safety, for an operation that is safer, or less safe, than its method says.
    #[must_use]
    pub const fn with_safety(mut self, safety: Safety) -> Self {
        self.safety = safety;
        self
    }

    /// Returns the API's name for it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the method.
    #[must_use]
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// Returns the path template, below the base URL.
    #[must_use]
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// Returns what happens when it is sent twice.
    #[must_use]
    pub const fn safety(&self) -> Safety {
        self.safety
    }

    /// Returns the safety of a request: its operation's where it carries one, its method's otherwise.
    pub fn safety_of<B>(request: &http::Request<B>) -> Safety {
        match request.extensions().get::<Self>() {
            Some(operation) => operation.safety,
            None => Safety::of(request.method()),
        }
    }
}

/// Returns the port that a request goes to, the scheme's own where the URI names none.
#[cfg(any(feature = "trace", feature = "metrics"))]
pub(crate) fn server_port(uri: &http::Uri) -> Option<u16> {
    uri.port_u16().or_else(|| match uri.scheme_str() {
        Some("https") => Some(443),
        Some("http") => Some(80),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_as_safe_as_rfc_9110_says() {
        assert_eq!(Safety::of(&Method::GET), Safety::Safe);
        assert_eq!(Safety::of(&Method::DELETE), Safety::Idempotent);
        assert_eq!(Safety::of(&Method::POST), Safety::NonIdempotent);
        assert_eq!(Safety::of(&Method::PATCH), Safety::NonIdempotent);
    }

    #[test]
    fn an_operation_overrides_its_method() {
        let search = Operation::post("search", "/search").with_safety(Safety::Safe);
        let mut request = http::Request::post("/search").body(()).unwrap();
        assert_eq!(Operation::safety_of(&request), Safety::NonIdempotent);
        request.extensions_mut().insert(search);
        assert_eq!(Operation::safety_of(&request), Safety::Safe);
    }
}

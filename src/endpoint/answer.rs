//! A success, for an endpoint to read.

use std::borrow::Cow;

use http::header::CONTENT_ENCODING;
use http::{HeaderMap, Response, StatusCode};
use magicbell_middleware::Body;
use serde::de::DeserializeOwned;

#[cfg(feature = "testing")]
use super::path::write;
use super::path::{Cut, cut, decode_segment};
use super::{Declared, Endpoint};
use crate::error::DecodeError;
#[cfg(feature = "testing")]
use crate::error::InvalidRequest;
use crate::scan::has;

/// A success, and what it answers, for [`Endpoint::decode`](super::Endpoint::decode) to read.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{Answer, DecodeError, Endpoint, Operation, testing::Server};
///
/// struct CountUsers;
///
/// impl Endpoint for CountUsers {
///     type Response = u64;
///     const OPERATION: Operation = Operation::get("count_users", "/users/count");
///
///     // The number is in a header, whatever the body is.
///     fn decode(answer: &Answer<'_>) -> Result<u64, DecodeError> {
///         let total = answer.headers().get("x-total").and_then(|total| total.to_str().ok()?.parse().ok());
///         total.ok_or_else(|| DecodeError::new("it has no x-total"))
///     }
/// }
/// # let server = Server::start().await?;
/// # server.on::<CountUsers>().answers_response(http::Response::builder().header("x-total", 7).body("")?);
/// assert_eq!(server.client().execute(CountUsers).await?, 7);
/// # Ok(())
/// # }
/// ```
///
/// A unit test of a `decode` needs no server: [`testing::decode`].
///
#[cfg_attr(feature = "testing", doc = "[`testing::decode`]: crate::testing::decode")]
#[cfg_attr(
    not(feature = "testing"),
    doc = "[`testing::decode`]: https://docs.rs/magicbell/latest/magicbell/testing/fn.decode.html"
)]
#[derive(Debug)]
pub struct Answer<'a> {
    template: Cut<'a>,
    /// The path that was sent, below the base URL.
    path: &'a str,
    response: &'a Response<Body>,
}

/// Reads a success of an endpoint, given the path that was sent.
pub(crate) fn decode<E: Endpoint>(path: &str, response: &Response<Body>) -> Result<E::Response, DecodeError> {
    E::decode(&Answer { template: Declared::<E>::CUT, path, response })
}

/// Reads a success of an endpoint as if its request had been sent, or says why that can't be.
#[cfg(feature = "testing")]
pub(crate) fn decode_for<E: Endpoint>(
    endpoint: &E,
    response: &Response<Body>,
) -> Result<Result<E::Response, DecodeError>, InvalidRequest> {
    let mut path = String::new();
    endpoint.validate()?;
    write(endpoint, &mut path)?;
    Ok(decode::<E>(&path, response))
}

impl<'a> Answer<'a> {
    #[cfg(test)]
    pub(crate) fn new(template: &'a str, path: &'a str, response: &'a Response<Body>) -> Self {
        Self { template: cut(template), path: path.split('?').next().unwrap_or_default(), response }
    }

    /// Returns the status: 2xx.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// Returns the headers.
    #[must_use]
    pub fn headers(&self) -> &'a HeaderMap {
        self.response.headers()
    }

    /// Returns the body's bytes.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.response.body().as_bytes()
    }

    /// Returns a parameter of the path that was asked for, as the request had it.
    #[must_use]
    pub fn path_parameter(&self, name: &str) -> Option<Cow<'a, str>> {
        self.segment(name).map(decode_segment)
    }

    /// Says whether a parameter of the path that was asked for is this text; of a UUID, in either case.
    pub(crate) fn is_parameter(&self, name: &str, text: &str) -> bool {
        let segment = self.segment(name).unwrap_or_default();
        // Most servers echo an id as it was sent.
        (segment == text && !has(segment, b'%')) || is_same(&decode_segment(segment), text)
    }

    /// Returns a parameter as it was sent.
    #[inline]
    fn segment(&self, name: &str) -> Option<&'a str> {
        let (mut template, mut path) = (self.template, self.path);
        while let Cut::Parameter { before, name: parameter, after } = template {
            let value = path.get(before.len()..)?;
            // The last one ends where the path does.
            let end = if after.is_empty() { None } else { value.bytes().position(|byte| byte == b'/') };
            let (value, rest_of_path) = value.split_at(end.unwrap_or(value.len()));
            if parameter == name {
                return Some(value);
            }
            (template, path) = (cut(after), rest_of_path);
        }
        None
    }

    /// Reads the body as JSON, whatever its content type says. An empty body is read as `null`, and a byte order mark is ignored.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] where it isn't JSON, isn't what `T` expects, or is in a content coding: none was asked for.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        let bytes = self.plain_text()?;
        // UTF-8 is checked once as a whole: serde_json would check each text in it by itself.
        let read = match std::str::from_utf8(bytes) {
            Ok(text) => serde_json::from_str(text),
            Err(_) => serde_json::from_slice(bytes),
        };
        read.map_err(|error| DecodeError::json(&error))
    }

    /// The same, but for what may come after the value, which isn't looked at, and for bytes that aren't UTF-8: each such run of
    /// them is U+FFFD.
    pub(crate) fn json_prefix<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        let text = String::from_utf8_lossy(self.plain_text()?);
        let mut deserializer = serde_json::Deserializer::from_str(&text);
        T::deserialize(&mut deserializer).map_err(|error| DecodeError::json(&error))
    }

    /// Returns the body without the byte order mark that RFC 8259, section 8.1, lets a reader ignore; `null` where it is empty.
    pub(crate) fn plain_text(&self) -> Result<&'a [u8], DecodeError> {
        // A look at each of a few names costs less than to hash this one.
        if self.headers().keys().any(|name| *name == CONTENT_ENCODING)
            && let Some(coding) = self.headers().get(CONTENT_ENCODING)
            && !coding.as_bytes().eq_ignore_ascii_case(b"identity")
        {
            return Err(DecodeError::new("it has a content coding that was not asked for"));
        }
        match self.body() {
            b"" => Ok(b"null"),
            body => Ok(body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body)),
        }
    }
}

/// Says whether two ids are one. Out of the way of what is echoed as it was sent.
#[inline(never)]
fn is_same(one: &str, other: &str) -> bool {
    one == other || (is_uuid(one) && one.eq_ignore_ascii_case(other))
}

/// Says whether text is a UUID as RFC 9562 writes them, in either case.
fn is_uuid(text: &str) -> bool {
    let is_in_place = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(is_in_place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_read_back_from_the_path() {
        let response = Response::new(Body::empty());
        let answer = Answer::new("/jwt/user/{user_id}/x/{other}", "/jwt/user/a%2Fb/x/c?limit=1", &response);
        assert_eq!(answer.path_parameter("user_id").as_deref(), Some("a/b"));
        assert_eq!(answer.path_parameter("other").as_deref(), Some("c"));
        assert_eq!(answer.path_parameter("none"), None);
    }

    #[test]
    fn bytes_that_are_no_utf_8_matter_only_where_they_are_read() {
        #[derive(Debug, PartialEq, serde::Deserialize)]
        struct Id {
            id: String,
        }
        let read = |json: &'static [u8]| {
            let response = Response::new(Body::from(bytes::Bytes::from_static(json)));
            Answer::new("", "", &response).json::<Id>()
        };
        assert_eq!(read(b"{\"id\":\"a\",\"note\":\"\xff\"}"), Ok(Id { id: "a".into() }));
        assert!(read(b"{\"id\":\"\xff\"}").is_err());
    }

    #[test]
    fn a_coding_that_was_not_asked_for_is_refused() {
        let mut response = Response::new(Body::from("1"));
        assert_eq!(Answer::new("", "", &response).json::<u8>(), Ok(1));
        response.headers_mut().insert(CONTENT_ENCODING, "identity".parse().unwrap());
        assert_eq!(Answer::new("", "", &response).json::<u8>(), Ok(1));
        response.headers_mut().insert(CONTENT_ENCODING, "gzip".parse().unwrap());
        assert!(Answer::new("", "", &response).json::<u8>().is_err());
    }
}

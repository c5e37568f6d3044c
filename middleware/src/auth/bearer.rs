//! The value of an `Authorization: Bearer` header.

use std::error::Error;
use std::fmt;

use http::HeaderValue;

/// Makes the value of an `Authorization: Bearer` header, marked sensitive.
///
/// # Errors
///
/// [`InvalidToken`] where the token is empty, has anything but visible ASCII in it, or begins with the scheme's name.
pub fn bearer(token: &str) -> Result<HeaderValue, InvalidToken> {
    if token.is_empty() {
        return Err(InvalidToken::Empty);
    }
    if token.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("bearer ")) {
        return Err(InvalidToken::Prefix);
    }
    if let Some(position) = token.bytes().position(|byte| !byte.is_ascii_graphic()) {
        return Err(InvalidToken::Character { position });
    }
    let value = HeaderValue::try_from(format!("Bearer {token}"));
    value.map(sensitive).map_err(|_| InvalidToken::Character { position: 0 })
}

pub(super) fn sensitive(mut value: HeaderValue) -> HeaderValue {
    value.set_sensitive(true);
    value
}

/// Why a token can't be sent. No variant holds any of its characters.
///
/// ```
/// use magicbell_middleware::auth::{InvalidToken, bearer};
///
/// assert_eq!(bearer("Bearer a.token"), Err(InvalidToken::Prefix));
/// assert_eq!(bearer("a.token\n"), Err(InvalidToken::Character { position: 7 }));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidToken {
    /// It is empty.
    Empty,
    /// It begins with `Bearer `, which is the scheme and not part of the token.
    Prefix,
    /// A byte of it isn't visible ASCII: a space, a line break, a letter outside ASCII.
    Character {
        /// Where the first such byte is, counted from 0.
        position: usize,
    },
}

impl fmt::Display for InvalidToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the token is empty"),
            Self::Prefix => f.write_str("the token begins with 'Bearer ': leave that out, it is added"),
            Self::Character { position } => write!(f, "byte {position} of the token is not visible ASCII"),
        }
    }
}

impl Error for InvalidToken {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_that_no_server_would_take_are_refused_without_an_echo() {
        assert_eq!(bearer(""), Err(InvalidToken::Empty));
        assert_eq!(bearer("Bearer abc"), Err(InvalidToken::Prefix));
        assert_eq!(bearer("bearer abc"), Err(InvalidToken::Prefix));
        for (token, position) in [("a b", 1), ("ab\r\nx", 2), (" a", 0), ("a\t", 1), ("aé", 1), ("a\u{7f}", 1)] {
            assert_eq!(bearer(token), Err(InvalidToken::Character { position }), "{token:?}");
        }
    }

    #[test]
    fn the_value_is_sensitive() {
        let value = bearer("eyJ").unwrap();
        assert!(value.is_sensitive());
        assert!(!format!("{value:?}").contains("eyJ"));
    }
}

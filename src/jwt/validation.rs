//! The bounds that the service's documents state, checked before anything is sent.

use crate::error::InvalidRequest;
use crate::jwt::Expiry;
use crate::nullable::Nullable;
use crate::secret::SecretToken;

/// The longest name, email address or external id, in characters.
const MAX_CHARS: usize = 255;

pub(super) fn text(field: &'static str, text: &str) -> Result<(), InvalidRequest> {
    // Bytes first: text of so few bytes can't have too many characters.
    if text.len() > MAX_CHARS && text.chars().count() > MAX_CHARS {
        return Err(InvalidRequest::new(field, format!("it is longer than {MAX_CHARS} characters")));
    }
    Ok(())
}

pub(super) fn nullable_text(field: &'static str, nullable: &Nullable<String>) -> Result<(), InvalidRequest> {
    nullable.value().map_or(Ok(()), |value| text(field, value))
}

pub(super) fn expiry(expiry: &Nullable<Expiry>) -> Result<(), InvalidRequest> {
    match expiry.value() {
        Some(expiry) if expiry.as_secs() == 0 => Err(InvalidRequest::new("expiry", "it must be at least 1 second")),
        _ => Ok(()),
    }
}

/// Refuses ids that a file's line ends, byte order mark or padding came along with: they would name another token.
pub(super) fn token_id(token_id: &str) -> Result<(), InvalidRequest> {
    let is_padding = |c: char| c.is_whitespace() || c == '\u{feff}';
    if token_id.starts_with(is_padding) || token_id.ends_with(is_padding) {
        return Err(InvalidRequest::new("token_id", "it begins or ends with white space or a byte order mark"));
    }
    if SecretToken::is_in(token_id) {
        return Err(InvalidRequest::new(
            "token_id",
            "it looks like a token, which doesn't belong in a path: give its id",
        ));
    }
    // What else can't be one segment of a path is refused where the path is written.
    Ok(())
}

/// Refuses a user's id that a byte order mark came along with: it would name nobody. White space may be the caller's own.
pub(super) fn user_id(user_id: &str) -> Result<(), InvalidRequest> {
    match user_id.contains('\u{feff}') {
        true => Err(InvalidRequest::new("user_id", "it has a byte order mark in it")),
        false => Ok(()),
    }
}

pub(super) fn limit(limit: Option<u32>) -> Result<(), InvalidRequest> {
    match limit {
        Some(0) => Err(InvalidRequest::new("limit", "it must be at least 1")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_bounded_in_characters() {
        assert!(text("name", &"é".repeat(255)).is_ok());
        assert!(text("name", &"é".repeat(256)).is_err());
        assert!(nullable_text("name", &Nullable::Null).is_ok());
    }

    #[test]
    fn the_bounds_themselves_are_within() {
        assert!(text("name", &"x".repeat(255)).is_ok());
        assert!(text("name", &"x".repeat(256)).is_err());
        assert!(expiry(&Nullable::Value(1.into())).is_ok());
        assert!(expiry(&Nullable::Value(0.into())).is_err());
        assert!(limit(Some(1)).is_ok() && limit(None).is_ok());
        assert!(limit(Some(0)).is_err());
        assert!(user_id(" a user ").is_ok());
        assert!(user_id("\u{feff}u").is_err());
    }

    #[test]
    fn a_token_in_place_of_its_id_is_refused_without_an_echo() {
        for id in ["eyJhbGciOiJub25lIn0.e30.c2ln", "Bearer eyJhbGciOiJub25lIn0.e30.", "x=eyJhbGciOiJub25lIn0.e30."] {
            let error = token_id(id).unwrap_err();
            assert_eq!(error.field(), "token_id", "{id:?}");
            assert!(!error.to_string().contains("eyJ"), "{error}");
        }
        for id in [
            "eyJ",
            "eyJhbGciOiJub25lIn0",
            "a.keyJ.b",
            "a-monkeyJournal-of-us.x",
            "eyJ.a",
            "eyJhbGciOiJub25lIn0AAAA, of tomorrow.",
            "550e8400-e29b-41d4-a716-446655440000",
        ] {
            assert!(token_id(id).is_ok(), "{id:?}");
        }
    }

    #[test]
    fn padded_ids_are_refused_and_not_trimmed() {
        for id in [" ", "id\r", "id\n", " id", "\u{feff}id", "id\u{a0}"] {
            assert!(token_id(id).is_err(), "{id:?}");
        }
        assert!(token_id("550e8400-e29b-41d4-a716-446655440000").is_ok());
    }
}

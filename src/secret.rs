//! Text that must not be shown by accident.

use std::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::scan::has;

/// The shortest run that is taken for a JWT.
const JWT_MIN: usize = 20;

/// A token: a live credential.
///
/// Debug shows that there is one and nothing of it; there is no Display, no `==` and no Serialize. Its memory is overwritten
/// when it is dropped. What isn't covered: copies that its text was made from or into, such as the response that it arrived
/// in, a header that it is sent in, and what `expose_secret` gave out.
///
/// ```
/// let token = magicbell::SecretToken::from("not shown");
/// assert_eq!(format!("{token:?}"), "SecretToken(..)");
/// assert_eq!(token.expose_secret(), "not shown");
/// ```
///
/// It can't be compared, printed or serialized:
///
/// ```compile_fail
/// let token = magicbell::SecretToken::from("not shown");
/// println!("{token}");
/// ```
#[derive(Clone)]
pub struct SecretToken(Zeroizing<String>);

impl SecretToken {
    /// Returns the token's text. Whoever calls it takes care where that goes.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        &self.0
    }

    /// Says whether there is what looks like a token in a text that ought to be something else: an id, an argument, a name. Such a
    /// text would end up in logs.
    ///
    /// That is a JWT, which begins with `{"` in base64 and has a dot, after anything but a letter, a digit, `-` or `_`.
    ///
    /// ```
    /// use magicbell::SecretToken;
    ///
    /// assert!(SecretToken::is_in("--token=eyJhbGciOiJub25lIn0.e30.c2ln"));
    /// assert!(!SecretToken::is_in("550e8400-e29b-41d4-a716-446655440000"));
    /// ```
    #[must_use]
    #[inline]
    pub fn is_in(text: &str) -> bool {
        // Most ids have no dot, and that is soon seen.
        has(text, b'.') && Self::is_in_dotted(text)
    }

    fn is_in_dotted(text: &str) -> bool {
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let is_part = |c: char| is_word(c) || matches!(c, '.' | '=');
        // In the middle of a word it is a part of the word.
        let starts = text.match_indices("eyJ").filter(|(start, _)| !text[..*start].ends_with(is_word));
        let mut runs = starts.map(|(start, _)| text[start..].split(|c| !is_part(c)).next().unwrap_or_default());
        runs.any(|run| run.len() >= JWT_MIN && run.contains('.'))
    }
}

impl fmt::Debug for SecretToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretToken(..)")
    }
}

impl From<String> for SecretToken {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for SecretToken {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// So that a token can be read from a settings file.
impl<'de> Deserialize<'de> for SecretToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

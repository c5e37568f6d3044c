//! Text that must not be shown by accident.

use std::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

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

//! Looks for a secret in what shows.

use crate::error::forms;

/// Panics where a secret shows in a text: as it is, percent-encoded, or in base64 wherever it begins. Neither is in the panic's
/// message.
///
/// For tests of layers of your own: run them with a token of which you know the text, and hand over everything that they log.
///
/// ```
/// use magicbell::testing::assert_hidden;
///
/// assert_hidden("canary-token", "authorization: Sensitive");
/// ```
///
/// ```should_panic
/// # use magicbell::testing::assert_hidden;
/// assert_hidden("canary-token", "GET /?q=xx, Y2FuYXJ5LXRva2Vu");
/// ```
///
/// # Panics
///
/// Where it shows; and where the secret is shorter than 8 bytes, since anything might hold it then.
#[track_caller]
pub fn assert_hidden(secret: &str, text: &str) {
    assert!(secret.len() >= 8, "the secret is shorter than 8 bytes");
    for (name, form) in forms(secret) {
        assert!(!text.contains(&form), "the secret shows {name}");
    }
}

//! The token in an `Authorization`, and the forms in which it can stand in a text.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use http::HeaderValue;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// The shortest form that is looked for within words. What is shorter stands in many a text by chance, and to replace it there
/// would garble messages and hide nothing: eight characters of base64 are six bytes, which can be guessed.
const MIN: usize = 8;

/// Returns the token: what follows the scheme, whatever that is, or all of it where there is none.
pub(crate) fn token_of(authorization: &HeaderValue) -> Cow<'_, str> {
    // Not by `to_str`: a value may have letters outside ASCII, and so may its echo.
    match String::from_utf8_lossy(authorization.as_bytes()) {
        Cow::Borrowed(value) => after_scheme(value).into(),
        Cow::Owned(value) => after_scheme(&value).to_owned().into(),
    }
}

fn after_scheme(value: &str) -> &str {
    let value = value.trim_start();
    value.split_once([' ', '\t']).map_or(value, |(_, token)| token.trim())
}

/// Says whether there is a token to send. A scheme alone is none.
pub(crate) fn has_token(authorization: &HeaderValue) -> bool {
    let token = token_of(authorization);
    !token.is_empty() && !authorization.as_bytes().trim_ascii().eq_ignore_ascii_case(b"bearer")
}

/// Replaces a token in a text, in whatever form. A token of fewer than [`MIN`] bytes is replaced where it is a word by itself.
pub(super) fn replace(text: String, token: &str, by: &str) -> String {
    let (long, short): (Vec<_>, Vec<_>) = forms(token).into_iter().partition(|(_, form)| form.len() >= MIN);
    let text = long.iter().fold(text, |text, (_, form)| text.replace(form, by));
    let short = short.iter().filter(|(name, form)| *name != IN_BASE64 && !form.is_empty());
    short.fold(text, |text, (_, form)| replace_word(&text, form, by))
}

/// Replaces what has no letter and no digit beside it.
fn replace_word(text: &str, word: &str, by: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    let mut last = None;
    while let Some((before, after)) = rest.split_once(word) {
        let beside = [before.chars().next_back().or(last), after.chars().next()];
        let is_word = !beside.into_iter().flatten().any(char::is_alphanumeric);
        clean.push_str(before);
        clean.push_str(if is_word { by } else { word });
        (rest, last) = (after, word.chars().next_back());
    }
    clean + rest
}

const IN_BASE64: &str = "in base64";

/// The forms in which a secret can stand in a text, each with its name: as it is, percent-encoded, and in base64 (either alphabet)
/// wherever in the encoded bytes it begins.
pub(crate) fn forms(secret: &str) -> [(&'static str, String); 8] {
    let base64 = |engine: &GeneralPurpose, before: usize| {
        let encoded = engine.encode([&vec![0; before], secret.as_bytes()].concat());
        // The characters that no neighbouring byte has a part in: of an empty secret, none.
        let own = (before * 8).div_ceil(6)..(before + secret.len()) * 8 / 6;
        encoded.get(own).unwrap_or_default().to_owned()
    };
    [
        ("as it is", secret.to_owned()),
        ("percent-encoded", utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string()),
        (IN_BASE64, base64(&STANDARD_NO_PAD, 0)),
        (IN_BASE64, base64(&STANDARD_NO_PAD, 1)),
        (IN_BASE64, base64(&STANDARD_NO_PAD, 2)),
        (IN_BASE64, base64(&URL_SAFE_NO_PAD, 0)),
        (IN_BASE64, base64(&URL_SAFE_NO_PAD, 1)),
        (IN_BASE64, base64(&URL_SAFE_NO_PAD, 2)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_of_any_length_has_its_forms() {
        for length in 0..9 {
            let secret = "é~a.b-c/d".chars().take(length).collect::<String>();
            assert_eq!(forms(&secret)[0].1, secret);
        }
        assert!(forms("").iter().all(|(_, form)| form.is_empty()));
    }

    #[test]
    fn the_token_is_what_follows_the_scheme() {
        for (value, token) in [
            ("Bearer t", "t"),
            ("bearer t", "t"),
            ("Token \t t ", "t"),
            (" Bearer t", "t"),
            ("t", "t"),
            ("Digest a=1, b=2", "a=1, b=2"),
            ("Bearer é", "é"),
            ("Token ", ""),
            ("", ""),
        ] {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            assert_eq!(token_of(&value), token, "{value:?}");
            assert_eq!(has_token(&value), !token.is_empty(), "{value:?}");
        }
        assert!(!has_token(&HeaderValue::from_static("Bearer")));
        assert_eq!(token_of(&HeaderValue::from_bytes(b"Bearer \xff!").unwrap()), "\u{fffd}!");
    }
}

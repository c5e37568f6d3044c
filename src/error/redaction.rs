//! Makes a server's text fit to be kept and shown.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use serde_json::{Map, Value};

use super::known_token::{has_token, replace, token_of};

/// What a secret is replaced by.
const REDACTED: &str = "[redacted]";

/// How many of the tokens that were sent before are known, too.
const EARLIER: usize = 8;

/// The shortest run that is taken for a JWT.
const JWT_MIN: usize = 20;

/// Makes a server's text fit to be kept and shown. It knows the tokens that were sent last, so that an echo of one is found.
#[derive(Clone, Default)]
pub(crate) struct Redactor {
    authorization: Arc<RwLock<Option<HeaderValue>>>,
    /// Those that were sent before it: a call that is in flight may have been sent with one.
    earlier: Arc<RwLock<VecDeque<HeaderValue>>>,
    changes: Arc<AtomicU64>,
}

impl Redactor {
    /// Learns which `Authorization` is to be sent; false where no token is in it.
    pub(crate) fn learn(&self, authorization: &HeaderValue) -> bool {
        // Nearly always it is, and then nothing has to be looked for in it.
        if self.authorization.read().unwrap_or_else(PoisonError::into_inner).as_ref() == Some(authorization) {
            return true;
        }
        if !has_token(authorization) {
            return false;
        }
        let known = self.authorization.write().unwrap_or_else(PoisonError::into_inner).replace(authorization.clone());
        self.remember(known);
        self.changes.fetch_add(1, Ordering::Release);
        true
    }

    fn remember(&self, known: Option<HeaderValue>) {
        let mut earlier = self.earlier.write().unwrap_or_else(PoisonError::into_inner);
        earlier.extend(known);
        if earlier.len() > EARLIER {
            earlier.pop_front();
        }
    }

    /// Returns how often another token has become known: 0 where none is yet.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Returns the claims of the token that are text, where it is a JWT: its id may be among them, under whatever name.
    pub(crate) fn claims(&self) -> Vec<String> {
        self.all_claims().into_iter().filter_map(|(_, claim)| claim.as_str().map(str::to_owned)).collect()
    }

    /// Returns a claim of the token, where it is a JWT and the claim is text or a number.
    pub(crate) fn claim(&self, name: &str) -> Option<String> {
        match self.all_claims().get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Says whether a text is the token itself.
    pub(crate) fn is_known_token(&self, text: &str) -> bool {
        let authorization = self.authorization.read().unwrap_or_else(PoisonError::into_inner);
        authorization.as_ref().is_some_and(|value| token_of(value) == text)
    }

    fn all_claims(&self) -> Map<String, Value> {
        let authorization = self.authorization.read().unwrap_or_else(PoisonError::into_inner);
        let token = authorization.as_ref().map(token_of).unwrap_or_default();
        let payload = token.split('.').nth(1);
        let payload = payload.and_then(|payload| URL_SAFE_NO_PAD.decode(payload).ok()).unwrap_or_default();
        serde_json::from_slice(&payload).unwrap_or_default()
    }

    /// Replaces what looks like a token, strips control and bidirectional characters, folds white space, and caps the length
    /// at `max` bytes.
    pub(crate) fn clean(&self, text: &str, max: usize) -> String {
        // Cut last, and folded first: else half a token could be left, or one that invisible characters break up.
        let text = without_jwts(&self.without_known_token(&fold(text)));
        match truncate(&text, max) {
            whole if whole.len() == text.len() => text,
            part => format!("{}…", truncate(part, max.saturating_sub('…'.len_utf8()))),
        }
    }

    fn without_known_token(&self, text: &str) -> String {
        let authorization = self.authorization.read().unwrap_or_else(PoisonError::into_inner);
        let earlier = self.earlier.read().unwrap_or_else(PoisonError::into_inner);
        let known = authorization.iter().chain(earlier.iter());
        // What white space is in a token has been folded in the text, too.
        known.map(token_of).fold(text.to_owned(), |text, token| match fold(&token) {
            folded if folded == token => replace(text, &token, REDACTED),
            folded => replace(replace(text, &folded, REDACTED), &token, REDACTED),
        })
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}

/// Replaces runs that begin as every JWT does, `{"` in base64, and are long enough to be one.
fn without_jwts(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("eyJ") {
        let (before, run) = rest.split_at(start);
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=' | '+');
        let (run, after) = run.split_at(run.find(|c| !is_part(c)).unwrap_or(run.len()));
        clean.push_str(before);
        clean.push_str(if run.len() >= JWT_MIN { REDACTED } else { run });
        rest = after;
    }
    clean + rest
}

/// Makes each run of white space one space, and leaves out what a terminal would obey or what would reorder text.
fn fold(text: &str) -> String {
    let visible = |c: &char| c.is_whitespace() || !(c.is_control() || is_format(*c));
    let text = text.chars().filter(visible).collect::<String>();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Bidirectional and zero-width characters, and what else shows nothing.
fn is_format(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Returns the longest beginning of at most `max` bytes that ends between characters.
fn truncate(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD_NO_PAD;

    use super::*;

    fn clean(text: &str, max: usize) -> String {
        let redactor = Redactor::default();
        redactor.learn(&HeaderValue::from_static("Bearer known.token"));
        redactor.clean(text, max)
    }

    #[test]
    fn an_echo_of_the_known_token_is_redacted() {
        assert_eq!(clean("bad token 'known.token'", 99), "bad token '[redacted]'");
    }

    #[test]
    fn the_claims_of_a_jwt_are_read_and_nothing_elses() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"jti":"tok-1","project":7,"admin":true,"x":null}"#);
        let redactor = Redactor::default();
        assert_eq!((redactor.changes(), redactor.claims()), (0, vec![]));
        redactor.learn(&HeaderValue::try_from(format!("Bearer e30.{payload}.c2ln")).unwrap());
        assert_eq!(redactor.claims(), ["tok-1"]);
        let claims = ["jti", "project", "admin", "x", "none"].map(|name| redactor.claim(name));
        assert_eq!(claims, [Some("tok-1".to_owned()), Some("7".to_owned()), None, None, None]);
        assert!(redactor.is_known_token(&format!("e30.{payload}.c2ln")));
        assert!(!redactor.is_known_token(&payload));
        redactor.learn(&HeaderValue::from_static("Bearer opaque"));
        assert_eq!((redactor.changes(), redactor.claims()), (2, vec![]));
        assert_eq!(format!("{redactor:?}"), "Redactor");
    }

    #[test]
    fn the_token_is_what_follows_the_scheme_whatever_that_is() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"jti":"tok-1"}"#);
        let token = format!("e30.{payload}.c2ln");
        for before in ["Bearer ", "bearer ", "Token ", "Bearer  ", "Bearer\t ", " Bearer ", ""] {
            let redactor = Redactor::default();
            redactor.learn(&HeaderValue::try_from(format!("{before}{token} ").trim_end()).unwrap());
            assert_eq!(redactor.clean(&format!("no {token}!"), 99), "no [redacted]!", "{before:?}");
            assert!(redactor.is_known_token(&token), "{before:?}");
            assert_eq!(
                (redactor.claims(), redactor.claim("jti")),
                (vec!["tok-1".to_owned()], Some("tok-1".to_owned()))
            );
        }
        let redactor = Redactor::default();
        redactor.learn(&HeaderValue::from_bytes("Digest user=\"é\",  response=\"opaque\"".as_bytes()).unwrap());
        assert_eq!(redactor.clean("got user=\"é\",  response=\"opaque\"", 99), "got [redacted]");
    }

    #[test]
    fn an_echo_in_another_form_is_redacted() {
        let redactor = Redactor::default();
        let token = "an-opaque-token-".repeat(4);
        redactor.learn(&HeaderValue::try_from(format!("Bearer {token}")).unwrap());
        for before in ["", "x", "xy", "xyz"] {
            let encoded = STANDARD_NO_PAD.encode(format!("{before}{token}!"));
            let clean = redactor.clean(&encoded, 99);
            assert!(clean.contains("[redacted]"), "{encoded}: {clean}");
            // But for the characters that its neighbours have a part in, nothing of it is left.
            assert!(clean.replace("[redacted]", "").len() <= 8, "{encoded}: {clean}");
        }
        assert_eq!(clean("known%2Etoken", 99), "[redacted]");
    }

    #[test]
    fn an_odd_value_never_panics_and_leaves_other_words_alone() {
        for value in
            ["", " ", "Bearer", "Bearer ", "Bearer  ", "Bearer a", "Bearer ab", "Bearer -", "a", "é", "Bearer é"]
        {
            let redactor = Redactor::default();
            redactor.learn(&HeaderValue::from_bytes(value.as_bytes()).unwrap());
            let text = "banana Y2Fu, YW 7 of abacus";
            assert_eq!(redactor.clean(text, 99), text, "{value:?}");
        }
    }

    #[test]
    fn a_short_token_is_redacted_where_it_is_a_word() {
        let redactor = Redactor::default();
        redactor.learn(&HeaderValue::from_static("Bearer s3cr.t"));
        assert_eq!(
            redactor.clean("no 's3cr.t' and s3cr%2Et, but s3cr.tx", 99),
            "no '[redacted]' and [redacted], but s3cr.tx"
        );
        assert_eq!(redactor.clean("s3cr.ts3cr.t s3cr.t", 99), "s3cr.ts3cr.t [redacted]");
    }

    #[test]
    fn any_jwt_is_redacted() {
        assert_eq!(clean("got eyJhbGciOiJIUzI1NiJ9.e30.c2ln, sorry", 99), "got [redacted], sorry");
        assert_eq!(clean("the word eyJ alone stays", 99), "the word eyJ alone stays");
    }

    #[test]
    fn a_token_across_the_cap_leaves_no_beginning() {
        assert_eq!(clean("0123456789 eyJhbGciOiJIUzI1NiJ9.e30.c2ln", 16), "0123456789 [r…");
    }

    #[test]
    fn a_token_that_invisible_characters_break_up_is_redacted() {
        assert_eq!(clean("bad kno\u{200b}wn.\u{0}token", 99), "bad [redacted]");
    }

    #[test]
    fn what_a_terminal_would_obey_is_stripped() {
        assert_eq!(clean("a\u{1b}[31mred\u{7}\u{202e}x\u{9b}y\r\nz", 99), "a[31mredxy z");
    }

    #[test]
    fn the_cap_is_in_bytes_and_never_splits_a_character() {
        for max in 0..12 {
            let text = clean("ééééééé", max);
            assert!(text.len() <= max.max('…'.len_utf8()), "{max}: {text:?}");
        }
    }

    #[test]
    fn the_tokens_that_were_sent_last_are_known_and_no_more_of_them() {
        let redactor = Redactor::default();
        let token = |number: usize| format!("opaque-token-number-{number}-of-many");
        for number in 0..=EARLIER {
            redactor.learn(&HeaderValue::try_from(format!("Bearer {}", token(number))).unwrap());
        }
        for number in 0..=EARLIER {
            assert_eq!(redactor.clean(&token(number), 100), REDACTED, "{number}");
        }
        redactor.learn(&HeaderValue::from_static("Bearer another-opaque-token"));
        assert_eq!(redactor.clean(&token(0), 100), token(0), "memory doesn't grow with rotations");
        assert_eq!(redactor.clean(&token(1), 100), REDACTED);
    }
}

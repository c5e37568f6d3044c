//! Writes a path from its template, one parameter a segment.

use std::borrow::Cow;
use std::marker::PhantomData;

use magicbell_middleware::Operation;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::Endpoint;
use crate::error::InvalidRequest;
use crate::scan::{has, is_unreserved};

/// All but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A template, cut at its first parameter.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cut<'a> {
    Parameter {
        before: &'a str,
        name: &'a str,
        after: &'a str,
    },
    None,
    /// Not a template of a path.
    Bad(&'static str),
}

/// What an endpoint declares, worked out by the compiler.
pub(crate) struct Declared<E>(PhantomData<E>);

impl<E: Endpoint> Declared<E> {
    pub(crate) const OPERATION: &'static Operation = &E::OPERATION;

    /// Its template, cut at the first parameter.
    pub(super) const CUT: Cut<'static> = {
        let path = Self::OPERATION.path();
        match path.as_bytes().first() {
            Some(b'/') => cut(path),
            _ => Cut::Bad("its template doesn't begin with a slash"),
        }
    };
}

/// Writes the endpoint's path, its parameters encoded.
pub(super) fn write<E: Endpoint>(endpoint: &E, path: &mut String) -> Result<(), InvalidRequest> {
    let (mut next, mut rest) = (Declared::<E>::CUT, Declared::<E>::OPERATION.path());
    loop {
        match next {
            Cut::Parameter { before, name, after } => {
                path.push_str(before);
                let Some(value) = endpoint.path_parameter(name) else {
                    return Err(InvalidRequest::new(name.to_owned(), "it is not given"));
                };
                write_segment(&value, path).map_err(|reason| InvalidRequest::new(name.to_owned(), reason))?;
                (next, rest) = (cut(after), after);
            }
            Cut::None => {
                path.push_str(rest);
                return Ok(());
            }
            Cut::Bad(reason) => return Err(InvalidRequest::new("path", reason)),
        }
    }
}

/// Cuts a template at its first parameter. Byte by byte: a template is too short for a search to pay.
pub(super) const fn cut(template: &str) -> Cut<'_> {
    let bytes = template.as_bytes();
    let mut open = 0;
    while open < bytes.len() && bytes[open] != b'{' {
        if matches!(bytes[open], b'?' | b'#') {
            return Cut::Bad("its template has a query or a fragment in it");
        }
        open += 1;
    }
    if open == bytes.len() {
        return Cut::None;
    }
    let mut close = open + 1;
    while close < bytes.len() && bytes[close] != b'}' {
        close += 1;
    }
    if close == bytes.len() {
        return Cut::Bad("its template has a '{' that isn't closed");
    }
    // Both are places of ASCII characters, so they are characters' bounds.
    let (before, rest) = template.split_at(open);
    let (parameter, after) = rest.split_at(close + 1 - open);
    let (_, name) = parameter.split_at(1);
    let (name, _) = name.split_at(name.len() - 1);
    Cut::Parameter { before, name, after }
}

/// Appends a parameter as one segment, or refuses what wouldn't arrive as one that decodes to itself: servers, proxies and URL
/// libraries drop or resolve it.
fn write_segment(value: &str, path: &mut String) -> Result<(), &'static str> {
    match value {
        "" => return Err("it is empty"),
        "." | ".." => return Err("it is a dot segment, which would name another path"),
        // Most ids are of unreserved characters alone, and need no look at each character.
        _ if is_unreserved(value) => {
            path.push_str(value);
            return Ok(());
        }
        _ if value.chars().any(char::is_control) => return Err("it has a control character in it"),
        _ if value.trim().is_empty() => return Err("it is blank"),
        _ => path.extend(utf8_percent_encode(value, ENCODED)),
    }
    Ok(())
}

/// Appends a value, percent-encoded. Most ids have nothing to encode.
pub(super) fn encode(value: &str, buffer: &mut String) {
    if is_unreserved(value) {
        buffer.push_str(value);
    } else {
        buffer.extend(utf8_percent_encode(value, ENCODED));
    }
}

/// Returns a segment as it was before it was encoded.
pub(super) fn decode_segment(segment: &str) -> Cow<'_, str> {
    if has(segment, b'%') { percent_decode_str(segment).decode_utf8_lossy() } else { segment.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Get(&'static str);
    impl Endpoint for Get {
        type Response = ();
        const OPERATION: Operation = Operation::get("get", "/a/{id}/b");
        fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
            (name == "id").then_some(Cow::Borrowed(self.0))
        }
    }

    fn written(id: &'static str) -> Result<String, InvalidRequest> {
        let mut path = String::new();
        write(&Get(id), &mut path).map(|()| path)
    }

    #[test]
    fn unreserved_characters_stay_as_they_are() {
        assert_eq!(written("Az09-._~").unwrap(), "/a/Az09-._~/b");
    }

    #[test]
    fn every_other_character_is_one_segment_that_decodes_to_itself() {
        let ids =
            ["a/b", "../x", "a b", " a", "a?b#c", "a%2Fb", "é/ü", "a\\b", "a;b=c&d", "...", "@:+", "{id}", "日本"];
        for id in ids {
            let path = written(id).unwrap();
            let segment = path.strip_prefix("/a/").and_then(|path| path.strip_suffix("/b")).unwrap();
            assert!(segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)), "{segment}");
            assert_eq!(decode_segment(segment), id);
        }
    }

    #[test]
    fn what_could_name_another_path_is_refused() {
        for id in ["", ".", "..", "a\r\nb", "a\0", "\u{7f}", "\u{85}", " ", "\u{3000}"] {
            let error = written(id).unwrap_err();
            assert_eq!(error.field(), "id", "{id:?}");
        }
    }

    struct Odd;
    impl Endpoint for Odd {
        type Response = ();
        const OPERATION: Operation = Operation::get("get", "users");
    }

    #[test]
    fn a_template_that_is_not_a_path_is_an_error() {
        assert!(write(&Odd, &mut String::new()).is_err());
        for template in ["/a?b", "/a#b", "/a/{id}/b?c={id}", "/{id"] {
            let mut next = cut(template);
            while let Cut::Parameter { after, .. } = next {
                next = cut(after);
            }
            assert!(matches!(next, Cut::Bad(_)), "{template}");
        }
    }

    struct Unfilled;
    impl Endpoint for Unfilled {
        type Response = ();
        const OPERATION: Operation = Operation::get("get", "/a/{id}");
    }

    #[test]
    fn a_parameter_that_is_not_given_is_an_error() {
        let error = write(&Unfilled, &mut String::new()).unwrap_err();
        assert_eq!(error.to_string(), "id: it is not given");
    }
}

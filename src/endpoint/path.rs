//! Writes a path from its template, one parameter a segment.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::Endpoint;
use crate::error::InvalidRequest;

/// All but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Writes the endpoint's path, its parameters encoded.
pub(super) fn write<E: Endpoint>(endpoint: &E, path: &mut String) -> Result<(), InvalidRequest> {
    let mut template = E::OPERATION.path();
    if !template.starts_with('/') {
        return Err(InvalidRequest::new("path", "its template doesn't begin with a slash"));
    }
    while let Some((literal, name, rest)) = next_parameter(template)? {
        path.push_str(literal);
        let Some(value) = endpoint.path_parameter(name) else {
            return Err(InvalidRequest::new(name.to_owned(), "it is not given"));
        };
        check_segment(&value).map_err(|reason| InvalidRequest::new(name.to_owned(), reason))?;
        encode(&value, path);
        template = rest;
    }
    path.push_str(template);
    Ok(())
}

/// Splits a template at its first parameter: what is before it, its name, and what is after it.
pub(super) fn next_parameter(template: &str) -> Result<Option<(&str, &str, &str)>, InvalidRequest> {
    // Byte by byte: a template is too short for a search to pay.
    let Some(open) = template.bytes().position(|byte| matches!(byte, b'{' | b'?' | b'#')) else { return Ok(None) };
    if template.as_bytes()[open] != b'{' {
        return Err(InvalidRequest::new("path", "its template has a query or a fragment in it"));
    }
    let Some(length) = template[open..].bytes().position(|byte| byte == b'}') else {
        return Err(InvalidRequest::new("path", "its template has a '{' that isn't closed"));
    };
    Ok(Some((&template[..open], &template[open + 1..open + length], &template[open + length + 1..])))
}

/// Appends a value, percent-encoded. Most ids have nothing to encode.
pub(super) fn encode(value: &str, buffer: &mut String) {
    if value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')) {
        buffer.push_str(value);
    } else {
        buffer.extend(utf8_percent_encode(value, ENCODED));
    }
}

/// Refuses what wouldn't arrive as one segment that decodes to itself: servers, proxies and URL libraries drop or resolve it.
fn check_segment(value: &str) -> Result<(), &'static str> {
    match value {
        "" => Err("it is empty"),
        "." | ".." => Err("it is a dot segment, which would name another path"),
        // Most ids are of visible ASCII alone, and need no look at each character.
        _ if value.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(()),
        _ if value.chars().any(char::is_control) => Err("it has a control character in it"),
        _ if value.trim().is_empty() => Err("it is blank"),
        _ => Ok(()),
    }
}

/// Returns a segment as it was before it was encoded.
pub(super) fn decode_segment(segment: &str) -> Cow<'_, str> {
    if segment.contains('%') { percent_decode_str(segment).decode_utf8_lossy() } else { segment.into() }
}

#[cfg(test)]
mod tests {
    use magicbell_middleware::Operation;

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
            let mut rest = Ok(Some(("", "", template)));
            while let Ok(Some((_, _, template))) = rest {
                rest = next_parameter(template);
            }
            assert_eq!(rest.unwrap_err().field(), "path", "{template}");
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

//! Writes an answer as HTTP/1.1 bytes, where hyper would mend what a fault breaks.

use std::time::SystemTime;

use http::header::{CONNECTION, CONTENT_LENGTH, DATE, HeaderValue, TRANSFER_ENCODING};

use super::answer::Answer;

/// How a client can tell where the body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// By this `Content-Length`.
    Length(usize),
    /// By the connection's end, which `Connection: close` announces.
    UntilClose,
    /// There is no body.
    NoBody,
}

/// The head, and at most `keep` bytes of the body.
pub(super) fn bytes(mut answer: Answer, framing: Framing, keep: usize) -> Vec<u8> {
    frame(&mut answer, framing);
    let mut bytes = head(&answer);
    let body = answer.body();
    bytes.extend_from_slice(&body[..keep.min(body.len())]);
    bytes
}

fn frame(answer: &mut Answer, framing: Framing) {
    let headers = answer.headers_mut();
    headers.remove(TRANSFER_ENCODING);
    headers.remove(CONTENT_LENGTH);
    match framing {
        Framing::Length(length) => _ = headers.insert(CONTENT_LENGTH, HeaderValue::from(length)),
        Framing::UntilClose => _ = headers.insert(CONNECTION, HeaderValue::from_static("close")),
        Framing::NoBody => {}
    }
    if let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(SystemTime::now())) {
        headers.entry(DATE).or_insert(date);
    }
}

fn head(answer: &Answer) -> Vec<u8> {
    let status = answer.status();
    let reason = status.canonical_reason().unwrap_or_default();
    let mut head = format!("HTTP/1.1 {} {reason}\r\n", status.as_u16()).into_bytes();
    for (name, value) in answer.headers() {
        head.extend([name.as_ref(), b": ".as_slice(), value.as_bytes(), b"\r\n"].concat());
    }
    head.extend(b"\r\n");
    head
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Response;

    use super::*;

    fn text(framing: Framing) -> String {
        let answer =
            Response::builder().status(418).header(DATE, "today").header("x", "1").body(Bytes::from_static(b"body"));
        String::from_utf8(bytes(answer.expect("an answer"), framing, 2)).expect("text")
    }

    #[test]
    fn the_length_is_the_one_given_and_the_body_is_cut() {
        assert_eq!(
            text(Framing::Length(4)),
            "HTTP/1.1 418 I'm a teapot\r\ndate: today\r\nx: 1\r\ncontent-length: 4\r\n\r\nbo"
        );
    }

    #[test]
    fn without_a_length_the_connection_is_said_to_close() {
        assert_eq!(
            text(Framing::UntilClose),
            "HTTP/1.1 418 I'm a teapot\r\ndate: today\r\nx: 1\r\nconnection: close\r\n\r\nbo"
        );
    }
}

//! Any answer is told of without a panic, and without the token.
//!
//! The first line is the status and which operation it answers, the second a `Retry-After`, the third a `RateLimit`; the rest is the
//! body, with `$T` for the client's token.
#![no_main]

use std::error::Error as _;
use std::fmt::Write as _;

use http::{HeaderValue, Response};
use libfuzzer_sys::fuzz_target;
use magicbell::jwt::{CreateProjectJwt, CreateUserJwt, DiscardUserJwt, FetchProjectTokens};
use magicbell::{Body, Error, RetryPolicy};
use magicbell_fuzz::{TOKEN, block_on, client};

/// Everything that an error can be made to say.
fn all_of(error: &Error) -> String {
    let mut text = format!("{error}\n{error:?}\n{error:#?}\n{:?}\n{:?}", error.api_errors(), error.attempts());
    for entry in error.api_errors() {
        write!(text, "\n{}\n{:?}\n{:?}", entry.message, entry.code, entry.field).unwrap();
    }
    let mut source = error.source();
    while let Some(error) = source {
        write!(text, "\n{error}\n{error:?}").unwrap();
        source = error.source();
    }
    text
}

/// Makes the answer, and says which operation it is for.
fn answer(input: &[u8]) -> Option<(Response<Body>, u8)> {
    let mut lines = input.splitn(4, |byte| *byte == b'\n');
    let head = std::str::from_utf8(lines.next()?).ok()?;
    let (status, operation) = (head.get(..3)?.parse::<u16>().ok()?, *head.as_bytes().get(3)?);
    let mut answer = Response::builder().status(status);
    for name in ["retry-after", "ratelimit"] {
        let value = HeaderValue::from_bytes(lines.next()?).ok()?;
        if !value.is_empty() {
            answer = answer.header(name, value);
        }
    }
    let body = String::from_utf8_lossy(lines.next()?).replace("$T", TOKEN);
    Some((answer.body(Body::from(body)).ok()?, operation))
}

fuzz_target!(|input: &[u8]| {
    let Some((answer, operation)) = answer(input) else { return };
    let retry = RetryPolicy::builder().trust_idempotency_keys(operation.is_ascii_uppercase()).build();
    let client = client("https://api.example/v2", retry, answer).1.unwrap();
    let error = match operation.to_ascii_lowercase() {
        b'l' => block_on(client.execute(FetchProjectTokens::builder().build())).err(),
        b'd' => block_on(client.execute(DiscardUserJwt::new("id"))).err(),
        b'p' => block_on(client.execute(CreateProjectJwt::builder().name("x").build())).err(),
        b'u' => block_on(client.execute(CreateUserJwt::builder().build())).err(),
        _ => return,
    };
    if let Some(error) = error {
        let shown = all_of(&error);
        assert!(!shown.contains(TOKEN), "{shown}");
        assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
        assert!(error.to_string().len() < 64 * 1024);
    }
});

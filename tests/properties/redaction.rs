//! A server's text never brings the client's token into an error.

use std::error::Error as _;
use std::fmt::Write as _;

use magicbell::jwt::{CreateProjectJwt, DiscardUserJwt, FetchProjectTokens};
use magicbell::{Endpoint, Error};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::json;

use crate::support::{answer, block_on, cases, client, text};

/// How much of a token may show, at most.
const PART: usize = 12;

/// A token, of any characters that JSON doesn't escape.
fn token() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9]{16,48}",
        "[!-~&&[^\"\\\\]]{16,48}",
        "eyJ[A-Za-z0-9_-]{8,20}\\.[A-Za-z0-9_-]{8,20}\\.[A-Za-z0-9_-]{8,20}"
    ]
}

/// Everything that an error can be made to say.
fn all_of(error: &Error) -> String {
    let mut text = format!("{error}\n{error:?}\n{error:#?}\n{:?}", error.attempts());
    for entry in error.api_errors() {
        write!(
            text,
            "\n{}\n{}\n{}",
            entry.message,
            entry.code.as_deref().unwrap_or(""),
            entry.field.as_deref().unwrap_or("")
        )
        .unwrap();
    }
    let mut source = error.source();
    while let Some(error) = source {
        write!(text, "\n{error}\n{error:?}").unwrap();
        source = error.source();
    }
    text
}

/// Executes a request, and says everything that its error says; nothing where it succeeds.
fn shown<E: Endpoint>(token: &str, request: E, status: u16, body: &str) -> String {
    let (_, client) = client("https://api.example/v2", token, answer(status, body.to_owned()));
    block_on(client.unwrap().execute(request)).err().map(|error| all_of(&error)).unwrap_or_default()
}

/// Bodies in which a text stands where a server's text can stand.
fn bodies(text: &str) -> [String; 6] {
    [
        text.to_owned(),
        json!({ "errors": [{ "code": text, "message": text, "field": text }, { "message": text }] }).to_string(),
        json!({ "type": text, "title": text }).to_string(),
        json!({ "detail": text }).to_string(),
        json!({ "token_id": text, "token": [text], text: text }).to_string(),
        json!([text]).to_string(),
    ]
}

/// Checks that nothing of the token shows in what is told of a text that has it in it, but for at most [`PART`] of its bytes.
fn stays_hidden(token: &str, text: &str, status: u16) -> Result<(), TestCaseError> {
    for body in bodies(text) {
        let shown = [
            shown(token, FetchProjectTokens::builder().build(), status, &body),
            shown(token, DiscardUserJwt::new("id"), status, &body),
            shown(token, CreateProjectJwt::builder().name("x").build(), status, &body),
        ];
        for shown in shown {
            prop_assert!(!shown.contains(token), "{}", shown);
            prop_assert!(!shown.contains(&token[..PART]), "its beginning: {}", shown);
            prop_assert!(!shown.contains(&token[token.len() - PART..]), "its end: {}", shown);
        }
    }
    Ok(())
}

fn status() -> impl Strategy<Value = u16> {
    prop_oneof![select(vec![200_u16, 201, 302, 400, 401, 403, 404, 409, 422, 429, 500, 502, 503]), 200_u16..1000]
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn a_token_in_a_servers_text_is_redacted(token in token(), before in text(), after in text(), status in status()) {
        stays_hidden(&token, &format!("{before}{token}{after}"), status)?;
        stays_hidden(&token, &format!("{before}{token}{token}{after}"), status)?;
    }

    #[test]
    fn a_token_across_the_cap_is_redacted(token in token(), filler in select(vec!["x", "é", "日"]), length in 0_usize..600) {
        stays_hidden(&token, &format!("{}{token}", filler.repeat(length / filler.len())), 502)?;
    }

    /// What is left out of a text must not put a token together.
    #[test]
    fn a_token_that_invisible_characters_break_up_is_redacted(
        token in token(),
        between in select(vec!["\u{200b}", "\0", "\u{7f}", "\u{1b}", "\u{202e}", "\u{ad}", "\u{feff}"]),
        at in any::<Index>(),
        status in status(),
    ) {
        let (start, end) = token.split_at(1 + at.index(token.len() - 1));
        stays_hidden(&token, &format!("bad {start}{between}{end}, sorry"), status)?;
    }
}

proptest! {
    #![proptest_config(cases(32))]

    /// White space is folded and invisible characters are left out, so that what stood far beyond the cap may come within it.
    #[test]
    fn a_token_beyond_what_is_folded_is_redacted(
        token in token(),
        filler in select(vec![" ", "\n", "\u{200b}", "\0", "\u{3000}"]),
        length in 1_000_usize..6_500,
    ) {
        stays_hidden(&token, &format!("{}{token}", filler.repeat(length / filler.len())), 502)?;
    }
}

//! Any link is read without a panic, and any cursor is found in a link that is made of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use magicbell::jwt::Links;

fn next_cursor(link: &str) -> Option<String> {
    serde_json::from_value::<Links>(serde_json::json!({ "next": link })).unwrap().next_cursor()
}

fuzz_target!(|text: &str| {
    assert_ne!(next_cursor(text).as_deref(), Some(""));
    if !text.is_empty() {
        let encoded = text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        for before in ["https://elsewhere.example/?limit=3&", "/v2/jwt/project?", "?", ""] {
            let link = format!("{before}starting_after={encoded}");
            assert_eq!(next_cursor(&link).as_deref(), Some(text), "{link}");
        }
    }
});

//! Requests go to the base URL that was given, or no client is built.
#![no_main]

use http::Response;
use http::uri::Authority;
use libfuzzer_sys::fuzz_target;
use magicbell::jwt::FetchProjectTokens;
use magicbell::{Body, ErrorKind, RetryPolicy};
use magicbell_fuzz::{block_on, client};

fuzz_target!(|url: &str| {
    let (received, client) = client(url, RetryPolicy::never(), Response::new(Body::from("{}")));
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(!format!("{error} {error:?}").contains("hunter2"));
            return;
        }
    };
    let (scheme, rest) = url.split_once("://").unwrap();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    assert!(!url.contains(['?', '#', '\\']) && !authority.contains('@'));
    let is_loopback = ["localhost", "127.", "[::1]", "[0"].iter().any(|host| authority.to_ascii_lowercase().starts_with(host));
    assert!(scheme.eq_ignore_ascii_case("https") || is_loopback);

    if let Err(error) = block_on(client.execute(FetchProjectTokens::builder().build())) {
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        return;
    }
    let received = received.lock().unwrap();
    let uri = received[0].uri();
    assert!(uri.scheme_str().unwrap().eq_ignore_ascii_case(scheme));
    assert_eq!(uri.authority().map(Authority::as_str), Some(authority));
    assert_eq!(uri.path(), format!("{}/jwt/project", path.trim_end_matches('/')));
    assert_eq!(uri.query(), None);
});

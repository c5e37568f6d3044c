//! Requests go to the base URL that was given, or no client is built.
#![no_main]

use std::net::{Ipv4Addr, Ipv6Addr};

use http::Response;
use http::uri::Authority;
use libfuzzer_sys::fuzz_target;
use magicbell::jwt::FetchProjectTokens;
use magicbell::{Body, ErrorKind, RetryPolicy};
use magicbell_fuzz::{block_on, client};

fn is_loopback(authority: &str) -> bool {
    let port = authority.rfind(':').filter(|colon| !authority[*colon..].contains(']'));
    let host = &authority[..port.unwrap_or(authority.len())];
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback()),
        None => {
            host.eq_ignore_ascii_case("localhost")
                || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

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
    assert!(scheme.eq_ignore_ascii_case("https") || is_loopback(authority));

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

//! Requests go to the base URL that was given, or no client is built.

use std::net::{Ipv4Addr, Ipv6Addr};

use magicbell::jwt::FetchProjectTokens;
use magicbell::{Client, ErrorKind};
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::{answer, block_on, cases, client, text};

/// A password that stands in some of the URLs.
const PASSWORD: &str = "hunter2";

/// Text that looks like a URL, more or less.
fn like_a_url() -> impl Strategy<Value = String> {
    let scheme = select(vec!["https", "http", "HTTPS", "hTTp", "ftp", "file", "httpss", " https", ""]);
    let separator = select(vec!["://", "://", "://", "://", ":///", "//", ":", ":\\\\"]);
    let userinfo =
        select(vec!["", "", "", "", "hunter2@", "user:hunter2@", "user:hunter2@@", "hunter2%40", "hunter2\\@"]);
    let host = prop_oneof![
        select(vec!["api.magicbell.com", "localhost", "LocalHost", "127.0.0.1", "127.1", "[::1]", "[::2]", "10.0.0.1"])
            .prop_map(str::to_owned),
        select(vec![
            "127.0.0.1.example.com",
            "localhost.",
            "[::ffff:127.0.0.1]",
            "2130706433",
            "[[::1]]",
            "[localhost]",
            "[127.0.0.1]",
            "é",
            ""
        ])
        .prop_map(str::to_owned),
        "[a-z0-9.:@%\\[\\]-]{0,12}",
    ];
    let port = select(vec!["", "", "", ":", ":0", ":443", ":65535", ":65536", ":+80", ":8o", ":80:90"]);
    let path = proptest::collection::vec(
        select(vec![
            "/", "/", "/v2", "/é", "/..", "/.", "/%2e%2E", "/%2F", "/a b", "/@", "/:", "/{x}", "/x%", "\\", "\r",
        ]),
        0..4,
    );
    let suffix = select(vec!["", "", "", "", "?hunter2", "#hunter2"]);
    (scheme, separator, userinfo, host, port, path, suffix).prop_map(
        |(scheme, separator, userinfo, host, port, path, suffix)| {
            format!("{scheme}{separator}{userinfo}{host}{port}{}{suffix}", path.concat())
        },
    )
}

/// Splits a URL into scheme, authority and path, by the separators alone.
fn split(url: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    Some((scheme, authority, path))
}

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

fn goes_there_or_is_refused(url: &str) -> Result<(), TestCaseError> {
    let (received, client) = client(url, "a-token", answer(200, "{}"));
    let client: Client = match client {
        Ok(client) => client,
        Err(error) => {
            prop_assert_eq!(error.kind(), ErrorKind::Configuration);
            let shown = format!("{error} {error:?}");
            prop_assert!(!shown.contains(PASSWORD), "{}", shown);
            return Ok(());
        }
    };
    let (scheme, authority, path) = split(url).expect("what is accepted has a scheme and a host");
    prop_assert!(!url.contains(['?', '#', '\\']) && !authority.contains('@'));
    prop_assert!(scheme.eq_ignore_ascii_case("https") || is_loopback(authority), "plain http to {}", authority);

    // A path that leaves no room for the operation's own is refused with the request.
    if let Err(error) = block_on(client.execute(FetchProjectTokens::builder().build())) {
        prop_assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        return Ok(());
    }
    let received = received.lock().unwrap();
    let uri = received[0].uri();
    prop_assert!(uri.scheme_str().is_some_and(|sent| sent.eq_ignore_ascii_case(scheme)));
    prop_assert_eq!(uri.authority().map(http::uri::Authority::as_str), Some(authority));
    prop_assert_eq!(uri.path(), format!("{}/jwt/project", path.trim_end_matches('/')));
    prop_assert_eq!(uri.query(), None);
    Ok(())
}

proptest! {
    #![proptest_config(cases(1024))]

    #[test]
    fn requests_go_to_what_looks_like_a_url_or_it_is_refused(url in like_a_url()) {
        goes_there_or_is_refused(&url)?;
    }

    #[test]
    fn requests_go_to_any_text_or_it_is_refused(before in text(), after in text()) {
        for url in [format!("{before}{after}"), format!("https://{before}{after}"), format!("{before}://user:{PASSWORD}@{after}")] {
            goes_there_or_is_refused(&url)?;
        }
    }

    #[test]
    fn brackets_are_followed_by_a_port_or_the_url_is_refused(
        scheme in select(vec!["http", "https"]),
        host in "[a-z0-9.-]{1,12}",
        port in any::<u16>(),
    ) {
        let (_, client) = client(&format!("{scheme}://[::1]{host}:{port}/v2"), "a-token", answer(200, "{}"));
        prop_assert!(client.is_err());
    }

    #[test]
    fn a_plain_url_is_accepted(host in "[a-z][a-z0-9-]{0,10}(\\.[a-z]{2,5}){0,3}", port in any::<Option<u16>>(), path in "(/[a-z0-9]{1,5}){0,3}/?") {
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let (_, client) = client(&format!("https://{host}{port}{path}"), "a-token", answer(200, "{}"));
        prop_assert!(client.is_ok());
    }
}

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn a_path_of_any_length_is_kept_whole_or_refused(length in 1_usize..100_000) {
        goes_there_or_is_refused(&format!("https://api.example/{}", "x".repeat(length)))?;
    }
}

//! The cursor is found in each form of a link.

use magicbell::jwt::Links;
use proptest::prelude::*;
use serde_json::json;

use crate::support::{cases, percent_encode, text};

fn next_cursor(link: &str) -> Option<String> {
    serde_json::from_value::<Links>(json!({ "next": link })).unwrap().next_cursor()
}

/// Parameters of a query that say nothing of a cursor.
fn others() -> impl Strategy<Value = Vec<String>> {
    let pair = ("[a-z]{1,8}", text()).prop_map(|(name, value)| format!("{name}={}", percent_encode(&value, b"")));
    proptest::collection::vec(pair, 0..3)
}

/// A query with a cursor in it.
fn query(cursor: &str, name: &str, before: &[String], after: &[String], kept: &[u8]) -> String {
    let own = format!("{name}={}", percent_encode(cursor, kept));
    [before, &[own], after].concat().join("&")
}

const NAMES: [&str; 3] = ["starting_after", "page[after]", "page%5Bafter%5D"];

proptest! {
    #![proptest_config(cases(1024))]

    #[test]
    fn any_link_is_read_without_a_panic(link in text()) {
        let _ = next_cursor(&link);
    }

    #[test]
    fn a_cursor_is_found_in_each_form(
        cursor in text().prop_filter("a cursor isn't empty", |cursor| !cursor.is_empty()),
        name in proptest::sample::select(&NAMES[..]),
        before in others(),
        after in others(),
    ) {
        let query = query(&cursor, name, &before, &after, b"");
        let forms = [
            format!("https://api.magicbell.com/v2/jwt/project?{query}"),
            format!("//elsewhere.example/?{query}"),
            format!("/v2/jwt/project?{query}"),
            format!("?{query}"),
            query.clone(),
            format!("/v2/jwt/project?{query}#fragment"),
        ];
        for form in forms {
            prop_assert_eq!(next_cursor(&form), Some(cursor.clone()), "{}", form);
        }
    }

    /// RFC 3986, section 3.4: a query may hold these as they are.
    #[test]
    fn a_cursor_is_found_where_a_query_is_encoded_no_more_than_it_must_be(
        cursor in text().prop_filter("a cursor isn't empty", |cursor| !cursor.is_empty()),
        other in text(),
    ) {
        let kept = b"/?:@!$'()*,;";
        let other = format!("q={}", percent_encode(&other, kept));
        let query = query(&cursor, "starting_after", &[], &[other], kept);
        for form in [format!("https://api.magicbell.com/v2/jwt/project?{query}"), format!("?{query}")] {
            prop_assert_eq!(next_cursor(&form), Some(cursor.clone()), "{}", form);
        }
    }

    #[test]
    fn a_bare_cursor_is_itself(cursor in "[A-Za-z0-9._~-]{1,64}={0,2}") {
        prop_assume!(cursor.trim_end_matches('=') != "starting_after");
        prop_assert_eq!(next_cursor(&cursor), Some(cursor));
    }

    #[test]
    fn without_a_cursor_there_is_no_next_page(parameters in others()) {
        prop_assert_eq!(next_cursor(&format!("/v2/jwt/project?{}", parameters.join("&"))), None);
    }
}

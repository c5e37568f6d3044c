//! Every page, and no page that isn't one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{StreamExt, TryStreamExt};
use magicbell::jwt::{FetchProjectTokens, FetchUserTokens};
use magicbell::testing::{Fault, Server};
use magicbell::{Client, ErrorKind};

use crate::support::{client, json, transport};

#[tokio::test]
async fn both_lists_are_read_to_their_end_in_order() {
    let server = Server::start().await.unwrap();
    let ids = server.add_user_tokens("a/b", 7);
    for limit in [1, 2, 3, 7, 8] {
        server.clear_requests();
        let list = FetchUserTokens::builder().user_id("a/b").limit(limit).build();
        let tokens = client(&server).paginate(list).try_collect::<Vec<_>>().await.unwrap();
        assert_eq!(tokens.into_iter().filter_map(|token| token.id).collect::<Vec<_>>(), ids);
        assert_eq!(server.request_count(), 7_usize.div_ceil(limit as usize));
        assert!(server.requests().iter().all(|sent| sent.target.contains(&format!("limit={limit}"))));
    }
    server.add_project_tokens(4);
    let list = FetchProjectTokens::builder().limit(2).build();
    assert_eq!(client(&server).paginate(list).count().await, 5);
}

fn page(ids: &[&str], next: &str) -> Fault {
    let rows = ids.iter().map(|id| serde_json::json!({ "id": id, "created_at": "x" })).collect::<Vec<_>>();
    Fault::body(200, serde_json::json!({ "data": rows, "links": { "next": next } }).to_string())
}

#[tokio::test]
async fn a_cursor_that_comes_again_ends_it_with_an_error() {
    let server = Server::start().await.unwrap();
    server.fail_next(page(&["1"], "c1"));
    server.fail_next(page(&["2"], "c2"));
    server.fail_next(page(&["3"], "c1").always());
    let mut tokens = client(&server).paginate(FetchProjectTokens::builder().build());
    for id in ["1", "2", "3"] {
        assert_eq!(tokens.next().await.unwrap().unwrap().id.as_deref(), Some(id));
    }
    let error = tokens.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(tokens.next().await.is_none());
    assert_eq!(server.request_count(), 3);
}

#[tokio::test]
async fn a_link_to_elsewhere_gives_its_cursor_and_nothing_else() {
    let elsewhere = Server::start().await.unwrap();
    let server = Server::start().await.unwrap();
    let host = elsewhere.addr();
    for link in [
        format!("http://{host}/v2/jwt/project?starting_after=c%201"),
        format!("//{host}/?starting_after=c%201"),
        format!("http://127.0.0.1@{host}/?starting_after=c%201"),
        format!("\\\\{host}\\?starting_after=c%201"),
    ] {
        server.clear_requests();
        server.fail_next(page(&["1"], &link));
        server.fail_next(page(&["2"], ""));
        let tokens = client(&server).paginate(FetchProjectTokens::builder().limit(5).build());
        assert_eq!(tokens.try_collect::<Vec<_>>().await.unwrap().len(), 2);
        assert_eq!(server.requests()[1].target, "/v2/jwt/project?limit=5&starting_after=c%201");
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_link_without_a_cursor_is_an_error_and_not_the_end() {
    let server = Server::start().await.unwrap();
    server.fail_next(page(&["1"], "/v2/jwt/project?page=2"));
    let mut tokens = client(&server).paginate(FetchProjectTokens::builder().build());
    assert!(tokens.next().await.unwrap().is_ok());
    assert!(tokens.next().await.unwrap().is_err());
    assert!(tokens.next().await.is_none());
}

#[tokio::test]
async fn a_row_that_shifted_onto_the_next_page_comes_once() {
    let server = Server::start().await.unwrap();
    server.fail_next(page(&["1", "2"], "c"));
    server.fail_next(page(&["2", "3"], ""));
    let tokens = client(&server).paginate(FetchProjectTokens::builder().build());
    let ids = tokens.map_ok(|token| token.id.unwrap()).try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(ids, ["1", "2", "3"]);
}

#[tokio::test]
async fn rows_whose_id_is_empty_all_come_and_make_no_list_endless() {
    let server = Server::start().await.unwrap();
    server.fail_next(page(&["", "1", ""], "c"));
    server.fail_next(page(&["1", ""], ""));
    let tokens = client(&server).paginate(FetchProjectTokens::builder().build());
    let ids = tokens.map_ok(|token| token.id.unwrap()).try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(ids, ["", "1", "", ""]);

    for number in 0..1_000 {
        server.fail_next(page(&[""], &format!("c{number}")));
    }
    let tokens = client(&server).paginate(FetchProjectTokens::builder().build());
    let error = tokens.try_collect::<Vec<_>>().await.unwrap_err();
    assert!(error.to_string().contains("nothing new"), "{error}");
}

#[tokio::test]
async fn a_bad_row_is_reported_and_the_others_come() {
    let server = Server::start().await.unwrap();
    server
        .fail_next(Fault::body(200, r#"{"data":[{"created_at":"x","id":"1"},{"id":"2"},{"created_at":"x","id":3}]}"#));
    let tokens = client(&server).paginate(FetchProjectTokens::builder().build()).collect::<Vec<_>>().await;
    assert_eq!(tokens.iter().filter(|token| token.is_ok()).count(), 2);
    assert_eq!(tokens.iter().filter(|token| token.is_err()).count(), 1);
}

#[tokio::test]
async fn a_page_that_fails_is_the_end() {
    let server = Server::start().await.unwrap();
    server.fail_next(page(&["1"], "c"));
    server.fail_next(Fault::status(403).always());
    let mut tokens = client(&server).paginate(FetchProjectTokens::builder().build());
    assert!(tokens.next().await.unwrap().is_ok());
    assert_eq!(tokens.next().await.unwrap().unwrap_err().status().unwrap(), 403);
    assert!(tokens.next().await.is_none());
}

#[tokio::test]
async fn pages_without_end_and_without_anything_new_are_an_error() {
    let empty = r#"{"data":[],"links":{"next":"CURSOR"}}"#;
    let known = r#"{"data":[{"created_at":"x","id":"1"}],"links":{"next":"CURSOR"}}"#;
    for (page, items) in [(empty, 0), (known, 1)] {
        let count = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&count);
        let (_, transport) = transport(move |_| {
            Ok(json(200, &page.replace("CURSOR", &format!("c{}", counter.fetch_add(1, Ordering::Relaxed)))))
        });
        let client = Client::builder().token("t").transport(transport).build().unwrap();
        let tokens = client.paginate(FetchProjectTokens::builder().build()).collect::<Vec<_>>().await;
        assert_eq!(tokens.iter().filter(|token| token.is_ok()).count(), items);
        assert!(tokens.last().unwrap().is_err());
        assert_eq!(count.load(Ordering::Relaxed), 100 + items);
    }
}

/// Whoever lists what is before a token, to discard it, must not be given that token and all that follow.
#[tokio::test]
async fn nothing_beyond_the_end_that_was_asked_for_is_listed() {
    let server = Server::start().await.unwrap();
    let ids = server.add_user_tokens("u", 9);
    let before = &ids[5];
    let list = FetchUserTokens::builder().user_id("u").limit(3).ending_before(before).build();
    let tokens = client(&server).paginate(list).try_collect::<Vec<_>>().await.unwrap();
    let listed = tokens.into_iter().filter_map(|token| token.id).collect::<Vec<_>>();
    assert!(listed.iter().all(|id| ids[..5].contains(id)), "{} tokens, and {before} among them", listed.len());
}

/// The byte order mark that an answer may begin with doesn't make one bad row the whole page's.
#[tokio::test]
async fn a_bad_row_does_not_hide_the_others_after_a_byte_order_mark() {
    let server = Server::start().await.unwrap();
    let body = r#"{"data":[{"created_at":"x","id":"1"},{"id":"2"}]}"#;
    for body in [body.to_owned(), format!("\u{feff}{body}")] {
        server.fail_next(Fault::body(200, body));
        let page = client(&server).execute(FetchProjectTokens::builder().build()).await.unwrap();
        assert_eq!((page.data.len(), page.malformed.len()), (1, 1));
    }
}

/// A bare cursor is the service's own text, whatever characters it has.
#[tokio::test]
async fn a_bare_cursor_is_sent_back_whole_or_not_at_all() {
    for cursor in ["abc#def", "abc%2Fdef", "abc+def"] {
        let server = Server::start().await.unwrap();
        server.fail_next(page(&["1"], cursor));
        server.fail_next(page(&["2"], ""));
        let _ = client(&server).paginate(FetchProjectTokens::builder().build()).collect::<Vec<_>>().await;
        let Some(second) = server.requests().get(1).map(|sent| sent.target.clone()) else { continue };
        let sent = second.strip_prefix("/v2/jwt/project?starting_after=").unwrap().to_owned();
        let expected = cursor.replace('%', "%25").replace('#', "%23").replace('+', "%2B");
        assert_eq!(sent, expected, "{cursor}");
    }
}

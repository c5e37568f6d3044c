//! Ids reach the server as one segment that decodes to itself, or not at all.

use magicbell::jwt::{DiscardProjectJwt, DiscardUserJwt, FetchUserTokens};
use magicbell::testing::Server;
use magicbell::{Endpoint, ErrorKind};

use crate::percent::percent_decode;
use crate::support::client;

/// Ids that URL libraries cut, drop or resolve.
const ODD: [&str; 16] = [
    "a/b",
    "../jwt/project",
    "a b",
    "a?b",
    "a#b",
    "a%2Fb",
    "%2e%2e",
    "..;",
    "a\\b",
    "a;b=c",
    "...",
    "@",
    "a:b",
    "é",
    "日本",
    "{x}",
];

async fn arrives<E: Endpoint>(request: E, prefix: &str, id: &str) {
    let server = Server::start().await.unwrap();
    let _ = client(&server).execute(request).await;
    let target = server.requests().pop().unwrap().target;
    let segment = target.strip_prefix(prefix).unwrap_or_else(|| panic!("{target}"));
    assert!(!segment.contains(['/', '?', '#', '\\']), "{segment}");
    assert_eq!(percent_decode(segment), id);
}

#[tokio::test]
async fn odd_ids_arrive_as_one_segment_that_decodes_to_itself() {
    for id in ODD {
        arrives(DiscardProjectJwt::new(id), "/v2/jwt/project/", id).await;
        arrives(DiscardUserJwt::new(id), "/v2/jwt/user/", id).await;
        arrives(FetchUserTokens::builder().user_id(id).build(), "/v2/jwt/user/", id).await;
    }
}

#[tokio::test]
async fn a_padded_user_id_arrives_as_it_is() {
    arrives(FetchUserTokens::builder().user_id(" u ").build(), "/v2/jwt/user/", " u ").await;
}

async fn is_refused<E: Endpoint>(server: &Server, request: E, id: &str) {
    let error = client(server).execute(request).await.err().unwrap_or_else(|| panic!("{id:?} was sent"));
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{id:?}");
    assert_eq!(error.outcome(), magicbell::Outcome::NotSent);
    assert!(error.attempts().is_empty());
}

#[tokio::test]
async fn refused_ids_send_no_request() {
    let server = Server::start().await.unwrap();
    for id in ["", " ", "\t", ".", "..", "a\r\nb", "a\0", "a\u{7f}", "a\u{9b}b", "\u{feff}"] {
        is_refused(&server, DiscardProjectJwt::new(id), id).await;
        is_refused(&server, DiscardUserJwt::new(id), id).await;
    }
    for id in ["", " ", ".", "..", "a\r\nb", "a\0"] {
        is_refused(&server, FetchUserTokens::builder().user_id(id).build(), id).await;
    }
    for id in ["id\r", "id\n", " id", "\u{feff}id", "id\u{a0}"] {
        is_refused(&server, DiscardUserJwt::new(id), id).await;
    }
    is_refused(&server, DiscardUserJwt::new("x".repeat(70_000)), "70,000 bytes").await;
    assert_eq!(server.request_count(), 0);
    assert_eq!(server.connections(), 0);
}

/// Out of a file that begins with a byte order mark, the first id would name nobody, and an audit would find no tokens.
#[tokio::test]
async fn a_user_id_with_a_byte_order_mark_is_refused() {
    let server = Server::start().await.unwrap();
    for id in ["\u{feff}user-42", "\u{feff}"] {
        is_refused(&server, FetchUserTokens::builder().user_id(id).build(), "with a byte order mark").await;
    }
}

//! The fake server's pages.

use super::support::{delete, get};
use magicbell::testing::Server;

#[tokio::test]
async fn pages_forward_and_back_hold_every_token_once() {
    let server = Server::start().await.expect("a server");
    let ids = server.add_user_tokens("7", 7);
    let first = get(&server, "/jwt/user/7?limit=3").await;
    assert_eq!(first.ids(), ids[..3]);
    let links = first.json()["links"].clone();
    assert_eq!(links["first"], "/v2/jwt/user/7?limit=3");
    assert_eq!(links["next"], format!("/v2/jwt/user/7?limit=3&starting_after={}", ids[2]));
    assert!(links["prev"].is_null());

    let last = get(&server, &format!("/jwt/user/7?limit=3&starting_after={}", ids[5])).await;
    assert_eq!(last.ids(), ids[6..]);
    assert!(last.json()["links"]["next"].is_null());
    assert_eq!(last.json()["links"]["prev"], format!("/v2/jwt/user/7?limit=3&ending_before={}", ids[6]));

    let back = get(&server, &format!("/jwt/user/7?limit=3&ending_before={}", ids[6])).await;
    assert_eq!(back.ids(), ids[3..6]);
}

#[tokio::test]
async fn both_cursors_name_what_lies_between() {
    let server = Server::start().await.expect("a server");
    let ids = server.add_user_tokens("7", 5);
    let path = |after: &str, before: &str| format!("/jwt/user/7?starting_after={after}&ending_before={before}");
    assert_eq!(get(&server, &path(&ids[0], &ids[3])).await.ids(), ids[1..3]);
    assert!(get(&server, &path(&ids[3], &ids[0])).await.ids().is_empty());
    assert!(get(&server, &path(&ids[3], &ids[3])).await.ids().is_empty());
}

#[tokio::test]
async fn a_list_can_be_discarded_while_it_is_read() {
    let server = Server::start().await.expect("a server");
    let ids = server.add_user_tokens("7", 5);
    for id in &ids[..2] {
        assert_eq!(delete(&server, &format!("/jwt/user/{id}")).await.status, 200);
    }
    let next = get(&server, &format!("/jwt/user/7?limit=2&starting_after={}", ids[1])).await;
    assert_eq!(next.ids(), ids[2..4]);
    assert!(next.json()["links"]["prev"].is_null());
}

#[tokio::test]
async fn page_sizes_are_the_servers_to_bound() {
    let builder = Server::builder().max_page_size(4).default_page_size(2);
    let server = builder.start().await.expect("a server");
    server.add_user_tokens("7", 5);
    assert_eq!(get(&server, "/jwt/user/7").await.ids().len(), 2);
    let clamped = get(&server, "/jwt/user/7?limit=1000").await;
    assert_eq!(clamped.ids().len(), 4);
    assert_eq!(clamped.json()["links"]["first"], "/v2/jwt/user/7?limit=4");
}

#[tokio::test]
async fn bad_limits_and_unknown_cursors_are_422() {
    let server = Server::start().await.expect("a server");
    let other_users = server.add_user_tokens("8", 1);
    for query in ["limit=0", "limit=undefined", "starting_after=nonsense", "ending_before=nonsense"] {
        let refused = get(&server, &format!("/jwt/user/7?{query}")).await;
        assert_eq!(refused.status, 422, "{query}");
        assert_eq!(refused.json()["errors"][0]["field"], query.split('=').next().expect("a name"));
    }
    let foreign = get(&server, &format!("/jwt/project?starting_after={}", other_users[0])).await;
    assert_eq!((foreign.status, foreign.code().as_str()), (422, "unknown_cursor"));
}

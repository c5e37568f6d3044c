//! `tokens list`

use magicbell::jwt::CreateProjectJwt;
use magicbell::testing::Fault;

use crate::support::Room;

#[tokio::test]
async fn all_pages_are_listed_each_token_once() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 250);
    let ran = room.run(&["tokens", "list", "--user", "hana", "--json"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let mut listed = ran.lines().iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    listed.sort_unstable();
    let mut expected = ids;
    expected.sort_unstable();
    assert_eq!(listed, expected);
    assert_eq!(room.server.count("fetch_user_tokens"), 3);
    assert!(ran.stderr.contains("250 tokens"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_table_has_a_row_a_token_with_its_name_and_times() {
    let room = Room::new().await;
    let request = CreateProjectJwt::builder().name("ci").expiry(3600).build();
    let created = room.server.client().execute(request).await.unwrap();
    let ran = room.run(&["tokens", "list", "--project"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let rows = ran.stdout.lines().collect::<Vec<_>>();
    assert_eq!(rows.len(), 3, "a heading, the first token and this one: {rows:?}");
    let row = rows.iter().find(|row| row.starts_with(&created.token_id)).unwrap();
    assert!(row.ends_with("  ci"), "{row}");
    assert!(rows.iter().any(|row| row.contains("  never  ")), "{rows:?}");
    assert!(!ran.stdout.contains(created.token.expose_secret()));
}

#[tokio::test]
async fn a_name_can_not_steer_the_terminal() {
    let room = Room::new().await;
    let name = "red\u{1b}[31m\u{9b}2J\u{202e}";
    room.server.client().execute(CreateProjectJwt::builder().name(name).build()).await.unwrap();
    for format in [&["tokens", "list", "--project", "--json"][..], &["tokens", "list", "--project"]] {
        let ran = room.run(format).await;
        assert_eq!(ran.code, 0);
        assert!(ran.stdout.contains("red\\u"), "{}", ran.stdout);
        for steering in ['\u{1b}', '\u{9b}', '\u{202e}'] {
            assert!(!ran.stdout.contains(steering), "{format:?}: {:?}", ran.stdout);
        }
    }
    let ran = room.run(&["tokens", "list", "--project", "--json"]).await;
    assert!(ran.lines().iter().any(|line| line["name"] == name), "as JSON it is the same text");
}

#[tokio::test]
async fn a_row_that_can_not_be_read_is_told_and_the_others_come() {
    let room = Room::new().await;
    let page = r#"{"data":[{"id":"a","created_at":"2026-01-31T12:00:00Z"},7,{"id":"b","created_at":"odd"}]}"#;
    room.server.fail_next(Fault::body(200, page));
    let ran = room.run(&["tokens", "list", "--project", "--json"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    let ids = ran.lines().iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(ids, ["a", "b"]);
}

#[tokio::test]
async fn one_list_has_to_be_named() {
    let room = Room::new().await;
    for wrong in [&["tokens", "list"][..], &["tokens", "list", "--project", "--user", "hana"]] {
        assert_eq!(room.run(wrong).await.code, 2);
    }
    assert_eq!(room.server.request_count(), 0);
}

//! Files that are no whole journal.

use std::fs;

use magicbell::revocation::{Journal, JournalErrorKind, RevocationOutcome};
use magicbell::testing::Server;

use super::{die_after, folder, lines, outcomes, revoke, sent};
use crate::support::client;

#[tokio::test]
async fn a_journal_that_is_cut_anywhere_is_resumed_and_its_torn_line_is_gone() {
    let (_folder, path) = folder();
    let server = Server::start().await.unwrap();
    let ids = server.add_user_tokens("u", 4);
    revoke(&client(&server), &ids, &path).await;
    let whole = fs::read(&path).unwrap();
    // The last line, cut anywhere, its end missing too; and the header.
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    let header = whole.iter().position(|byte| *byte == b'\n').unwrap();
    for cut in (last..whole.len()).chain((0..=header).step_by(9)) {
        fs::write(&path, &whole[..cut]).unwrap();
        let revocations = revoke(&client(&server), &ids, &path).await;
        assert!(revocations.iter().all(|revocation| revocation.outcome != RevocationOutcome::Unknown), "{cut}");
        let lines = lines(&path);
        assert!(lines.iter().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{cut}: {lines:?}");
        let settled = Journal::open(&path).unwrap().settled();
        assert_eq!(settled, 4, "{cut}");
    }
}

#[tokio::test]
async fn a_last_line_without_its_end_does_not_count_even_if_it_can_be_read() {
    let (_folder, path) = folder();
    let server = Server::start().await.unwrap();
    let ids = server.add_user_tokens("u", 2);
    revoke(&client(&server), &ids[..1], &path).await;
    let torn = format!(r#"{{"outcome":"revoked","id":"{}"}}"#, ids[1]);
    fs::write(&path, [fs::read(&path).unwrap(), torn.into_bytes()].concat()).unwrap();
    assert_eq!(outcomes(&revoke(&client(&server), &ids, &path).await), [RevocationOutcome::Revoked; 2]);
    assert!(sent(&server).contains(&ids[1]));
    assert_eq!(server.is_discarded(&ids[1]), Some(true));
}

#[tokio::test]
async fn nothing_is_left_of_a_torn_line_that_is_longer_than_what_follows() {
    let (_folder, path) = folder();
    let server = Server::start().await.unwrap();
    let ids = server.add_user_tokens("u", 2);
    revoke(&client(&server), &ids[..1], &path).await;
    let torn = format!("{{\"intent\":\"{}", "x".repeat(5_000));
    fs::write(&path, [fs::read(&path).unwrap(), torn.into_bytes()].concat()).unwrap();
    revoke(&client(&server), &ids, &path).await;
    assert_eq!(lines(&path).len(), 5);
    assert!(!fs::read_to_string(&path).unwrap().contains("xxx"));
}

#[tokio::test]
async fn a_line_cut_within_a_character_is_torn() {
    let (_folder, path) = folder();
    let server = Server::start().await.unwrap();
    let ids = ["é".to_owned(), "日本".to_owned()];
    die_after(&client(&server), &ids, &path, 2).await;
    let whole = fs::read(&path).unwrap();
    let within = whole.iter().rposition(|byte| !byte.is_ascii()).unwrap();
    fs::write(&path, &whole[..within]).unwrap();
    assert!(std::str::from_utf8(&whole[..within]).is_err());
    assert_eq!(outcomes(&revoke(&client(&server), &ids, &path).await).len(), 2);
    assert!(fs::read_to_string(&path).is_ok());
}

#[tokio::test]
async fn a_broken_line_in_the_middle_is_named_and_nothing_is_changed() {
    let (_folder, path) = folder();
    let server = Server::start().await.unwrap();
    revoke(&client(&server), &server.add_user_tokens("u", 5), &path).await;
    for broken in [&b"{\"intent\":\"a\n"[..], b"\n", b"\xff\n", b"null\n", b"{\"outcome\":\"gone\",\"id\":\"a\"}\n"] {
        let mut bytes = lines(&path)[..4].concat().into_bytes();
        bytes.extend(broken);
        bytes.extend(lines(&path)[4..].concat().bytes());
        let copy = path.with_extension("broken");
        fs::write(&copy, &bytes).unwrap();
        let error = Journal::open(&copy).unwrap_err();
        assert_eq!((error.kind(), error.line()), (JournalErrorKind::Unreadable, Some(5)), "{broken:?}: {error}");
        assert_eq!(fs::read(&copy).unwrap(), bytes);
    }
}

#[test]
fn a_file_that_is_no_journal_is_refused_and_left_alone() {
    let (_folder, path) = folder();
    for text in ["550e8400-e29b-41d4-a716-446655440000", "an id\nanother\n", "{\"magicbell_journal\":2}\n", "{}"] {
        fs::write(&path, text).unwrap();
        let error = Journal::open(&path).unwrap_err();
        assert_eq!((error.kind(), error.line()), (JournalErrorKind::Unreadable, Some(1)), "{text:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn what_is_no_file_is_refused() {
    let (folder, path) = folder();
    for path in [folder.path(), &path.join("of/no/folder"), &folder.path().join("nowhere/revocation.jsonl")] {
        assert_eq!(Journal::open(path).unwrap_err().kind(), JournalErrorKind::Io, "{}", path.display());
    }
    #[cfg(unix)]
    assert_eq!(Journal::open("/dev/full").unwrap_err().kind(), JournalErrorKind::Io);
}

#[cfg(unix)]
#[test]
fn a_new_journal_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_folder, path) = folder();
    Journal::open(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

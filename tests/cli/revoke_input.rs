//! `tokens revoke`: what is refused before anything is sent.

use crate::support::Room;

/// In the shape of a token, and nobody's.
const A_TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJub2JvZHkiOjF9.c2lnbmF0dXJl";

#[tokio::test]
async fn an_odd_line_is_refused_with_its_number_and_never_mended() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 3);
    let (a, b) = (&ids[0], &ids[1]);
    for (contents, line) in [
        (format!("{a}\n{b}\r\n"), 2),
        (format!("\u{feff}{a}\n{b}\n"), 1),
        (format!("{a}\n\n {b}\n"), 3),
        (format!("{a} \n{b}\n"), 1),
        (format!("{a}\n \n"), 2),
        (format!("{a}\n{b}\t\n"), 2),
        (format!("{a}\n{a} {b}\n"), 2),
        (format!("{a}\n..\n"), 2),
        (format!("{a}\n{A_TOKEN}\n"), 2),
    ] {
        let file = room.file("ids.txt", &contents);
        let ran = room.run(&["tokens", "revoke", "--file", &file, "--user-tokens", "--yes"]).await;
        assert_eq!(ran.code, 2, "{contents:?}: {ran:?}");
        assert!(ran.stderr.contains(&format!("line {line}:")), "{contents:?}: {}", ran.stderr);
        assert!(!ran.stderr.contains("eyJ"), "{}", ran.stderr);
    }
    let file = room.file("ids.txt", [a.as_bytes(), b"\n\xff\n"].concat());
    let ran = room.run(&["tokens", "revoke", "--file", &file, "--user-tokens", "--yes"]).await;
    assert!(ran.code == 2 && ran.stderr.contains("line 2:"), "{ran:?}");
    assert_eq!((room.server.request_count(), room.live(&ids)), (0, 3));
}

#[tokio::test]
async fn a_token_that_is_typed_for_an_id_is_refused_without_an_echo() {
    let room = Room::new().await;
    let ran = room.run(&["tokens", "revoke", "an-id", A_TOKEN, "--project", "--yes"]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("argument 4:") && !ran.stderr.contains("eyJ"), "{}", ran.stderr);
    assert_eq!(room.server.request_count(), 0);
}

#[tokio::test]
async fn exceptions_are_read_as_strictly() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 2);
    let keep = room.file("keep.txt", format!("{}\r\n", ids[0]));
    let ran = room.run(&["tokens", "revoke", "--all-of-user", "hana", "--except", &keep, "--yes"]).await;
    assert_eq!((ran.code, room.server.request_count()), (2, 0), "{ran:?}");
    assert!(ran.stderr.contains("line 1:"), "{}", ran.stderr);
}

#[tokio::test]
async fn options_that_do_not_go_together_send_nothing() {
    let room = Room::new().await;
    for wrong in [
        &["--yes"][..],
        &["--project", "--user-tokens", "--yes"],
        &["--user-tokens", "--yes"],
        &["an-id", "--yes"],
        &["an-id", "--all-of-user", "hana", "--yes"],
        &["an-id", "--project", "--created-before", "1d ago", "--yes"],
        &["an-id", "--user-tokens", "--name-matches", "*", "--yes"],
        &["--project", "--created-before", "yesterday", "--yes"],
        &["--project", "--dry-run", "--yes"],
        &["--project", "--concurrency", "0", "--yes"],
        &["--project", "--share", "1.5", "--yes"],
        &["--project", "--share", "nan", "--yes"],
        &["--file", "-", "--user-tokens", "--token-stdin", "--yes"],
        &["--file", "no-such-file", "--user-tokens", "--yes"],
        &["an-id", "--user-tokens", "--resume", "--yes"],
        &["an-id", "--user-tokens", "--project-name", "acme", "--yes"],
        &["an-id", "--user-tokens", "--journal", "no-such-journal", "--resume", "--yes"],
        &["--project", "--journal", "journal", "--yes", "--expect-count", "0"],
        &["--project", "--name-matches", "*", "--journal", "journal", "--yes", "--expect-count", "0"],
    ] {
        let ran = room.run(&[&["tokens", "revoke"], wrong].concat()).await;
        assert_eq!(ran.code, 2, "{wrong:?}: {ran:?}");
    }
    assert_eq!(room.server.request_count(), 0);
    assert!(!room.path("journal").exists() && !room.path("no-such-journal").exists());
}

#[tokio::test]
async fn a_journal_that_is_there_is_gone_on_from_only_where_that_is_said() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 2);
    let revoke = |id| ["tokens", "revoke", id, "--user-tokens", "--yes", "--journal", "journal"];
    // Somebody made its place, or a run sent nothing: there is nothing in it that could be lost.
    room.file("journal", "");
    let ran = room.run(&revoke(&ids[0])).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let journal = std::fs::read_to_string(room.path("journal")).unwrap();

    let ran = room.run(&revoke(&ids[1])).await;
    assert_eq!((ran.code, room.live(&ids)), (2, 1), "{ran:?}");
    assert!(ran.stderr.contains("add --resume to go on from it"), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(room.path("journal")).unwrap(), journal);

    let file = room.file("ids.txt", ids.join("\n"));
    let resumed = ["tokens", "revoke", "--file", &file, "--user-tokens", "--yes", "--journal", "journal", "--resume"];
    let ran = room.run(&resumed).await;
    assert_eq!((ran.code, room.live(&ids), room.discards()), (0, 0, 2), "each was sent once: {ran:?}");
    assert!(ran.stderr.contains("journal goes on: 1 settled already, 0 to be sent again"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_journal_is_resumed_under_the_projects_name_alone() {
    let room = Room::new().await;
    let ids = room.server.add_project_tokens(3);
    let all = ["tokens", "revoke", "--project", "--yes", "--journal", "journal", "--expect-count"];
    let ran = room.run(&[&all[..], &["3", "--project-name", "acme"]].concat()).await;
    assert_eq!((ran.code, room.live(&ids)), (0, 0), "{ran:?}");
    assert!(std::fs::read_to_string(room.path("journal")).unwrap().contains("\"acme\""));

    let more = room.server.add_project_tokens(2);
    let ran = room.run(&[&all[..], &["2", "--resume", "--project-name", "another"]].concat()).await;
    assert_eq!((ran.code, room.live(&more)), (2, 2), "{ran:?}");
    assert!(ran.stderr.contains("acme") && ran.stderr.contains("another"), "{}", ran.stderr);
    let by_id = ["tokens", "revoke", &more[0], "--project", "--yes", "--journal", "journal", "--resume"];
    assert_eq!((room.run(&by_id).await.code, room.live(&more)), (2, 2), "no name is another name");
    let ran = room.run(&[&all[..], &["2", "--resume", "--project-name", "acme"]].concat()).await;
    assert_eq!((ran.code, room.live(&more)), (0, 0), "{ran:?}");
}

#[tokio::test]
async fn a_journal_of_the_other_kind_is_refused() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 2);
    let project = room.server.add_project_tokens(1);
    let journal = room.argument("journal");
    let ran = room.run(&["tokens", "revoke", &ids[0], "--user-tokens", "--yes", "--journal", &journal]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran =
        room.run(&["tokens", "revoke", &project[0], "--project", "--yes", "--journal", &journal, "--resume"]).await;
    assert_eq!((ran.code, room.live(&project)), (2, 1), "{ran:?}");
}

#[tokio::test]
async fn what_is_no_journal_is_refused() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 1);
    let journal = room.file("journal", "notes of mine\n");
    for resumed in [&[][..], &["--resume"]] {
        let revoke = ["tokens", "revoke", &ids[0], "--user-tokens", "--yes", "--journal", &journal];
        let ran = room.run(&[&revoke[..], resumed].concat()).await;
        assert_eq!((ran.code, room.live(&ids)), (2, 1), "{ran:?}");
        assert_eq!(std::fs::read_to_string(room.path("journal")).unwrap(), "notes of mine\n");
    }
}

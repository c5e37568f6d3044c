//! `tokens revoke`: plans, and what is revoked.

use magicbell::jwt::CreateProjectJwt;

use crate::support::{Room, count};

const ALL_OF_HANA: [&str; 4] = ["tokens", "revoke", "--all-of-user", "hana"];

#[tokio::test]
async fn a_plan_is_shown_and_nothing_is_revoked_without_yes() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 40);
    for (more, code) in [(&["--dry-run"][..], 0), (&[], 2)] {
        let ran = room.run(&[&ALL_OF_HANA, more].concat()).await;
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(ran.stderr.contains("40 tokens of the user hana to revoke, of 40 listed"), "{}", ran.stderr);
        assert!(ran.stderr.contains("oldest: 20"), "{}", ran.stderr);
        assert!(ran.stderr.contains("40  without a name"), "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("at {}", room.server.url())), "{}", ran.stderr);
        assert!(ran.stderr.contains("it will take about "), "{}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
    assert_eq!((room.discards(), room.live(&ids)), (0, 40));
}

#[tokio::test]
async fn the_time_it_will_take_is_that_under_the_published_quota() {
    let room = Room::new().await;
    room.server.add_user_tokens("hana", 400);
    let arguments = [&ALL_OF_HANA[..], &["--dry-run"]].concat();
    let ran = room.end(room.command(&arguments).spawn().unwrap()).await;
    assert!(ran.stderr.contains("it will take about 2 min"), "{}", ran.stderr);
    let ran = room.end(room.command(&[&arguments[..], &["--share", "0.5"]].concat()).spawn().unwrap()).await;
    assert!(ran.stderr.contains("it will take about 4 min"), "{}", ran.stderr);
}

#[tokio::test]
async fn all_of_a_user_are_revoked_and_verified_with_a_line_each() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 100);
    let others = room.server.add_user_tokens("omar", 5);
    let ran = room.run(&[&ALL_OF_HANA[..], &["--yes"]].concat()).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!((room.live(&ids), room.live(&others)), (0, 5));
    let lines = ran.lines();
    assert_eq!((lines.len(), count(&lines, "revoked")), (100, 100));
    assert!(ran.stderr.contains("none of the 100 is listed any more"), "{}", ran.stderr);
}

#[tokio::test]
async fn for_many_the_count_has_to_be_given_and_to_be_right() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 101);
    for more in [&[][..], &["--expect-count", "100"], &["--expect-count", "102"]] {
        let ran = room.run(&[&ALL_OF_HANA[..], &["--yes"], more].concat()).await;
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains("nothing was revoked"), "{}", ran.stderr);
    }
    assert_eq!((room.discards(), room.live(&ids)), (0, 101));
    let ran = room.run(&[&ALL_OF_HANA[..], &["--yes", "--expect-count", "101"]].concat()).await;
    assert_eq!((ran.code, room.live(&ids)), (0, 0));
}

#[tokio::test]
async fn a_count_that_differs_stops_a_few_too() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 3);
    let ran = room.run(&[&ALL_OF_HANA[..], &["--yes", "--expect-count", "2"]].concat()).await;
    assert_eq!((ran.code, room.live(&ids)), (2, 3));
}

#[tokio::test]
async fn all_of_a_project_needs_a_count_and_keeps_the_token_that_is_in_use() {
    let room = Room::new().await;
    let ids = room.server.add_project_tokens(10);
    let ran = room.run(&["tokens", "revoke", "--project", "--yes"]).await;
    assert_eq!((ran.code, room.discards()), (2, 0), "{ran:?}");
    assert!(ran.stderr.contains("--expect-count 10"), "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("KEPT: {}", room.server.token_id())), "{}", ran.stderr);

    let ran = room.run(&["tokens", "revoke", "--project", "--yes", "--expect-count", "10"]).await;
    assert_eq!((ran.code, room.live(&ids)), (0, 0), "{ran:?}");
    assert_eq!(room.server.is_discarded(room.server.token_id()), Some(false));
    assert!(ran.stderr.contains("none of the 10 is listed any more"), "{}", ran.stderr);
}

#[tokio::test]
async fn the_token_that_is_in_use_is_revoked_last_where_that_is_asked_for() {
    let room = Room::new().await;
    let ids = room.server.add_project_tokens(10);
    let ran = room.run(&["tokens", "revoke", "--project", "--include-own", "--yes", "--expect-count", "11"]).await;
    assert_eq!((ran.code, room.live(&ids)), (0, 0), "{ran:?}");
    assert_eq!(room.server.is_discarded(room.server.token_id()), Some(true));
    assert_eq!(ran.lines().last().unwrap()["token_id"], room.server.token_id());
    assert!(ran.stderr.contains("not verified: the token that this command uses is revoked too"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_list_is_narrowed_by_time_name_and_exceptions() {
    let room = Room::new().await;
    let client = room.server.client();
    let mut ids = Vec::new();
    for name in ["ci-1", "ci-2", "ci-3", "cd-1"] {
        ids.push(client.execute(CreateProjectJwt::builder().name(name).build()).await.unwrap().token_id);
    }
    let keep = room.file("keep.txt", format!("{}\n\n", ids[1].to_uppercase()));
    let select = ["tokens", "revoke", "--project", "--name-matches", "ci-?", "--except", &keep];
    let before = [&select[..], &["--created-before", "1h ago", "--yes", "--expect-count", "0"]].concat();
    let ran = room.run(&before).await;
    assert_eq!((ran.code, room.discards()), (0, 0), "{ran:?}");

    let later = [&select[..], &["--created-before", "2999-01-01T00:00:00Z", "--yes", "--expect-count", "2"]].concat();
    assert_eq!(room.run(&later).await.code, 0);
    let gone = ids.iter().map(|id| room.server.is_discarded(id).unwrap()).collect::<Vec<_>>();
    assert_eq!(gone, [true, false, true, false]);
}

#[tokio::test]
async fn an_exception_that_nobody_has_is_told() {
    let room = Room::new().await;
    room.server.add_user_tokens("hana", 2);
    let keep = room.file("keep.txt", "no-such-id\n");
    let ran = room.run(&[&ALL_OF_HANA[..], &["--except", &keep, "--dry-run"]].concat()).await;
    assert!(ran.stderr.contains("1 exception that no listed token has: no-such-id"), "{}", ran.stderr);
}

#[tokio::test]
async fn ids_come_from_arguments_files_and_standard_input() {
    let room = Room::new().await;
    let ids = room.server.add_user_tokens("hana", 6);
    let file = room.file("ids.txt", format!("\n{}\n\n{}\n{}", ids[1], ids[2], ids[1]));
    let ran = room.run(&["tokens", "revoke", &ids[0], "--file", &file, "--user-tokens", "--yes"]).await;
    assert_eq!((ran.code, ran.lines().len()), (0, 3), "{ran:?}");
    assert!(ran.stderr.contains("given again and left out: 1"), "{}", ran.stderr);

    let mut command = room.command(&["tokens", "revoke", "--file", "-", "--user-tokens", "--yes"]);
    command.stdin(std::fs::File::open(room.file("more.txt", ids[3..].join("\n"))).unwrap());
    let ran = room.end(command.spawn().unwrap()).await;
    assert_eq!((ran.code, room.live(&ids)), (0, 0), "{ran:?}");
}

#[tokio::test]
async fn project_tokens_by_their_ids_are_verified_too() {
    let room = Room::new().await;
    let ids = room.server.add_project_tokens(3);
    let ran = room.run(&["tokens", "revoke", "--project", &ids[0], &ids[1], "--yes"]).await;
    assert_eq!((ran.code, room.live(&ids)), (0, 1), "{ran:?}");
    assert!(ran.stderr.contains("0 of the 2 still listed"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_log_takes_the_lines_in_place_of_standard_output() {
    let room = Room::new().await;
    room.server.add_user_tokens("hana", 10);
    let ran = room.run(&[&ALL_OF_HANA[..], &["--yes", "--log", &room.argument("log")]].concat()).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{ran:?}");
    let log = std::fs::read_to_string(room.path("log")).unwrap();
    assert_eq!(count(&crate::support::json_lines(&log), "revoked"), 10);
    assert_eq!(crate::support::mode(room.path("log")), 0o600);
}

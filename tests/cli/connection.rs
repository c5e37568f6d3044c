//! Where the token comes from, and where it never goes.

use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;

use crate::support::Room;

const LIST: [&str; 3] = ["tokens", "list", "--project"];
/// In the shape of a token, and nobody's.
const A_TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJub2JvZHkiOjF9.c2lnbmF0dXJl";

/// The server's token, from a folder of its own: a room's may not hold it.
fn token_file(room: &Room, end: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, format!("{}{end}", room.server.token())).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

#[tokio::test]
async fn the_token_comes_from_a_file_or_standard_input_in_place_of_the_environment() {
    let room = Room::new().await;
    for end in ["", "\n", "\r\n"] {
        let (_folder, path) = token_file(&room, end);
        let mut command = room.command(&[&LIST[..], &["--token-file", &path]].concat());
        let ran = room.end(command.env("MAGICBELL_PROJECT_TOKEN", "another.token").spawn().unwrap()).await;
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    let mut command = room.command(&[&LIST[..], &["--token-stdin"]].concat());
    let mut child = command.env_remove("MAGICBELL_PROJECT_TOKEN").stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(room.server.token().as_bytes()).await.unwrap();
    assert_eq!(room.end(child).await.code, 0);
}

#[tokio::test]
async fn a_tokens_file_that_others_can_read_is_told() {
    let room = Room::new().await;
    let (_folder, path) = token_file(&room, "");
    for (mode, is_told) in [(0o644, true), (0o620, true), (0o600, false)] {
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        let ran = room.run(&[&LIST[..], &["--token-file", &path]].concat()).await;
        assert_eq!((ran.code, ran.stderr.contains("others can read")), (0, is_told), "{mode:o}: {ran:?}");
    }
}

#[tokio::test]
async fn credentials_that_are_missing_odd_or_refused_are_3() {
    let room = Room::new().await;
    for token in ["", "Bearer x.y.z", "a b", "é"] {
        let ran = room.end(room.command(&LIST).env("MAGICBELL_PROJECT_TOKEN", token).spawn().unwrap()).await;
        assert_eq!(ran.code, 3, "{token}: {ran:?}");
    }
    let ran = room.run(&[&LIST[..], &["--token-file", "no-such-file"]].concat()).await;
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(room.server.request_count(), 0);
    let ran = room.end(room.command(&LIST).env("MAGICBELL_PROJECT_TOKEN", A_TOKEN).spawn().unwrap()).await;
    assert_eq!((ran.code, room.server.request_count()), (3, 1), "{ran:?}");
    assert!(!ran.stderr.contains("eyJ"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_token_in_an_argument_is_refused_without_an_echo() {
    let room = Room::new().await;
    let with_equals = format!("--token={A_TOKEN}");
    for wrong in [&["--token", A_TOKEN][..], &[&with_equals], &[A_TOKEN], &["--token", room.server.token()]] {
        let ran = room.run(&[&LIST[..], wrong].concat()).await;
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(!ran.stderr.contains("eyJ"), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn base_urls_that_could_send_the_token_elsewhere_are_refused() {
    let room = Room::new().await;
    for url in ["http://example.com/v2", "https://user:hush@example.com/v2", "https://example.com/v2?x=hush", "ftp://x"]
    {
        let ran = room.run(&[&LIST[..], &["--base-url", url]].concat()).await;
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(!ran.stderr.contains("hush"), "{}", ran.stderr);
    }
    let ran = room.run(&[&LIST[..], &["--proxy", "http://127.0.0.1:1"]].concat()).await;
    assert_eq!(ran.code, 2, "a proxy would see the token of a plain http base URL: {ran:?}");
}

#[tokio::test]
async fn a_call_ends_when_its_time_is_up() {
    let room = Room::new().await;
    room.server.fail_next(magicbell::testing::Fault::stall().always());
    let ran = room.run(&[&LIST[..], &["--timeout", "1s"]].concat()).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("1s") || ran.stderr.contains("time"), "{}", ran.stderr);
}

#[tokio::test]
async fn traces_show_calls_and_attempts_and_no_token() {
    let room = Room::new().await;
    room.server.fail_next(magicbell::testing::Fault::status(503));
    let ran = room.run(&[&LIST[..], &["-vv"]].concat()).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stderr.contains("fetch_project_tokens") && ran.stderr.contains("503"), "{}", ran.stderr);
    let ran = room.run(&LIST).await;
    assert_eq!(ran.stderr, "1 token\n", "nothing of it without -v");
}

/// A process that holds the token leaves none in a core file.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn core_dumps_are_off_and_the_token_is_no_argument() {
    let room = Room::new().await;
    room.server.fail_next(magicbell::testing::Fault::stall());
    let child = room.command(&LIST).spawn().unwrap();
    room.wait_for("fetch_project_tokens", 1).await;
    let process = format!("/proc/{}", child.id().unwrap());
    let limits = std::fs::read_to_string(format!("{process}/limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
    let arguments = std::fs::read(format!("{process}/cmdline")).unwrap();
    magicbell::testing::assert_hidden(room.server.token(), &String::from_utf8_lossy(&arguments));
}

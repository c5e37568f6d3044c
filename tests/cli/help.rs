//! Help, completions and the manual page.

use crate::support::Room;

async fn printed(arguments: &[&str]) -> String {
    let room = Room::new().await;
    let ran = room.end(room.command(arguments).spawn().unwrap()).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.stdout
}

#[tokio::test]
async fn the_help_has_every_exit_code_and_examples() {
    let help = printed(&["--help"]).await;
    for code in 0..=7 {
        assert!(help.contains(&format!("\n  {code}  ")), "{code}: {help}");
    }
    let help = printed(&["tokens", "revoke", "--help"]).await;
    assert!(help.contains("Examples:") && help.contains("Exit codes:"), "{help}");
    assert!(!help.contains('\u{1b}'), "no colours where it is no terminal");
}

#[tokio::test]
async fn there_are_completions_for_each_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = printed(&["completions", shell]).await;
        assert!(script.contains("expect-count"), "{shell}");
    }
}

#[tokio::test]
async fn the_manual_has_a_page_for_each_command() {
    let manual = printed(&["man"]).await;
    for title in [".TH magicbell 1", ".TH magicbell-tokens-revoke 1", ".TH magicbell-demo 1"] {
        assert!(manual.contains(title), "{title}");
    }
    assert!(manual.contains("expect\\-count"));
}

//! Makes sure that it is meant.

use std::error::Error;
use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};

use tokio::sync::oneshot;

use super::{Plan, Revoke};
use crate::exit::Failure;

/// The most tokens for which `--yes` is enough.
const FEW: u64 = 100;
/// The longest line that is read for a count.
const LINE_MAX: u64 = 64;

/// Fails unless it is meant: nothing has been revoked yet.
pub(super) async fn confirm(revoke: &Revoke, plan: &Plan) -> Result<(), Failure> {
    if !revoke.yes {
        return Err(Failure::bad_input("nothing was revoked: add --yes to revoke them"));
    }
    let count = plan.count();
    match revoke.expect_count {
        Some(expected) if expected == count => Ok(()),
        Some(expected) => Err(differs(expected, count)),
        None if count <= FEW && !plan.is_project_wide() => Ok(()),
        None => typed(count).await,
    }
}

async fn typed(count: u64) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        let message =
            "nothing was revoked: it is more than 100 tokens or all of a project, and nobody can be asked here";
        return Err(Failure::bad_input(format_args!("{message}: add --expect-count {count}")));
    }
    _ = write!(std::io::stderr(), "Revoked tokens never come back. Type how many are to be revoked: ");
    let line = read_line().await.unwrap_or_default();
    let typed = line.trim().replace(',', "").parse::<u64>().ok();
    match typed {
        Some(typed) if typed == count => Ok(()),
        Some(typed) => Err(differs(typed, count)),
        None => Err(Failure::bad_input("nothing was revoked: that is no number")),
    }
}

/// Reads in a thread of its own, which nobody waits for: Ctrl-C has to end it too.
async fn read_line() -> Option<String> {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().lock().take(LINE_MAX).read_line(&mut line);
        sender.send(read.ok().map(|_| line))
    });
    receiver.await.ok().flatten()
}

fn differs(expected: u64, count: u64) -> Failure {
    Failure::bad_input(format_args!("nothing was revoked: {expected} were expected, and there are {count}"))
}

/// An error with its causes, in one line.
pub(super) fn with_causes(error: &dyn Error) -> String {
    let source = error.source().map(|source| format!(": {source}"));
    format!("{error}{}", source.unwrap_or_default())
}

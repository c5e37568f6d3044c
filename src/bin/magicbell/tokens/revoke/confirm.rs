//! Makes sure that it is meant.

use std::error::Error;
use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};

use super::{Plan, Revoke};
use crate::exit::{Failure, say};

/// The most tokens for which `--yes` is enough.
const FEW: u64 = 100;
/// The longest line that is read for a count.
const LINE_MAX: u64 = 64;

/// Fails unless it is meant: nothing has been revoked yet.
pub(super) fn confirm(revoke: &Revoke, plan: &Plan) -> Result<(), Failure> {
    if !revoke.yes {
        return Err(Failure::bad_input("nothing was revoked: add --yes to revoke them"));
    }
    let count = plan.count();
    match revoke.expect_count {
        Some(expected) if expected == count => Ok(()),
        Some(expected) => Err(differs(expected, count)),
        None if count <= FEW && !plan.is_project_wide() => Ok(()),
        None => typed(count),
    }
}

fn typed(count: u64) -> Result<(), Failure> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() || !std::io::stderr().is_terminal() {
        let message =
            "nothing was revoked: it is more than 100 tokens or all of a project, and nobody can be asked here";
        return Err(Failure::bad_input(format_args!("{message}: add --expect-count {count}")));
    }
    _ = write!(std::io::stderr(), "Revoked tokens never come back. Type how many are to be revoked: ");
    let mut line = String::new();
    let read = stdin.lock().take(LINE_MAX).read_line(&mut line);
    let typed = read.ok().and_then(|_| line.trim().replace(',', "").parse::<u64>().ok());
    match typed {
        Some(typed) if typed == count => Ok(()),
        Some(typed) => Err(differs(typed, count)),
        None => Err(Failure::bad_input("nothing was revoked: that is no number")),
    }
}

fn differs(expected: u64, count: u64) -> Failure {
    say("");
    Failure::bad_input(format_args!("nothing was revoked: {expected} were expected, and there are {count}"))
}

/// An error with its causes, in one line.
pub(super) fn with_causes(error: &dyn Error) -> String {
    let source = error.source().map(|source| format!(": {source}"));
    format!("{error}{}", source.unwrap_or_default())
}

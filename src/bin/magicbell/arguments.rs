//! A token among the arguments is in the list of processes and in the shell's history: it isn't echoed on top of that.

use magicbell::SecretToken;

use crate::connection::TOKEN_VARIABLE;
use crate::exit::Failure;

/// The shortest token in the environment that is looked for: a shorter one could be a part of anything.
const SHORTEST: usize = 20;

/// Fails where one of the arguments holds a token: clap's own errors would show it.
pub(crate) fn check() -> Result<(), Failure> {
    let own = std::env::var(TOKEN_VARIABLE).unwrap_or_default();
    for (at, argument) in std::env::args_os().enumerate().skip(1) {
        let argument = argument.to_string_lossy();
        if holds_a_token(&argument, &own) {
            let message =
                "it looks like a token: others can read it here, so revoke it, and give its id where that is meant";
            return Err(Failure::bad_input(format_args!("argument {at}: {message}")));
        }
    }
    Ok(())
}

/// Says whether a token is in a text: one that looks like it, or the one in the environment. An option's own dashes aren't a part
/// of its value.
fn holds_a_token(argument: &str, own: &str) -> bool {
    let value = argument.trim_start_matches('-');
    SecretToken::is_in(value) || (own.len() >= SHORTEST && argument.contains(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_wherever_it_is() {
        for argument in [
            "eyJhbGciOiJub25lIn0.e30.c2ln",
            "--token=eyJhbGciOiJub25lIn0.e30.",
            "-eyJhbGciOiJub25lIn0.e30.c2ln",
            "--eyJhbGciOiJub25lIn0.e30.c2ln",
            "keyJ=eyJhbGciOiJub25lIn0.e30.",
            "-xan-opaque-token-of-ours",
        ] {
            assert!(holds_a_token(argument, "an-opaque-token-of-ours"), "{argument}");
        }
        for argument in ["", "--yes", "eyJ", "keyJournals/of-production.jsonl", "550e8400-e29b-41d4-a716-446655440000"]
        {
            assert!(!holds_a_token(argument, ""), "{argument}");
            assert!(!holds_a_token(argument, "an-opaque-token-of-ours"), "{argument}");
        }
    }
}

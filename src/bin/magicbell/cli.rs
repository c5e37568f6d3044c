//! What can be typed.

use clap::{Parser, Subcommand};

use crate::completions::Completions;
use crate::demo::Demo;
use crate::rotate::Rotate;
use crate::tokens::Tokens;

const AFTER_HELP: &str = "\
The project token is read from MAGICBELL_PROJECT_TOKEN, --token-file or --token-stdin, never from an argument.

Exit codes:
  0  everything was achieved
  1  another failure: no connection, a file that can't be written
  2  bad input: options, ids, a count that differs; nothing was revoked
  3  the credentials are missing or refused
  4  some tokens were not revoked
  5  of some tokens it isn't known, or they are still listed: take them as live
  6  stopped by Ctrl-C
  7  all that was planned is gone, and meanwhile more tokens were made that would be revoked too: plan again

To rehearse all of it offline: magicbell demo";

/// Lists, creates, revokes and rotates MagicBell's access tokens.
#[derive(Debug, Parser)]
#[command(name = "magicbell", version, after_help = AFTER_HELP, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List, create and revoke tokens
    #[command(subcommand)]
    Tokens(Tokens),
    /// Replace the project token that is in use by a new one
    Rotate(Box<Rotate>),
    /// Start a fake service on loopback with tokens in it, and print what to try
    Demo(Demo),
    /// Print a script for a shell's completions
    Completions(Completions),
    /// Print a manual page, in roff
    Man,
}

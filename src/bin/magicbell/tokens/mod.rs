//! `magicbell tokens`

mod create;
mod list;
mod revoke;

use clap::Subcommand;

use crate::exit::{Exit, Failure};

#[derive(Debug, Subcommand)]
pub(crate) enum Tokens {
    /// List the project's tokens, or a user's: never the tokens themselves
    List(list::List),
    /// Create a token, which is shown this once
    Create(create::Create),
    /// Revoke tokens, for good
    Revoke(Box<revoke::Revoke>),
}

pub(crate) async fn run(tokens: Tokens) -> Result<Exit, Failure> {
    match tokens {
        Tokens::List(list) => list::run(list).await,
        Tokens::Create(create) => create::run(create).await,
        Tokens::Revoke(revoke) => revoke::run(*revoke).await,
    }
}

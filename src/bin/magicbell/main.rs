//! The command `magicbell`: lists, creates, revokes and rotates tokens, from a terminal.
//!
//! A thin room over the library: it reads options, shows what is going to be done, and turns what came of it into an exit code.

// As in the library. `println!` panics where its reader is gone.
#![warn(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::todo,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod arguments;
mod cli;
mod completions;
mod connection;
mod core_dumps;
mod demo;
mod exit;
mod glob;
mod ids;
mod man;
mod pause;
mod private_file;
mod rotate;
mod signals;
mod spinner;
mod text;
mod tokens;
mod traces;
mod when;

use std::process::ExitCode;

use clap::Parser as _;

use cli::{Cli, Command};
use exit::{Exit, Failure};

fn main() -> ExitCode {
    core_dumps::switch_off();
    let code = match arguments::check().and_then(|()| run(Cli::parse())) {
        Ok(exit) => exit,
        Err(failure) => failure.tell(),
    };
    ExitCode::from(code as u8)
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::new(Exit::Failed, error))?;
    match cli.command {
        Command::Tokens(tokens) => runtime.block_on(tokens::run(tokens)),
        Command::Rotate(rotate) => runtime.block_on(rotate::run(*rotate)),
        Command::Demo(demo) => runtime.block_on(demo::run(demo)),
        Command::Completions(completions) => completions::run(completions),
        Command::Man => man::run(),
    }
}

//! `magicbell completions SHELL`

use std::io::Write as _;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::exit::{Exit, Failure};

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// For which shell
    shell: Shell,
}

pub(crate) fn run(completions: Completions) -> Result<Exit, Failure> {
    // Into memory first: the generator panics where stdout is gone.
    let mut script = Vec::new();
    clap_complete::generate(completions.shell, &mut Cli::command(), "magicbell", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(Exit::Achieved)
}

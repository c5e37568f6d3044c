//! `magicbell man`

use std::io::Write as _;

use clap::CommandFactory as _;
use clap_mangen::Man;

use crate::cli::Cli;
use crate::exit::{Exit, Failure};

/// Writes a page of the command, followed by one of each command beneath it.
pub(crate) fn run() -> Result<Exit, Failure> {
    let mut root = Cli::command();
    root.build();
    let mut pages = Vec::new();
    render(root, &mut pages)?;
    std::io::stdout().write_all(&pages)?;
    Ok(Exit::Achieved)
}

fn render(command: clap::Command, pages: &mut Vec<u8>) -> std::io::Result<()> {
    let beneath = command.get_subcommands().filter(|command| command.get_name() != "help").cloned().collect::<Vec<_>>();
    Man::new(command).render(pages)?;
    beneath.into_iter().try_for_each(|command| render(command, pages))
}

//! A line of JSON for each id.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use magicbell::revocation::Revocation;

use crate::exit::Failure;
use crate::private_file;
use crate::text::json_line;

/// Where the lines go.
pub(super) enum Outcomes {
    Stdout(io::Stdout),
    Log(File),
}

impl Outcomes {
    /// Opens the log, where there is to be one. Lines are added to one that is there.
    pub(super) fn open(log: Option<&Path>) -> Result<Self, Failure> {
        match log {
            Some(path) => private_file::append(path).map(Self::Log).map_err(|error| Failure::file(path, &error)),
            None => Ok(Self::Stdout(io::stdout())),
        }
    }

    /// Writes a line, in one go, so that it is there or isn't.
    pub(super) fn write(&mut self, revocation: &Revocation) -> io::Result<()> {
        let line = json_line(revocation);
        match self {
            Self::Stdout(out) => out.write_all(line.as_bytes()).and_then(|()| out.flush()),
            Self::Log(file) => file.write_all(line.as_bytes()),
        }
    }

    /// Whether the lines may be between what is drawn on a terminal.
    pub(super) fn is_terminal(&self) -> bool {
        matches!(self, Self::Stdout(out) if io::IsTerminal::is_terminal(out))
    }
}

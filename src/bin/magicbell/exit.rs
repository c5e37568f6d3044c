//! What the command comes to: exit codes, and failures as they are told.

use std::error::Error as _;
use std::fmt::Display;
use std::io::Write as _;

use magicbell::ErrorKind;
use magicbell::revocation::ListError;

/// The exit codes; the help says what each means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Achieved = 0,
    Failed = 1,
    BadInput = 2,
    BadCredentials = 3,
    NotRevoked = 4,
    Unknown = 5,
    Stopped = 6,
    MadeMeanwhile = 7,
}

/// Why the command ends early.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Display) -> Self {
        Self { exit, message: message.to_string() }
    }

    pub(crate) fn bad_input(message: impl Display) -> Self {
        Self::new(Exit::BadInput, message)
    }

    /// Names the file that a failure is about.
    pub(crate) fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::new(Exit::Failed, format!("{}: {error}", path.display()))
    }

    pub(crate) fn of(error: &magicbell::Error) -> Self {
        Self::new(exit_of(error), chain(error))
    }

    /// Adds what is to be done about it, in a line of its own.
    pub(crate) fn add(&mut self, line: impl Display) {
        self.message = format!("{}\n{line}", self.message);
    }

    /// Says on stderr what went wrong, and returns the code to exit with.
    pub(crate) fn tell(self) -> Exit {
        say(format_args!("magicbell: {}", self.message));
        self.exit
    }
}

impl From<magicbell::Error> for Failure {
    fn from(error: magicbell::Error) -> Self {
        Self::of(&error)
    }
}

impl<T> From<ListError<T>> for Failure {
    fn from(error: ListError<T>) -> Self {
        match error {
            ListError::Failed(error) => error.into(),
            other => Self::new(Exit::Failed, other),
        }
    }
}

/// Stdout can't be written any more.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Exit::Failed, format!("the output can't be written: {error}"))
    }
}

fn exit_of(error: &magicbell::Error) -> Exit {
    match error.kind() {
        _ if error.is_unauthorized() || error.status().is_some_and(|status| status.as_u16() == 403) => {
            Exit::BadCredentials
        }
        ErrorKind::Configuration | ErrorKind::InvalidRequest => Exit::BadInput,
        _ => Exit::Failed,
    }
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &magicbell::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

/// Writes a line to stderr. Where that is gone, so is who reads it.
pub(crate) fn say(line: impl Display) {
    _ = writeln!(std::io::stderr(), "{line}");
}

//! The journal of a run: a new one, or the one that it is resumed from.

use std::fs;
use std::io;
use std::path::Path;

use magicbell::revocation::Journal;

use super::Revoke;
use super::confirm::with_causes;
use super::plan::Wanted;
use crate::exit::{Failure, say};

/// Looks early, before anything is listed, whether the journal is what the options say.
pub(super) fn check(revoke: &Revoke, wanted: &Wanted) -> Result<(), Failure> {
    let Some(path) = &revoke.journal else { return Ok(()) };
    if matches!(wanted, Wanted::Listed { user_id: None, .. }) && revoke.project_name.is_none() {
        let message = "the journal of all of a project has to say which: add --project-name, so that it is never resumed against \
                       another";
        return Err(Failure::bad_input(message));
    }
    match fs::metadata(path) {
        Ok(file) if file.len() > 0 && !revoke.resume => Err(is_there(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound && revoke.resume => Err(Failure::bad_input(
            format_args!("{}: there is no such journal: leave --resume out to begin a new one", path.display()),
        )),
        // What else is wrong with it, opening it says.
        _ => Ok(()),
    }
}

/// Opens the journal, where there is to be one. Nothing is written to it yet.
pub(super) fn open(revoke: &Revoke) -> Result<Option<Journal>, Failure> {
    let Some(path) = revoke.journal.as_deref() else { return Ok(None) };
    let mut options = Journal::options();
    if let Some(name) = &revoke.project_name {
        options = options.project(name);
    }
    let journal = options
        .open(path)
        .map_err(|error| Failure::bad_input(format_args!("{}: {}", path.display(), with_causes(&error))))?;
    // Another run may have made it since it was looked for.
    if !revoke.resume && !journal.is_empty() {
        return Err(is_there(path));
    }
    if revoke.resume {
        say(format_args!(
            "{} goes on: {} settled already, {} to be sent again",
            path.display(),
            journal.settled(),
            journal.unknown()
        ));
    }
    Ok(Some(journal))
}

fn is_there(path: &Path) -> Failure {
    Failure::bad_input(format_args!(
        "{}: it is there already: add --resume to go on from it, or name another file",
        path.display()
    ))
}

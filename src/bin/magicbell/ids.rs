//! Ids out of arguments, files and standard input: each as it is, or not at all.

use std::collections::HashSet;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use magicbell::Endpoint as _;
use magicbell::jwt::DiscardUserJwt;

use crate::exit::{Exit, Failure};

/// Ids in the order in which they were given, each of them once.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    pub(crate) ids: Vec<String>,
    /// How many were given again.
    pub(crate) repeated: usize,
    known: HashSet<String>,
}

impl Ids {
    /// Adds those that were typed.
    pub(crate) fn add_arguments(&mut self, arguments: &[String]) -> Result<(), Failure> {
        arguments.iter().enumerate().try_for_each(|(at, id)| self.add(id, format_args!("id {}", at + 1)))
    }

    /// Adds those of a file, one a line, or of standard input for `-`. Blank lines are passed over.
    pub(crate) fn add_file(&mut self, path: &Path) -> Result<(), Failure> {
        let bytes = read(path).map_err(|error| Failure::new(Exit::BadInput, format!("{}: {error}", path.display())))?;
        for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let place = format_args!("{}, line {}", path.display(), at + 1).to_string();
            let line = std::str::from_utf8(line)
                .map_err(|_| Failure::bad_input(format_args!("{place}: it isn't text in UTF-8")))?;
            if !line.is_empty() {
                self.add(line, place)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, id: &str, place: impl std::fmt::Display) -> Result<(), Failure> {
        if let Some(problem) = problem(id) {
            return Err(Failure::bad_input(format_args!("{place}: {problem}")));
        }
        if self.known.insert(id.to_ascii_lowercase()) {
            self.ids.push(id.to_owned());
        } else {
            self.repeated += 1;
        }
        Ok(())
    }
}

/// Says why an id can't be sent as it is. It isn't told itself: it may be a token.
fn problem(id: &str) -> Option<String> {
    if id.ends_with('\r') {
        return Some("it ends with a carriage return: the lines of the file end with CRLF".into());
    }
    if id.starts_with('\u{feff}') {
        return Some("it begins with a byte order mark".into());
    }
    if let Err(invalid) = DiscardUserJwt::new(id).validate() {
        return Some(invalid.to_string());
    }
    let is_odd = |char: char| char.is_control() || char.is_whitespace();
    match id {
        "" | "." | ".." => Some("it is no id".into()),
        _ if id.contains(is_odd) => Some("it has white space or a control character in it".into()),
        _ => None,
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    if path.as_os_str() != "-" {
        return fs::read(path);
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_taken_as_it_is_or_refused() {
        for id in
            ["", ".", "..", " a", "a ", "a\r", "\u{feff}a", "a\tb", "a\u{a0}", "a\0b", "eyJhbGciOiJub25lIn0.e30.c2ln"]
        {
            assert!(problem(id).is_some(), "{id:?}");
        }
        for id in ["a", "550e8400-e29b-41d4-a716-446655440000", "a/b", "é"] {
            assert_eq!(problem(id), None);
        }
    }

    #[test]
    fn an_id_that_is_given_again_in_either_case_counts_once() {
        let mut ids = Ids::default();
        ids.add_arguments(&["a-1".into(), "b-2".into(), "A-1".into()]).unwrap();
        assert_eq!((ids.ids, ids.repeated), (vec!["a-1".to_owned(), "b-2".to_owned()], 1));
    }
}

//! How far a rotation has come: a file of lines, locked while one is under way.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use magicbell::SecretToken;
use serde::{Deserialize, Serialize};

use crate::exit::{Exit, Failure};
use crate::private_file;

/// How the first line begins.
const START: &str = "{\"begun\":";

/// How far a rotation has come. Lines are only ever added, so that what was written stays, wherever it dies.
pub(super) struct State {
    file: File,
    path: PathBuf,
    /// Where the last whole line ends: what follows was being written when the writer died.
    end: u64,
    begun: Option<Begun>,
    token: Option<SecretToken>,
}

/// What is known before a token is made, which so is found by its name.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Begun {
    pub(super) old_id: String,
    /// The new token's, and nobody else's.
    pub(super) name: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Begun(Begun),
    /// The new token.
    Token(String),
}

/// The most characters that are added to a name.
pub(super) const SUFFIX_CHARS: usize = " #".len() + u64::BITS as usize / 4;

impl Begun {
    pub(super) fn new(old_id: String, name: &str) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_nanos());
        Self { old_id, name: format!("{name} #{now:x}") }
    }
}

impl State {
    /// Takes the file, and reads how far it has come. Nobody else has it until this is dropped, or the process is gone.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let file = lock(path)?;
        let mut state = Self { file, path: path.to_owned(), end: 0, begun: None, token: None };
        let mut text = String::new();
        match state.file.read_to_string(&mut text) {
            Err(error) if error.kind() != io::ErrorKind::InvalidData => Err(state.failed(&error)),
            // Its text may hold a token.
            read if read.is_err() || state.learn(&text).is_none() => {
                Err(Failure::bad_input(format_args!("{}: it is no rotation's", path.display())))
            }
            _ => Ok(state),
        }
    }

    /// Reads the lines; `None` where they aren't a rotation's.
    fn learn(&mut self, text: &str) -> Option<()> {
        for line in text.split_inclusive('\n') {
            let Some(whole) = line.strip_suffix('\n') else {
                // Another's file is left as it is.
                let is_ours = self.begun.is_some() || line.starts_with(START) || START.starts_with(line);
                return is_ours.then_some(());
            };
            match serde_json::from_str(whole).ok()? {
                Line::Begun(begun) => self.begun = Some(begun),
                Line::Token(token) => self.token = Some(self.begun.as_ref().map(|_| token.into())?),
            }
            self.end += line.len() as u64;
        }
        Some(())
    }

    /// Returns what was begun, if anything was.
    pub(super) fn begun(&self) -> Option<Begun> {
        self.begun.clone()
    }

    pub(super) fn token(&self) -> Option<SecretToken> {
        self.token.clone()
    }

    pub(super) fn begin(&mut self, begun: Begun) -> Result<(), Failure> {
        self.add(&Line::Begun(begun.clone()))?;
        self.begun = Some(begun);
        Ok(())
    }

    /// Keeps the token that was made.
    pub(super) fn keep(&mut self, token: &SecretToken) -> Result<(), Failure> {
        self.add(&Line::Token(token.expose_secret().to_owned()))?;
        self.token = Some(token.clone());
        Ok(())
    }

    fn add(&mut self, line: &Line) -> Result<(), Failure> {
        // A few texts: it can't fail.
        let mut bytes = serde_json::to_vec(line).unwrap_or_default();
        bytes.push(b'\n');
        self.append(&bytes).map_err(|error| self.failed(&error))
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.set_len(self.end)?;
        self.file.seek(SeekFrom::Start(self.end))?;
        private_file::write(&mut self.file, bytes)?;
        self.end += bytes.len() as u64;
        Ok(())
    }

    /// Ends it: nothing of it is left. Until it is gone, nobody else can begin.
    pub(super) fn end(self) -> Result<(), Failure> {
        // Where a file can't be told from another one that has taken its name, it stays, and is empty.
        let ended = if cfg!(unix) { fs::remove_file(&self.path) } else { self.file.set_len(0) };
        ended.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &io::Error) -> Failure {
        Failure::file(&self.path, error)
    }
}

/// Opens and locks the file. One that has been removed by the time that it is locked was that of a rotation that has ended.
fn lock(path: &Path) -> Result<File, Failure> {
    let failed = |error: io::Error| Failure::file(path, &error);
    loop {
        let file = private_file::open(path).map_err(failed)?;
        match fs4::FileExt::try_lock(&file) {
            Ok(()) => {}
            Err(fs4::TryLockError::WouldBlock) => {
                let message = "another rotation is under way, which has this file: nothing was done";
                return Err(Failure::new(Exit::Failed, format_args!("{}: {message}", path.display())));
            }
            Err(fs4::TryLockError::Error(error)) => return Err(failed(error)),
        }
        if is_at(&file, path).map_err(failed)? {
            return Ok(file);
        }
    }
}

/// Says whether a file is still what its path names.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;

    let ours = file.metadata()?;
    match fs::metadata(path) {
        Ok(theirs) => Ok((ours.dev(), ours.ino()) == (theirs.dev(), theirs.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Elsewhere it is never removed.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

/// Where the state of a rotation is kept.
pub(super) fn path(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".rotation");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path_in(folder: &tempfile::TempDir) -> PathBuf {
        path(&folder.path().join("token"))
    }

    #[test]
    fn what_was_written_is_read_and_what_was_torn_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = path_in(&folder);
        let mut state = State::open(&path).unwrap();
        state.begin(Begun::new("old".into(), "ci")).unwrap();
        state.keep(&SecretToken::from("new")).unwrap();
        drop(state);
        let whole = fs::read(&path).unwrap();
        let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for length in (0..whole.len()).rev() {
            fs::write(&path, &whole[..length]).unwrap();
            let mut state = State::open(&path).unwrap();
            assert_eq!(state.begun().map(|begun| begun.old_id), (length >= first).then(|| "old".to_owned()));
            assert!(state.token().is_none());
            if length >= first {
                state.keep(&SecretToken::from("new")).unwrap();
                assert_eq!(fs::read(&path).unwrap(), whole, "the torn line is gone");
            }
        }
    }

    #[test]
    fn anothers_file_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = path_in(&folder);
        for text in ["notes of mine", "notes of mine\n", "{\"token\":\"x\"}\n", "{\"begun\":1}\n", "\u{feff}", "\n"] {
            fs::write(&path, text).unwrap();
            assert!(State::open(&path).is_err(), "{text:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        fs::write(&path, b"\xff").unwrap();
        assert!(State::open(&path).is_err());
    }

    #[test]
    fn one_at_a_time_has_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = path_in(&folder);
        let state = State::open(&path).unwrap();
        assert!(State::open(&path).is_err());
        state.end().unwrap();
        drop(State::open(&path).unwrap());
        drop(State::open(&path).unwrap());
    }

    /// Whoever has opened the file of a rotation that ends then must not go on with it: the next one has another.
    #[cfg(unix)]
    #[test]
    fn a_file_that_was_removed_meanwhile_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = path_in(&folder);
        let late = private_file::open(&path).unwrap();
        State::open(&path).unwrap().end().unwrap();
        assert!(!is_at(&late, &path).unwrap());
        let next = State::open(&path).unwrap();
        assert!(!is_at(&late, &path).unwrap());
        assert!(is_at(&next.file, &path).unwrap());
    }
}

//! Why a journal can't be used.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::sync::Arc;

/// Why a journal can't be used, or can't be written any more. It holds no id and no token.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::revocation::Journal;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("revocation.jsonl");
/// std::fs::write(&path, "tokens of last week\n")?;
/// let error = Journal::open(&path).unwrap_err();
/// assert_eq!(error.line(), Some(1));
/// assert_eq!(std::fs::read_to_string(&path)?, "tokens of last week\n", "somebody else's file is left alone");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct JournalError {
    kind: JournalErrorKind,
    message: Cow<'static, str>,
    line: Option<u64>,
    source: Option<Arc<io::Error>>,
}

/// What is wrong with a journal.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::revocation::{Journal, JournalErrorKind};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("revocation.jsonl");
/// let journal = Journal::open(&path)?;
/// assert_eq!(Journal::open(&path).unwrap_err().kind(), JournalErrorKind::InUse);
/// drop(journal);
/// assert!(Journal::open(&path).is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JournalErrorKind {
    /// The file can't be opened, read, written or synced.
    Io,
    /// Another batch has it open, in this process or another.
    InUse,
    /// It isn't a journal, or a line of it is broken: [`JournalError::line`] says which. Nothing of it was changed.
    Unreadable,
    /// It is of another host, another project or the other kind of token. Nothing of it was changed.
    OtherBatch,
}

impl JournalError {
    fn new(kind: JournalErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into(), line: None, source: None }
    }

    pub(super) fn io(message: &'static str, source: io::Error) -> Self {
        Self { source: Some(Arc::new(source)), ..Self::new(JournalErrorKind::Io, message) }
    }

    pub(in crate::revocation) fn in_use() -> Self {
        Self::new(JournalErrorKind::InUse, "the journal is in use by another batch")
    }

    pub(super) fn unreadable(line: u64, problem: &str) -> Self {
        let message = format!("line {line} of the journal can't be read: {problem}");
        Self { line: Some(line), ..Self::new(JournalErrorKind::Unreadable, message) }
    }

    pub(super) fn other_batch(message: String) -> Self {
        Self::new(JournalErrorKind::OtherBatch, message)
    }

    /// Returns what is wrong.
    #[must_use]
    pub fn kind(&self) -> JournalErrorKind {
        self.kind
    }

    /// Returns which line can't be read, counted from 1, where it is one.
    #[must_use]
    pub fn line(&self) -> Option<u64> {
        self.line
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for JournalError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

//! A journal that is open.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom};
use std::path::Path;
use std::time::Duration;

use super::memory::Memory;
use super::record::Header;
use super::{JournalError, reader};
use crate::secret::SecretToken;

/// The record of a batch, in a file: what was going to be sent, and what became of it. A batch that died is resumed from it.
///
/// See [the module's documentation](crate::revocation#a-journal) for an example. The file is locked while this, or the batch that
/// it is given to, is there.
///
/// What a batch that is resumed has before it:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::revocation::Journal;
/// # use magicbell::testing::{Fault, Server};
/// # let server = Server::start().await?;
/// # let client = server.client();
/// # let ids = server.add_user_tokens("hana", 5);
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("revocation.jsonl");
/// # let refused = ids[0].clone();
/// # server.on::<magicbell::jwt::DiscardUserJwt>()
/// #     .when(move |request| request.path_parameter("token_id") == refused)
/// #     .fails(Fault::html(502).always());
///
/// client.jwt().discard_user_jwts(&ids).journal(Journal::open(&path)?)?.run().await;
/// let journal = Journal::open(&path)?;
/// assert_eq!((journal.settled(), journal.unknown()), (4, 1)); // to each of the attempts at one a proxy answered 502
/// # Ok(())
/// # }
/// ```
pub struct Journal {
    pub(super) file: File,
    pub(super) header: Option<Header>,
    pub(super) memory: Memory,
    /// Where the next line goes.
    pub(super) end: u64,
    pub(super) sync: JournalSync,
    pub(super) project: Option<String>,
}

/// When what was written is synced to the disk, so that it survives a failure of the machine. What was written survives the
/// death of the process, `kill -9` too, without that.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use magicbell::revocation::{Journal, JournalSync};
/// # use magicbell::testing::Server;
/// # let server = Server::start().await?;
/// # let client = server.client();
/// # let ids = server.add_user_tokens("hana", 50);
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("revocation.jsonl");
///
/// // For a disk that is slow to sync. The process may die at any time all the same.
/// let journal = Journal::options().sync(JournalSync::Every(Duration::from_secs(60))).open(&path)?;
/// let report = client.jwt().discard_user_jwts(ids).journal(journal)?.run().await;
/// assert!(report.is_complete());
/// assert_eq!(Journal::open(&path)?.settled(), 50);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum JournalSync {
    /// Before a request is sent, and before an outcome is handed out; what falls due together is synced together. An id that
    /// the machine's failure took from the journal was never sent.
    #[default]
    Each,
    /// At the latest this long after it was written. The machine's failure may take from the journal what was sent in that time;
    /// a resumed batch sends it again, and has [`NotFound`](crate::revocation::RevocationOutcome::NotFound) for what had been
    /// revoked.
    Every(Duration),
}

/// How a journal is opened; [`Journal::options`] begins.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::revocation::{Journal, JournalErrorKind};
/// # use magicbell::testing::Server;
/// # let server = Server::start().await?;
/// # let client = server.client();
/// # let ids = server.add_user_tokens("hana", 1);
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("revocation.jsonl");
///
/// let journal = Journal::options().project("acme").open(&path)?;
/// client.jwt().discard_user_jwts(&ids).journal(journal)?.run().await;
///
/// let journal = Journal::options().project("another").open(&path)?;
/// let refused = client.jwt().discard_user_jwts(&ids).journal(journal).unwrap_err();
/// assert_eq!(refused.kind(), JournalErrorKind::OtherBatch);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "options do nothing until a journal is opened by them"]
pub struct JournalOptions {
    sync: JournalSync,
    project: Option<String>,
}

impl Journal {
    /// Opens a journal, or makes a new one: [`options`](Self::options) with nothing changed.
    ///
    /// # Errors
    ///
    /// As of [`JournalOptions::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        Self::options().open(path)
    }

    /// Begins with what is set unless it is changed: synced each time, and no name for the project.
    pub fn options() -> JournalOptions {
        JournalOptions::default()
    }

    /// Says whether nothing is written in it yet: it is new, or whoever made it sent nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.header.is_none()
    }

    /// Returns how many ids have an outcome that a resumed batch takes from the journal.
    #[must_use]
    pub fn settled(&self) -> usize {
        self.memory.settled()
    }

    /// Returns how many ids may have been revoked, and aren't known to be. A resumed batch sends them again.
    #[must_use]
    pub fn unknown(&self) -> usize {
        self.memory.unknown()
    }
}

impl JournalOptions {
    /// Sets when what was written is synced.
    pub fn sync(mut self, sync: JournalSync) -> Self {
        self.sync = sync;
        self
    }

    /// Says what to call the project. A journal is resumed under the same name alone, so that no other project's batch is taken
    /// for its continuation.
    ///
    /// Nothing else names a project for sure: a token changes with each rotation, and what claims are in it isn't documented.
    /// Where it is a JWT with a claim `project_id` or `project`, that is compared too.
    pub fn project(mut self, name: impl Into<String>) -> Self {
        self.project = Some(name.into());
        self
    }

    /// Opens the journal at a path, or makes a new one that its owner alone can read, and reads it.
    ///
    /// # Errors
    ///
    /// Where the file can't be opened or isn't one; where another batch has it open; where a line of it is broken, but for a
    /// last one that has no end. Nothing of the file is changed here.
    pub fn open(self, path: impl AsRef<Path>) -> Result<Journal, JournalError> {
        if self.project.as_deref().is_some_and(SecretToken::is_in) {
            return Err(JournalError::other_batch("the project's name looks like a token".into()));
        }
        let file = open(path.as_ref()).map_err(|error| JournalError::io("the journal can't be opened", error))?;
        lock(&file)?;
        let contents = reader::read(&file)?;
        let reader::Contents { header, memory, end } = contents;
        Ok(Journal { file, header, memory, end, sync: self.sync, project: self.project })
    }
}

impl Journal {
    /// Cuts off what the last writer left unfinished, and goes to the end.
    pub(super) fn cut(&mut self) -> io::Result<()> {
        if self.file.metadata()?.len() > self.end {
            self.file.set_len(self.end)?;
        }
        self.file.seek(SeekFrom::Start(self.end)).map(drop)
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = match options.clone().create_new(true).open(path) {
        Ok(file) => {
            sync_folder(path)?;
            file
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.open(path)?,
        Err(error) => return Err(error),
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
    }
    Ok(file)
}

/// Has the file's name survive a failure of the machine.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Elsewhere a folder can't be opened as a file is.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

fn lock(file: &File) -> Result<(), JournalError> {
    // Not the standard library's own, which is newer than the oldest Rust that this is for.
    match fs4::FileExt::try_lock(file) {
        Ok(()) => Ok(()),
        Err(fs4::TryLockError::WouldBlock) => Err(JournalError::in_use()),
        Err(fs4::TryLockError::Error(error)) => Err(JournalError::io("the journal can't be locked", error)),
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("header", &self.header).field("sync", &self.sync).finish_non_exhaustive()
    }
}

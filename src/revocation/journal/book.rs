//! The journal of a batch under way.

use std::fmt;
use std::task::{Context, Poll};

use super::memory::{End, Known, Memory};
use super::record::{Header, Line, VERSION};
use super::writer::{Sink, Writer};
use super::{Journal, JournalError, JournalSync};
use crate::revocation::Revocation;

/// What a journal has to be about, for a batch to go on with it.
#[derive(Debug, Clone)]
pub(in crate::revocation) struct Subject {
    pub(in crate::revocation) base_url: String,
    pub(in crate::revocation) kind: &'static str,
    /// What the client's token calls its project; `None` too where no token is known yet.
    pub(in crate::revocation) token_project: Option<String>,
}

/// The journal of a batch under way: what is added is written by [`commit`](Self::commit), before anything comes of it.
pub(in crate::revocation) struct Book {
    writer: Writer,
    memory: Memory,
    /// The first line, until another is added: a batch that sends nothing leaves a new journal empty.
    header: Option<Header>,
    /// Whether writing failed, after which nothing more is written.
    failed: bool,
    error: Option<JournalError>,
}

impl Journal {
    /// Asks whether a batch can go on with this journal.
    pub(in crate::revocation) fn check(&self, subject: &Subject) -> Result<(), JournalError> {
        let Some(header) = &self.header else { return Ok(()) };
        let differ = |what: &str, theirs: &str, ours: &str| {
            Err(JournalError::other_batch(format!("the journal is of {what} {theirs:?}, and the batch of {ours:?}")))
        };
        if header.base_url != subject.base_url {
            return differ("base URL", &header.base_url, &subject.base_url);
        }
        if header.kind != subject.kind {
            return differ("tokens of kind", &header.kind, subject.kind);
        }
        let name = |project: &Option<String>| project.clone().unwrap_or_default();
        if header.project != self.project {
            return differ("project", &name(&header.project), &name(&self.project));
        }
        match (&header.token_project, &subject.token_project) {
            (Some(theirs), Some(ours)) if theirs != ours => differ("the token's project", theirs, ours),
            _ => Ok(()),
        }
    }

    /// Begins to write.
    pub(in crate::revocation) fn begin(mut self, subject: Subject) -> Result<Book, JournalError> {
        self.check(&subject)?;
        self.cut().map_err(|error| JournalError::io("the journal's end can't be made whole", error))?;
        let Self { file, header, memory, sync, project, .. } = self;
        let Subject { base_url, kind, token_project } = subject;
        let kind = kind.to_owned();
        let new = Header { magicbell_journal: VERSION, base_url, kind, project, token_project };
        Ok(Book::new(Box::new(file), memory, header.is_none().then_some(new), sync))
    }
}

impl Book {
    fn new(sink: Box<dyn Sink>, memory: Memory, header: Option<Header>, sync: JournalSync) -> Self {
        Self { writer: Writer::new(sink, sync), memory, header, failed: false, error: None }
    }

    /// Writes to something else than a file, without a first line.
    #[cfg(test)]
    pub(in crate::revocation) fn to(sink: Box<dyn Sink>, sync: JournalSync) -> Self {
        Self::new(sink, Memory::default(), None, sync)
    }

    /// Returns what is known of an id from before.
    pub(in crate::revocation) fn known(&self, token_id: &str) -> Option<Known> {
        self.memory.get(token_id)
    }

    /// Adds that an id is going to be sent.
    pub(in crate::revocation) fn intend(&mut self, token_id: &str) {
        self.add(&Line::intent(token_id));
    }

    /// Adds what became of an id.
    pub(in crate::revocation) fn end(&mut self, revocation: &Revocation) {
        let Revocation { outcome, attempts, status, .. } = *revocation;
        let end = End { outcome, doubt: revocation.doubt(), status: status.map(|status| status.as_u16()), attempts };
        self.memory.end(&revocation.token_id, end);
        self.add(&Line::ended(revocation));
    }

    fn add(&mut self, line: &Line<'_>) {
        if self.failed {
            return;
        }
        if let Some(header) = self.header.take() {
            self.writer.add(&header);
        }
        self.writer.add(line);
    }

    pub(in crate::revocation) fn is_dirty(&self) -> bool {
        self.writer.is_dirty()
    }

    /// Writes what was added; `false` where that fails, and for good.
    pub(in crate::revocation) fn commit(&mut self) -> bool {
        !self.failed && {
            let committed = self.writer.commit();
            self.keep(committed)
        }
    }

    /// Syncs what isn't yet, at the end.
    pub(in crate::revocation) fn finish(&mut self) -> bool {
        !self.failed && {
            let finished = self.writer.finish();
            self.keep(finished)
        }
    }

    /// Waits until something has to be synced, and does it; ready with `false` where that fails.
    pub(in crate::revocation) fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if self.failed {
            return Poll::Pending;
        }
        self.writer.poll_due(cx).map(|synced| self.keep(synced))
    }

    pub(in crate::revocation) fn error(&self) -> Option<&JournalError> {
        self.error.as_ref()
    }

    fn keep(&mut self, result: Result<(), JournalError>) -> bool {
        match result {
            Ok(()) => true,
            Err(error) => {
                (self.failed, self.error) = (true, Some(error));
                false
            }
        }
    }
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Book").field("error", &self.error).finish_non_exhaustive()
    }
}

//! What a batch does with its journal, where it has one.

use std::task::{Context, Poll};

use super::Revocation;
use super::journal::{Book, Journal, JournalError, Known, Subject};

/// What a batch does with its journal: nothing, where it has none.
#[derive(Debug, Default)]
pub(super) struct Recording {
    opened: Option<Journal>,
    book: Option<Book>,
    error: Option<JournalError>,
}

impl Recording {
    pub(super) fn new(opened: Option<Journal>) -> Self {
        Self { opened, ..Self::default() }
    }

    /// Writes to something else than a file.
    #[cfg(test)]
    pub(super) fn to(sink: Box<dyn super::journal::Sink>, sync: super::journal::JournalSync) -> Self {
        Self { book: Some(Book::to(sink, sync)), ..Self::default() }
    }

    /// Begins to write, unless it has begun; `false` where the journal can't be used.
    pub(super) fn begin(&mut self, subject: impl FnOnce() -> Subject) -> bool {
        let Some(journal) = self.opened.take() else { return true };
        match journal.begin(subject()) {
            Ok(book) => self.book = Some(book),
            Err(error) => self.error = Some(error),
        }
        self.error.is_none()
    }

    /// Says whether there is a journal to write.
    pub(super) fn is_on(&self) -> bool {
        self.book.is_some()
    }

    /// Returns what the journal knows of an id.
    pub(super) fn known(&self, token_id: &str) -> Option<Known> {
        self.book.as_ref()?.known(token_id)
    }

    /// Adds that an id is going to be sent.
    pub(super) fn intend(&mut self, token_id: &str) {
        if let Some(book) = &mut self.book {
            book.intend(token_id);
        }
    }

    /// Adds what became of an id.
    pub(super) fn end(&mut self, revocation: &Revocation) {
        if let Some(book) = &mut self.book {
            book.end(revocation);
        }
    }

    /// Says whether something was added and isn't written: nothing may come of it yet.
    pub(super) fn is_dirty(&self) -> bool {
        self.book.as_ref().is_some_and(Book::is_dirty)
    }

    /// Writes what was added; `false` where that fails.
    pub(super) fn commit(&mut self) -> bool {
        self.book.as_mut().is_none_or(Book::commit)
    }

    /// Writes and syncs what is left, at the end.
    pub(super) fn finish(&mut self) -> bool {
        self.book.as_mut().is_none_or(Book::finish)
    }

    /// Waits until something has to be synced, and does it; ready with `false` where that fails.
    pub(super) fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        self.book.as_mut().map_or(Poll::Pending, |book| book.poll_due(cx))
    }

    pub(super) fn error(&self) -> Option<&JournalError> {
        self.error.as_ref().or_else(|| self.book.as_ref()?.error())
    }
}

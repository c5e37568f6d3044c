//! The journal of a batch: what was going to be sent is written before it is, and what became of it before anybody is told.
//!
//! | file | what is in it |
//! |---|---|
//! | `journal_type.rs` | opening and locking, for the caller |
//! | `record.rs` | the lines |
//! | `reader.rs`, `memory.rs` | what a journal says, and what is kept of it |
//! | `writer.rs`, `book.rs` | writing, and what a batch under way asks of it |

mod book;
mod error;
mod journal_type;
mod memory;
mod reader;
mod record;
mod writer;

pub(super) use book::{Book, Subject};
pub use error::{JournalError, JournalErrorKind};
pub use journal_type::{Journal, JournalOptions, JournalSync};
pub(super) use memory::Known;
#[cfg(test)]
pub(super) use writer::Sink;

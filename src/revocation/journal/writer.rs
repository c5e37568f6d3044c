//! Writes a journal.

use std::fs::File;
use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use serde::Serialize;
use tokio::time::{Instant, Sleep, sleep_until};

use super::{JournalError, JournalSync, record};

/// What lines are written to.
pub(in crate::revocation) trait Sink: Send + Sync {
    /// Writes all of them, or fails.
    fn append(&mut self, lines: &[u8]) -> io::Result<()>;

    /// Has what was written survive a failure of the machine.
    fn sync(&mut self) -> io::Result<()>;
}

impl Sink for File {
    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        self.write_all(lines)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Collects lines, and writes them together.
pub(super) struct Writer {
    sink: Box<dyn Sink>,
    lines: Vec<u8>,
    sync: JournalSync,
    /// When what was written and isn't synced has to be.
    due: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Writer {
    pub(super) fn new(sink: Box<dyn Sink>, sync: JournalSync) -> Self {
        Self { sink, lines: Vec::new(), sync, due: None, timer: None }
    }

    pub(super) fn add(&mut self, line: &impl Serialize) {
        record::write(line, &mut self.lines);
    }

    /// Says whether there is something that [`commit`](Self::commit) would write.
    pub(super) fn is_dirty(&self) -> bool {
        !self.lines.is_empty()
    }

    /// Writes what was added, by one write, and syncs it where that is due.
    pub(super) fn commit(&mut self) -> Result<(), JournalError> {
        if !self.is_dirty() {
            return Ok(());
        }
        let written = self.sink.append(&self.lines);
        self.lines.clear();
        written.map_err(|error| JournalError::io("the journal can't be written", error))?;
        match self.sync {
            JournalSync::Each => self.sync_now(),
            JournalSync::Every(interval) => {
                let now = Instant::now();
                let due = *self.due.get_or_insert_with(|| now.checked_add(interval).unwrap_or(now));
                if due <= now { self.sync_now() } else { Ok(()) }
            }
        }
    }

    /// Syncs what was written, where it isn't.
    pub(super) fn finish(&mut self) -> Result<(), JournalError> {
        self.commit()?;
        if self.due.is_some() { self.sync_now() } else { Ok(()) }
    }

    /// Waits until what was written has to be synced, and syncs it.
    pub(super) fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), JournalError>> {
        let Some(due) = self.due else { return Poll::Pending };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
        if timer.deadline() != due {
            timer.as_mut().reset(due);
        }
        timer.as_mut().poll(cx).map(|()| self.sync_now())
    }

    fn sync_now(&mut self) -> Result<(), JournalError> {
        self.due = None;
        self.sink.sync().map_err(|error| JournalError::io("the journal can't be synced", error))
    }
}

impl Drop for Writer {
    /// A batch that is dropped has nobody to tell that this failed; the lines are written either way.
    fn drop(&mut self) {
        if self.due.is_some() {
            _ = self.sync_now();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::*;
    use crate::revocation::journal::record::Line;

    #[derive(Default, Clone)]
    struct Log(Arc<Mutex<Vec<String>>>);

    impl Sink for Log {
        fn append(&mut self, lines: &[u8]) -> io::Result<()> {
            self.0.lock().unwrap().push(format!("{} lines", lines.iter().filter(|byte| **byte == b'\n').count()));
            Ok(())
        }

        fn sync(&mut self) -> io::Result<()> {
            self.0.lock().unwrap().push("sync".into());
            Ok(())
        }
    }

    impl Log {
        fn take(&self) -> Vec<String> {
            std::mem::take(&mut self.0.lock().unwrap())
        }
    }

    fn writer(sync: JournalSync) -> (Writer, Log) {
        let log = Log::default();
        (Writer::new(Box::new(log.clone()), sync), log)
    }

    #[test]
    fn what_was_added_together_is_written_and_synced_once() {
        let (mut writer, log) = writer(JournalSync::Each);
        writer.commit().unwrap();
        for id in ["a", "b", "c"] {
            writer.add(&Line::intent(id));
        }
        writer.commit().unwrap();
        writer.commit().unwrap();
        assert_eq!(log.take(), ["3 lines", "sync"]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_interval_is_kept_and_the_end_is_synced() {
        let (mut writer, log) = writer(JournalSync::Every(Duration::from_secs(1)));
        for _ in 0..3 {
            writer.add(&Line::intent("a"));
            writer.commit().unwrap();
            tokio::time::advance(Duration::from_millis(300)).await;
        }
        assert_eq!(log.take(), ["1 lines"; 3]);
        tokio::time::advance(Duration::from_millis(300)).await;
        writer.add(&Line::intent("a"));
        writer.commit().unwrap();
        assert_eq!(log.take(), ["1 lines", "sync"]);
        writer.add(&Line::intent("a"));
        writer.finish().unwrap();
        writer.finish().unwrap();
        assert_eq!(log.take(), ["1 lines", "sync"]);
        writer.add(&Line::intent("a"));
        writer.commit().unwrap();
        drop(writer);
        assert_eq!(log.take(), ["1 lines", "sync"], "dropped");
    }

    #[tokio::test(start_paused = true)]
    async fn what_nothing_follows_is_synced_when_it_is_due() {
        let (mut writer, log) = writer(JournalSync::Every(Duration::from_secs(1)));
        writer.add(&Line::intent("a"));
        writer.commit().unwrap();
        let start = Instant::now();
        std::future::poll_fn(|cx| writer.poll_due(cx)).await.unwrap();
        assert_eq!(log.take(), ["1 lines", "sync"]);
        assert!(start.elapsed() >= Duration::from_secs(1));
    }
}

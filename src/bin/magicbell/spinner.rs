//! A line on a terminal that says that something is going on, while nothing else does.

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use tokio::time::{Interval, interval};

const TICK: Duration = Duration::from_millis(100);
const FRAMES: [char; 4] = ['|', '/', '-', '\\'];

/// Draws on stderr, and only where that is a terminal.
pub(crate) struct Spinner {
    is_terminal: bool,
    is_drawn: bool,
    frame: usize,
    tick: Interval,
}

impl Spinner {
    pub(crate) fn new() -> Self {
        Self { is_terminal: std::io::stderr().is_terminal(), is_drawn: false, frame: 0, tick: interval(TICK) }
    }

    /// Waits for what takes time, with a text beside the spinner.
    pub(crate) async fn during<T>(&mut self, text: impl Display, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                // What is there needs no spinner.
                biased;
                done = &mut work => return done,
                _ = self.tick.tick(), if self.is_terminal => self.draw(&text),
            }
        }
    }

    fn draw(&mut self, text: &impl Display) {
        self.frame = (self.frame + 1) % FRAMES.len();
        _ = write!(std::io::stderr(), "\r{} {text}\u{1b}[K", FRAMES[self.frame]);
        self.is_drawn = true;
    }

    /// Makes room for another line.
    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.is_drawn) {
            _ = write!(std::io::stderr(), "\r\u{1b}[K");
        }
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.clear();
    }
}

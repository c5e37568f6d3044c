//! How far it has come: a line that is drawn again on a terminal, and one every ten seconds elsewhere.

use std::fmt;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use magicbell::revocation::Progress;
use tokio::time::Instant;

use crate::exit::say;
use crate::pause::Pause;

/// How often a line is written where nothing can be drawn again.
const SELDOM: Duration = Duration::from_secs(10);

pub(super) struct Bar {
    is_terminal: bool,
    is_drawn: bool,
    last: Instant,
}

impl Bar {
    pub(super) fn new() -> Self {
        Self { is_terminal: std::io::stderr().is_terminal(), is_drawn: false, last: Instant::now() }
    }

    /// Shows it, if it is time.
    pub(super) fn tick(&mut self, progress: &Progress, rate_limited: u64, pause: Pause<'_>) {
        let limited = Limited(rate_limited);
        if self.is_terminal {
            _ = write!(std::io::stderr(), "\r{progress}{limited}{pause}\u{1b}[K");
            self.is_drawn = true;
        } else if self.last.elapsed() >= SELDOM {
            self.last = Instant::now();
            say(format_args!("{progress}{limited}{pause}"));
        }
    }

    /// Makes room for another line.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.is_drawn) {
            _ = write!(std::io::stderr(), "\r\u{1b}[K");
        }
    }

    pub(super) fn say(&mut self, line: &str) {
        self.clear();
        say(line);
    }
}

/// How many requests were answered by 429.
struct Limited(u64);

impl fmt::Display for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 { Ok(()) } else { write!(f, ", {} answered 429", self.0) }
    }
}

//! How far it has come: a line that is drawn again on a terminal, and one every ten seconds elsewhere.

use std::fmt;
use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, SystemTime};

use magicbell::revocation::Progress;
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::exit::say;

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
    pub(super) fn tick(&mut self, progress: &Progress, rate_limited: u64, paused: Option<Duration>) {
        let limited = Limited { rate_limited, paused };
        if self.is_terminal {
            _ = write!(std::io::stderr(), "\r{progress}{limited}\u{1b}[K");
            self.is_drawn = true;
        } else if self.last.elapsed() >= SELDOM {
            self.last = Instant::now();
            say(format_args!("{progress}{limited}"));
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

/// How many requests were answered by 429, and until when nothing is sent.
struct Limited {
    rate_limited: u64,
    paused: Option<Duration>,
}

impl fmt::Display for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rate_limited > 0 {
            write!(f, ", {} answered 429", self.rate_limited)?;
        }
        let Some(until) = self.paused.and_then(|paused| SystemTime::now().checked_add(paused)) else { return Ok(()) };
        let until = OffsetDateTime::from(until);
        let (hour, minute, second) = (until.hour(), until.minute(), until.second());
        write!(f, ", paused by the service until {hour:02}:{minute:02}:{second:02} UTC")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_until_when_there_is_a_pause() {
        assert_eq!(Limited { rate_limited: 0, paused: None }.to_string(), "");
        assert_eq!(Limited { rate_limited: 3, paused: None }.to_string(), ", 3 answered 429");
        let text = Limited { rate_limited: 3, paused: Some(Duration::from_secs(90)) }.to_string();
        let until = text.strip_prefix(", 3 answered 429, paused by the service until ").unwrap();
        let part = |at: usize| until[at..at + 2].parse::<u64>().unwrap();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let left = (part(0) * 3_600 + part(3) * 60 + part(6) + 86_400 - now % 86_400) % 86_400;
        assert!((88..=90).contains(&left) && until.ends_with(" UTC"), "{text}");
        assert_eq!(Limited { rate_limited: 0, paused: Some(Duration::MAX) }.to_string(), "", "no such time");
    }
}

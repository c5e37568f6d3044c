//! The report, for a person.

use std::fmt;

use super::RevocationReport;
use crate::revocation::RevocationOutcome;
use crate::revocation::words::{Count, Plain, Thousands};

/// In one line with `{}`, in several with `{:#}`. No text of an answer is in it.
impl fmt::Display for RevocationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() { self.several_lines(f) } else { self.one_line(f) }
    }
}

impl RevocationReport {
    fn one_line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ids in {:.1?}:", self.total(), self.elapsed)?;
        for outcome in self.met() {
            write!(f, " {} {outcome}", self.count(outcome))?;
        }
        match self.stopped {
            Some(reason) => write!(f, "; stopped: {reason}"),
            None => Ok(()),
        }
    }

    fn several_lines(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (a_second, elapsed) = (self.per_second(), Plain(self.elapsed));
        write!(f, "{} in {elapsed}: {a_second:.1} a second, ", Count(self.total(), "id"))?;
        writeln!(f, "{} a minute", Thousands((a_second * 60.0).round() as u64))?;
        for outcome in self.met() {
            write!(f, "{:>10}  {outcome}", Thousands(self.count(outcome)))?;
            match self.presumed() {
                presumed if outcome == RevocationOutcome::AlreadyRevoked && presumed > 0 => {
                    writeln!(f, ", {} of them presumed", Thousands(presumed))?;
                }
                _ => writeln!(f)?,
            }
        }
        write!(f, "{}, {} of them answered 429", Count(self.attempts(), "request"), Thousands(self.rate_limited()))?;
        if self.from_journal() > 0 {
            write!(f, "\n{} told by the journal, and not sent", Thousands(self.from_journal()))?;
        }
        if let Some(reason) = self.stopped {
            write!(f, "\nstopped: {reason}")?;
        }
        if !self.is_complete() {
            write!(f, "\n{}:", Count(self.failed(), "failure"))?;
        }
        for group in self.failure_groups() {
            write!(f, "\n{:>10}  {group}", Thousands(group.count))?;
        }
        match self.failures_left_out() {
            0 => Ok(()),
            left_out => write!(f, "\n{} counted and not kept", Thousands(left_out)),
        }
    }

    fn met(&self) -> impl Iterator<Item = RevocationOutcome> {
        RevocationOutcome::ALL.into_iter().filter(|outcome| self.count(*outcome) > 0)
    }
}

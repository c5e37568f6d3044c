//! The plan, for a person at three in the morning.

use std::fmt;
use std::time::SystemTime;

use super::{RevocationPlan, SelectedToken};
use crate::revocation::words::{Count, Plain, Shown, Thousands};

/// How many names, or ids, are shown.
const SHOWN: usize = 10;

impl fmt::Display for RevocationPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.list.user_id {
            Some(user_id) => write!(f, "{} of the user {}", Count(self.len() as u64, "token"), Shown(user_id))?,
            None => write!(f, "{}", Count(self.len() as u64, "project token"))?,
        }
        write!(f, " to revoke, of {} listed", Thousands(self.listed() as u64))?;
        if !self.agreed {
            write!(f, "\n  CAREFUL: no two of {} passes agreed, so tokens may be missing", self.passes)?;
        }
        self.ages(f)?;
        self.counts_by_name(f)?;
        self.warnings(f)
    }
}

impl RevocationPlan {
    fn ages(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, token) in [("oldest", self.oldest()), ("newest", self.newest())] {
            if let Some(token) = token {
                write!(f, "\n  {what}: {}, {}", Shown(token.created_at.as_str()), Age(token, self.planned_at))?;
            }
        }
        Ok(())
    }

    fn counts_by_name(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.names();
        for (name, count) in names.iter().take(SHOWN) {
            match name {
                Some(name) => write!(f, "\n{:>10}  named \"{}\"", Thousands(*count as u64), Shown(name))?,
                None => write!(f, "\n{:>10}  without a name", Thousands(*count as u64))?,
            }
        }
        match names.iter().skip(SHOWN).fold((0, 0), |(names, sum), (_, count)| (names + 1, sum + *count as u64)) {
            (0, _) => Ok(()),
            (names, sum) => write!(f, "\n{:>10}  with {}", Thousands(sum), Count(names, "other name")),
        }
    }

    fn warnings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(own) = self.own_token() {
            write!(f, "\n  {} is the client's own: it is revoked last, unless skipped", Shown(&own.id))?;
        }
        if self.unreadable > 0 {
            write!(f, "\n  {} can't be read: what they are isn't known", Count(self.unreadable, "row"))?;
        }
        if !self.undated.is_empty() {
            let count = Count(self.undated.len() as u64, "token");
            write!(f, "\n  {count} left out, since the time can't be read: {}", Ids(&self.undated))?;
        }
        if !self.unmatched.is_empty() {
            let count = Count(self.unmatched.len() as u64, "exception");
            write!(f, "\n  {count} that no listed token has:")?;
            self.unmatched.iter().take(SHOWN).try_for_each(|id| write!(f, " {}", Shown(id)))?;
        }
        Ok(())
    }
}

/// How old a token is.
struct Age<'a>(&'a SelectedToken, SystemTime);

impl fmt::Display for Age<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.created().map(|created| self.1.duration_since(created)) {
            Some(Ok(age)) => write!(f, "{} old", Plain(age)),
            _ => f.write_str("in the future"),
        }
    }
}

/// The first few ids.
pub(super) struct Ids<'a>(pub(super) &'a [SelectedToken]);

impl fmt::Display for Ids<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, token) in self.0.iter().take(SHOWN).enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{}", Shown(&token.id))?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {} more", Thousands(more as u64)),
        }
    }
}

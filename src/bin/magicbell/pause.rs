//! Until when nothing is sent, since the service has asked for that.

use std::fmt;
use std::time::{Duration, SystemTime};

use magicbell::{Client, Safety};
use time::OffsetDateTime;

/// Says until when there is a pause, after a comma; nothing where there is none.
#[derive(Clone, Copy)]
pub(crate) struct Pause<'a> {
    client: &'a Client,
    kind: Safety,
}

impl<'a> Pause<'a> {
    pub(crate) fn of_reads(client: &'a Client) -> Self {
        Self { client, kind: Safety::Safe }
    }

    pub(crate) fn of_writes(client: &'a Client) -> Self {
        Self { client, kind: Safety::Idempotent }
    }
}

impl fmt::Display for Pause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.client.paused_for(self.kind).map_or(Ok(()), |left| write!(f, "{}", Until(left)))
    }
}

struct Until(Duration);

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One that is so long has no end.
        let Some(until) = SystemTime::now().checked_add(self.0) else { return Ok(()) };
        let until = OffsetDateTime::from(until);
        let (hour, minute, second) = (until.hour(), until.minute(), until.second());
        write!(f, ", paused by the service until {hour:02}:{minute:02}:{second:02} UTC")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_time_of_the_day() {
        let text = Until(Duration::from_secs(90)).to_string();
        let until = text.strip_prefix(", paused by the service until ").unwrap();
        let part = |at: usize| until[at..at + 2].parse::<u64>().unwrap();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let left = (part(0) * 3_600 + part(3) * 60 + part(6) + 86_400 - now % 86_400) % 86_400;
        assert!((88..=90).contains(&left) && until.ends_with(" UTC"), "{text}");
        assert_eq!(Until(Duration::MAX).to_string(), "");
    }
}

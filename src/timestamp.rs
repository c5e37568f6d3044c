//! A time as the service wrote it.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::any_text::optional_text;

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// A time as the service wrote it: the text is kept, and read when asked for.
///
/// A time that can't be read never makes an answer fail, since the answer may hold a token that is shown once.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use magicbell::Timestamp;
///
/// let created = Timestamp::from("2021-01-01T00:00:00Z");
/// assert_eq!(created.as_str(), "2021-01-01T00:00:00Z");
/// assert_eq!(created.to_system_time(), Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_609_459_200)));
/// assert_eq!(Timestamp::from("yesterday").to_system_time(), None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Timestamp(Box<str>);

impl Timestamp {
    /// Returns the text as it came: RFC 3339 by the service's documents. Empty where a required time was missing.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads the text as RFC 3339; `None` where it isn't, or where the platform's clock doesn't reach so far.
    #[must_use]
    pub fn to_system_time(&self) -> Option<SystemTime> {
        let nanoseconds = OffsetDateTime::parse(&self.0, &Rfc3339).ok()?.unix_timestamp_nanos();
        let distance = nanoseconds.unsigned_abs();
        let subsecond = u32::try_from(distance % NANOS_PER_SECOND).ok()?;
        let distance = Duration::new(u64::try_from(distance / NANOS_PER_SECOND).ok()?, subsecond);
        match nanoseconds < 0 {
            true => SystemTime::UNIX_EPOCH.checked_sub(distance),
            false => SystemTime::UNIX_EPOCH.checked_add(distance),
        }
    }
}

/// Shows the text, with anything that could steer a terminal escaped.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.escape_debug().fmt(f)
    }
}

impl From<&str> for Timestamp {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Takes text and numbers as they are, anything else as no text; `null` is for an `Option` around it to take.
impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        optional_text(deserializer).map(|text| Self(text.unwrap_or_default().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<i64> {
        let time = Timestamp::from(text).to_system_time()?;
        Some(match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => after.as_secs() as i64,
            Err(before) => -(before.duration() + Duration::from_nanos(999_999_999)).as_secs().cast_signed(),
        })
    }

    #[test]
    fn offsets_fractions_and_far_years_are_read() {
        assert_eq!(seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(seconds("2021-01-01T02:00:00+02:00"), Some(1_609_459_200));
        assert_eq!(seconds("2021-01-01T00:00:00.123456Z"), Some(1_609_459_200));
        assert_eq!(seconds("9999-12-31T23:59:59Z"), Some(253_402_300_799));
        assert_eq!(seconds("1969-12-31T23:59:59Z"), Some(-1));
        assert_eq!(seconds("0000-01-01T00:00:00Z"), Some(-62_167_219_200));
        let fraction = Timestamp::from("1969-12-31T23:59:59.5Z").to_system_time();
        assert_eq!(fraction, Some(SystemTime::UNIX_EPOCH - Duration::from_millis(500)));
    }

    #[test]
    fn what_is_no_time_is_kept_as_text() {
        for text in ["", "2021-01-01", "2021-13-01T00:00:00Z", "1609459200", "10000-01-01T00:00:00Z", "\u{1b}[2J"] {
            assert_eq!(seconds(text), None, "{text:?}");
            assert_eq!(Timestamp::from(text).as_str(), text);
        }
        assert_eq!(Timestamp::from("\u{1b}[2J").to_string(), "\\u{1b}[2J");
    }

    #[test]
    fn any_json_is_accepted() {
        let read = |json| serde_json::from_str::<Timestamp>(json).map(|time| time.0.into_string());
        assert_eq!(read("1609459200").unwrap(), "1609459200");
        assert_eq!(read("-1.5").unwrap(), "-1.5");
        assert_eq!(read("-5").unwrap(), "-5");
        assert_eq!(read("[1,[2]]").unwrap(), "");
        assert_eq!(read("{\"a\":{}}").unwrap(), "");
        assert_eq!(read("true").unwrap(), "");
        assert_eq!(read("null").unwrap(), "");
    }
}

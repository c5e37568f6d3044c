//! How long a token is valid for.

use std::time::Duration;

use serde::Serialize;

use crate::nullable::Nullable;

/// How long a token is valid for, in whole seconds, counted by the service from its creation. At least 1.
///
/// It comes from any integer, in seconds, or from a [`Duration`], rounded down to whole seconds. A negative number counts as 0,
/// which is refused before sending.
///
/// ```
/// use std::time::Duration;
/// use magicbell::jwt::Expiry;
///
/// assert_eq!(Expiry::from(3600), Expiry::from(Duration::from_secs(3600)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Expiry(u64);

impl Expiry {
    /// Returns the seconds.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0
    }
}

impl From<Duration> for Expiry {
    fn from(duration: Duration) -> Self {
        Self(duration.as_secs())
    }
}

impl From<Duration> for Nullable<Expiry> {
    fn from(duration: Duration) -> Self {
        Self::Value(duration.into())
    }
}

macro_rules! from_integers {
    ($($integer:ty)*) => {$(
        impl From<$integer> for Expiry {
            fn from(seconds: $integer) -> Self {
                // What is out of range is negative.
                Self(u64::try_from(seconds).unwrap_or(0))
            }
        }

        impl From<$integer> for Nullable<Expiry> {
            fn from(seconds: $integer) -> Self {
                Self::Value(seconds.into())
            }
        }
    )*};
}

from_integers!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_seconds_and_durations_are_rounded_down() {
        assert_eq!(Expiry::from(3600).as_secs(), 3600);
        assert_eq!(Expiry::from(Duration::from_millis(1_999)).as_secs(), 1);
        assert_eq!(Expiry::from(-1).as_secs(), 0);
        assert_eq!(Expiry::from(u64::MAX).as_secs(), u64::MAX);
    }
}

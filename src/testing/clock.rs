//! The server's time, and how a moment is written as RFC 3339 text.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

const SECONDS_A_DAY: u64 = 86_400;

/// The last second of the year 9999, in seconds since 1970: RFC 3339 has no later year.
const LAST_SECOND: u64 = 253_402_300_799;

/// The time of day, which goes on as tokio's does: where that is paused or advanced, tokens expire by it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    set_to: SystemTime,
    set_at: Instant,
}

impl Clock {
    /// A clock that is set to the system's time.
    pub(super) fn start() -> Self {
        Self { set_to: SystemTime::now(), set_at: Instant::now() }
    }

    pub(super) fn now(&self) -> SystemTime {
        self.set_to.checked_add(self.set_at.elapsed()).unwrap_or(self.set_to)
    }
}

/// The moment in UTC with microseconds, as in `2021-01-03T00:00:00.123456Z`.
///
/// A moment before 1970 is written as the start of 1970.
pub(super) fn rfc3339(moment: SystemTime) -> String {
    let since_epoch = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = since_epoch.as_secs();
    let (year, month, day) = civil_from_days(seconds / SECONDS_A_DAY);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    let micros = since_epoch.subsec_micros();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// `seconds` after `moment`, or `None` where RFC 3339 can't express it.
pub(super) fn after(moment: SystemTime, seconds: u64) -> Option<SystemTime> {
    let last = UNIX_EPOCH.checked_add(Duration::from_secs(LAST_SECOND))?;
    let later = moment.checked_add(Duration::from_secs(seconds))?;
    (later <= last).then_some(later)
}

/// Year, month and day of the Gregorian calendar, `days` after 1 January 1970.
///
/// Years are counted from March, so that the leap day is a year's last; 400 of them (an era) have
/// 146,097 days.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    const DAYS_FROM_MARCH_0000_TO_1970: u64 = 719_468;
    let days = days + DAYS_FROM_MARCH_0000_TO_1970;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let leap_days = day_of_era / 1_460 + day_of_era / 146_096 - day_of_era / 36_524;
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (400 * era + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64, micros: u64) -> String {
        rfc3339(UNIX_EPOCH + Duration::from_secs(seconds) + Duration::from_micros(micros))
    }

    #[test]
    fn known_moments_are_written() {
        assert_eq!(at(0, 0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(at(951_782_400, 0), "2000-02-29T00:00:00.000000Z");
        assert_eq!(at(951_868_799, 999_999), "2000-02-29T23:59:59.999999Z");
        assert_eq!(at(1_609_632_000, 123_456), "2021-01-03T00:00:00.123456Z");
        assert_eq!(at(4_107_542_400, 0), "2100-03-01T00:00:00.000000Z");
        assert_eq!(at(LAST_SECOND, 0), "9999-12-31T23:59:59.000000Z");
    }

    #[test]
    fn every_day_of_400_years_follows_the_one_before() {
        let mut expected = (1970, 1, 1);
        for days in 0..146_097 {
            assert_eq!(civil_from_days(days), expected);
            expected = next_day(expected);
        }
    }

    fn next_day((year, month, day): (u64, u64, u64)) -> (u64, u64, u64) {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            2 => 28 + u64::from(leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        match (day == length, month) {
            (false, _) => (year, month, day + 1),
            (true, 12) => (year + 1, 1, 1),
            (true, _) => (year, month + 1, 1),
        }
    }

    #[test]
    fn a_moment_before_1970_is_the_start_of_1970() {
        assert_eq!(rfc3339(UNIX_EPOCH - Duration::from_secs(5)), at(0, 0));
    }

    #[test]
    fn a_year_beyond_9999_is_refused() {
        assert!(after(UNIX_EPOCH, LAST_SECOND).is_some());
        assert!(after(UNIX_EPOCH, LAST_SECOND + 1).is_none());
        assert!(after(SystemTime::now(), u64::MAX).is_none());
    }
}

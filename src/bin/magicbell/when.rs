//! Durations and times as they are typed.

use std::time::{Duration, SystemTime};

use magicbell::Timestamp;

/// Reads `90s`, `15min`, `12h`, `30d` or `2w`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let seconds = match unit {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return Err("a number and s, min, h, d or w: 30d".into()),
    };
    let number = number.parse::<u64>().map_err(|_| "a number and a unit: 30d")?;
    match number.checked_mul(seconds) {
        Some(0) => Err("it must be more than 0".into()),
        Some(seconds) => Ok(Duration::from_secs(seconds)),
        None => Err("it is too long".into()),
    }
}

/// Reads a duration, or 0.
pub(crate) fn duration_or_none(text: &str) -> Result<Duration, String> {
    if text == "0" { Ok(Duration::ZERO) } else { duration(text) }
}

/// Reads a time in RFC 3339, or how long ago it was: `30d ago`, or `30d`.
pub(crate) fn time(text: &str) -> Result<SystemTime, String> {
    if let Some(time) = Timestamp::from(text).to_system_time() {
        return Ok(time);
    }
    let ago = duration(text.strip_suffix("ago").unwrap_or(text).trim_end())
        .map_err(|_| "RFC 3339 with an offset, as in 2026-01-31T12:00:00Z, or a time before now, as in \"30d ago\"")?;
    let time = SystemTime::now().checked_sub(ago).filter(|time| *time >= SystemTime::UNIX_EPOCH);
    time.ok_or_else(|| "it is too long ago".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_one_unit() {
        let cases = [("90s", 90), ("15min", 900), ("15m", 900), ("12h", 43_200), ("30d", 2_592_000), ("2w", 1_209_600)];
        for (text, seconds) in cases {
            assert_eq!(duration(text).unwrap(), Duration::from_secs(seconds), "{text}");
        }
        for text in
            ["", "d", "30", "0d", "-1d", "+1d", "1.5h", "30 d", "1d2h", "99999999999999999999s", "99999999999999999w"]
        {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_is_absolute_or_ago() {
        assert_eq!(time("1970-01-01T01:00:00+01:00").unwrap(), SystemTime::UNIX_EPOCH);
        let expected = SystemTime::now() - Duration::from_secs(86_400);
        for text in ["1d ago", "1d", "24h ago"] {
            let error = expected.elapsed().unwrap().abs_diff(time(text).unwrap().elapsed().unwrap());
            assert!(error < Duration::from_secs(5), "{text}: {error:?}");
        }
        for text in ["", "ago", "yesterday", "2026-01-31", "2026-01-31T12:00:00", "9999999999d ago", "1d hence"] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}

//! Reads `Retry-After`.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

/// Returns how long a response asks to wait, by [RFC 9110, section 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3).
///
/// Seconds are digits alone; too many of them mean [`Duration::MAX`], not nothing. A date, in any of HTTP's three forms, is
/// compared with the response's own `Date`, or where it has none with this machine's clock; one that is past means `None`. Of
/// several values the largest counts, and those that can't be read don't.
///
/// ```
/// use std::time::Duration;
/// use http::{HeaderMap, HeaderValue, header::RETRY_AFTER};
/// use magicbell_middleware::pace::retry_after;
///
/// let mut headers = HeaderMap::new();
/// headers.insert(RETRY_AFTER, HeaderValue::from_static("120"));
/// assert_eq!(retry_after(&headers), Some(Duration::from_secs(120)));
/// ```
#[must_use]
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    if !headers.contains_key(RETRY_AFTER) {
        return None;
    }
    let values = headers.get_all(RETRY_AFTER).iter().filter_map(|value| value.to_str().ok());
    // A list in one line is what a proxy makes of several lines. A date has a comma of its own.
    let list = |value: &str| value.split(',').filter_map(|value| seconds(value.trim())).max();
    let wait = |value: &str| seconds(value).or_else(|| until(value, headers)).or_else(|| list(value));
    values.filter_map(|value| wait(value.trim())).max()
}

fn seconds(value: &str) -> Option<Duration> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| value.parse().map_or(Duration::MAX, Duration::from_secs))
}

fn until(value: &str, headers: &HeaderMap) -> Option<Duration> {
    let at = httpdate::parse_http_date(value).ok()?;
    let date = headers.get(DATE).and_then(|date| date.to_str().ok());
    let now = date.and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or_else(SystemTime::now);
    at.duration_since(now).ok().filter(|wait| !wait.is_zero())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(values: &[&'static str]) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"));
        for value in values {
            headers.append(RETRY_AFTER, HeaderValue::from_static(value));
        }
        retry_after(&headers)
    }

    #[test]
    fn seconds_are_digits_alone() {
        assert_eq!(read(&["0"]), Some(Duration::ZERO));
        assert_eq!(read(&["007"]), Some(Duration::from_secs(7)));
        for garbage in ["+5", "-5", "5.0", "5s", "", " ", "0x5", "five", "1e3"] {
            assert_eq!(read(&[garbage]), None, "{garbage:?}");
        }
    }

    #[test]
    fn too_many_seconds_are_not_none() {
        assert_eq!(read(&["99999999999999999999"]), Some(Duration::MAX));
    }

    #[test]
    fn a_date_in_each_of_its_three_forms_is_compared_with_the_responses_own() {
        for date in ["Sun, 06 Nov 1994 08:50:37 GMT", "Sunday, 06-Nov-94 08:50:37 GMT", "Sun Nov  6 08:50:37 1994"] {
            assert_eq!(read(&[date]), Some(Duration::from_secs(60)), "{date}");
        }
    }

    #[test]
    fn a_date_that_is_past_means_nothing() {
        assert_eq!(read(&["Sun, 06 Nov 1994 08:49:36 GMT"]), None);
        assert_eq!(read(&["Sun, 06 Nov 1994 08:49:37 GMT"]), None);
    }

    #[test]
    fn of_several_the_largest_counts() {
        assert_eq!(read(&["3", "Sun, 06 Nov 1994 08:50:37 GMT", "5", "x"]), Some(Duration::from_secs(60)));
        assert_eq!(read(&["5, 30 ,x"]), Some(Duration::from_secs(30)), "as a proxy may join them");
        assert_eq!(read(&["Sun, 06 Nov 1994 08:49:00 GMT"]), None, "its day is no number of seconds");
    }
}

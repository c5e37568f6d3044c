//! Reads the IETF's `RateLimit` headers.

use std::time::Duration;

use http::{HeaderMap, HeaderName};

/// The name that the [draft](https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/) has had since its eighth
/// version: `RateLimit: "default";r=0;t=30`.
pub(super) static RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// The names of the versions before the seventh, whose one header has them as keys: `RateLimit: limit=9, remaining=0, reset=30`.
static REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
static RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// Returns for how long the quota is used up, where the server says that nothing remains of it.
pub(super) fn exhausted_for(headers: &HeaderMap) -> Option<Duration> {
    // Most answers have neither, and a look at each of a few names costs less than to hash these two.
    if !headers.keys().any(|name| *name == RATE_LIMIT || *name == REMAINING) {
        return None;
    }
    let by_item = headers.get_all(&RATE_LIMIT).iter().filter_map(|value| value.to_str().ok());
    let by_item = by_item.flat_map(|value| value.split(',')).filter_map(used_up).max();
    by_item.or_else(|| by_keys(headers)).or_else(|| {
        let number = |name: &HeaderName| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        until_reset(number(&REMAINING), || number(&RESET))
    })
}

/// Reads the keys of the seventh version.
fn by_keys(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(&RATE_LIMIT)?.to_str().ok()?;
    let key = |wanted| number_of(value.split(','), wanted);
    until_reset(key("remaining"), || key("reset"))
}

/// Reads one item: its parameters `r`, what remains, and `t`, the seconds until that changes.
fn used_up(item: &str) -> Option<Duration> {
    let parameter = |wanted| number_of(item.split(';').skip(1), wanted);
    until_reset(parameter("r"), || parameter("t"))
}

/// Finds a number among `name=number`s.
fn number_of<'a>(pairs: impl Iterator<Item = &'a str>, wanted: &str) -> Option<u64> {
    pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == wanted)?.1.parse().ok()
}

/// Returns the time until the quota is reset, where nothing remains of it.
fn until_reset(remaining: Option<u64>, seconds: impl FnOnce() -> Option<u64>) -> Option<Duration> {
    if remaining? == 0 { seconds().map(Duration::from_secs) } else { None }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(pairs: &[(&'static str, &'static str)]) -> Option<u64> {
        let pairs = pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        exhausted_for(&HeaderMap::from_iter(pairs)).map(|pause| pause.as_secs())
    }

    #[test]
    fn a_quota_with_nothing_remaining_is_used_up_until_it_is_reset() {
        assert_eq!(read(&[("ratelimit", "\"default\";r=0;t=30")]), Some(30));
        assert_eq!(read(&[("ratelimit", "\"a\";r=5;t=99, \"b\"; r=0; t=7")]), Some(7));
        assert_eq!(read(&[("ratelimit-remaining", "0"), ("ratelimit-reset", "12")]), Some(12));
    }

    #[test]
    fn anything_else_says_nothing() {
        assert_eq!(read(&[]), None);
        for value in ["\"a\";r=1;t=30", "\"a\";r=0", "\"a\";t=30", "", "r=0;t", "\"a\";r=-0;t=3", "\"a\";r=0;t=-3"] {
            assert_eq!(read(&[("ratelimit", value)]), None, "{value}");
        }
        assert_eq!(read(&[("ratelimit-remaining", "1"), ("ratelimit-reset", "12")]), None);
        assert_eq!(read(&[("ratelimit-remaining", "0")]), None);
    }
}

//! Any header is read without a panic, and digits are seconds. Each line is a value; the first is the `Date`.
#![no_main]

use std::time::Duration;

use http::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use libfuzzer_sys::fuzz_target;
use magicbell::middleware::pace::retry_after;

fuzz_target!(|lines: &[u8]| {
    let mut headers = HeaderMap::new();
    let mut lines = lines.split(|byte| *byte == b'\n').filter_map(|line| HeaderValue::from_bytes(line).ok());
    headers.extend(lines.next().map(|date| (DATE, date)));
    for line in lines {
        let mut alone = headers.clone();
        alone.insert(RETRY_AFTER, line.clone());
        let wait = retry_after(&alone);
        if !line.is_empty() && line.as_bytes().iter().all(u8::is_ascii_digit) {
            let seconds = line.to_str().unwrap().parse();
            assert_eq!(wait, Some(seconds.map_or(Duration::MAX, Duration::from_secs)));
        }
        headers.append(RETRY_AFTER, line);
        // Without a `Date` that can be read, a date is compared with the clock, which goes on.
        let largest = retry_after(&headers).map(|largest| largest.saturating_add(Duration::from_secs(1)));
        assert!(largest >= wait || wait < Some(Duration::from_secs(1)));
    }
});

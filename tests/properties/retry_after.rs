//! `Retry-After` is read, or passed over.

use std::time::{Duration, SystemTime};

use http::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use magicbell::middleware::pace::retry_after;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::cases;

/// Any value that a header can have.
fn value() -> impl Strategy<Value = HeaderValue> {
    prop_oneof![
        vec(any::<u8>(), 0..32).prop_filter_map("no header", |bytes| HeaderValue::from_bytes(&bytes).ok()),
        "[ -~]{0,40}".prop_map(|text| HeaderValue::from_str(&text).unwrap()),
        // Almost a date.
        "(Sun|Mon|Sunday|Xyz),? ?[0-9]{1,3}[ -](Nov|Feb|nov)[ -][0-9]{2,4} [0-9]{2}:[0-9]{2}:[0-9]{2} ?(GMT|UTC|1994)?"
            .prop_map(|text| HeaderValue::from_str(&text).unwrap()),
    ]
}

fn headers(date: Option<HeaderValue>, values: Vec<HeaderValue>) -> HeaderMap {
    let mut headers = HeaderMap::from_iter(date.map(|date| (DATE, date)));
    for value in values {
        headers.append(RETRY_AFTER, value);
    }
    headers
}

/// A time between 1970 and 9999.
fn time() -> impl Strategy<Value = u64> {
    0_u64..253_402_300_800
}

fn http_date(seconds: u64) -> HeaderValue {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    HeaderValue::from_str(&httpdate::fmt_http_date(time)).unwrap()
}

proptest! {
    #![proptest_config(cases(1024))]

    #[test]
    fn any_header_is_read_without_a_panic(date in proptest::option::of(value()), values in vec(value(), 0..4)) {
        let _ = retry_after(&headers(date, values));
    }

    #[test]
    fn digits_are_seconds_or_longer_than_any_wait(digits in "[0-9]{1,30}", padding in "[ \t]{0,2}") {
        // At most 30 digits: more than a u64 holds, and less than a u128.
        let seconds = digits.parse::<u128>().unwrap();
        let wait = u64::try_from(seconds).map_or(Duration::MAX, Duration::from_secs);
        let value = HeaderValue::from_str(&format!("{padding}{digits}{padding}")).unwrap();
        prop_assert_eq!(retry_after(&headers(None, vec![value])), Some(wait));
    }

    #[test]
    fn a_date_is_compared_with_the_responses_own(now in time(), at in time()) {
        let wait = at.checked_sub(now).filter(|wait| *wait > 0).map(Duration::from_secs);
        prop_assert_eq!(retry_after(&headers(Some(http_date(now)), vec![http_date(at)])), wait);
    }

    #[test]
    fn of_several_the_largest_counts(values in vec(value(), 0..3), now in time(), seconds in any::<u64>()) {
        let alone = values.iter().filter_map(|value| retry_after(&headers(Some(http_date(now)), vec![value.clone()])));
        let largest = alone.chain([Duration::from_secs(seconds)]).max();
        let values = values.into_iter().chain([HeaderValue::from(seconds)]).collect();
        prop_assert_eq!(retry_after(&headers(Some(http_date(now)), values)), largest);
    }
}

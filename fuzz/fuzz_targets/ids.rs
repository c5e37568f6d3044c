//! An id arrives as one segment that decodes to itself, or nothing is sent.
#![no_main]

#[path = "../../tests/support/percent.rs"]
mod percent;

use http::Response;
use libfuzzer_sys::fuzz_target;
use magicbell::jwt::{DiscardProjectJwt, DiscardUserJwt, FetchUserTokens};
use magicbell::{Body, Endpoint, ErrorKind, Outcome, RetryPolicy};
use magicbell_fuzz::{block_on, client};
use percent::percent_decode;

fn arrives_or_is_refused<E: Endpoint>(request: E, prefix: &str, id: &str) {
    let answer = Response::builder().status(500).body(Body::empty()).unwrap();
    let (received, client) = client("https://api.example/v2", RetryPolicy::never(), answer);
    let error = block_on(client.unwrap().execute(request)).err().unwrap();
    let received = received.lock().unwrap();
    if error.kind() == ErrorKind::InvalidRequest {
        assert!(received.is_empty() && error.outcome() == Outcome::NotSent);
        return;
    }
    assert_eq!(received.len(), 1);
    let target = received[0].uri().path_and_query().unwrap().as_str();
    let segment = target.strip_prefix(prefix).unwrap();
    assert!(segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)), "{segment}");
    assert!(segment != "." && segment != "..");
    assert_eq!(percent_decode(segment), id);
}

fuzz_target!(|id: &str| {
    arrives_or_is_refused(DiscardProjectJwt::new(id), "/v2/jwt/project/", id);
    arrives_or_is_refused(DiscardUserJwt::new(id), "/v2/jwt/user/", id);
    arrives_or_is_refused(FetchUserTokens::builder().user_id(id).build(), "/v2/jwt/user/", id);
});

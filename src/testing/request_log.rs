//! Records the requests that arrive.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Instant;

use bytes::Bytes;
use http::{Request, StatusCode};

use super::received_request::{Known, ReceivedRequest};

/// The requests, and how many there were of each operation.
pub(super) struct RequestLog {
    recording: bool,
    requests: Vec<ReceivedRequest>,
    /// The number of the first request in `requests`; numbers aren't used again after `clear`.
    first: usize,
    total: usize,
    counts: HashMap<&'static str, usize>,
    /// How often each request has arrived, by its fingerprint.
    attempts: HashMap<u64, usize>,
    fingerprints: RandomState,
}

impl Default for RequestLog {
    fn default() -> Self {
        Self {
            recording: true,
            requests: Vec::new(),
            first: 0,
            total: 0,
            counts: HashMap::new(),
            attempts: HashMap::new(),
            fingerprints: RandomState::new(),
        }
    }
}

impl RequestLog {
    /// Counts a request and, while recording, keeps it. Returns its number, for [`answered`](Self::answered).
    pub(super) fn record(
        &mut self,
        request: &Request<Bytes>,
        operation: Option<Known>,
        received_at: Instant,
    ) -> Option<usize> {
        self.total += 1;
        if let Some(operation) = operation {
            *self.counts.entry(operation.name).or_default() += 1;
        }
        if !self.recording {
            return None;
        }
        let mut request = ReceivedRequest::new(request, operation, received_at);
        request.set_attempt(self.attempt(&request));
        self.requests.push(request);
        Some(self.first + self.requests.len() - 1)
    }

    /// Notes the status that a request was answered with.
    pub(super) fn answered(&mut self, number: Option<usize>, status: StatusCode) {
        let index = number.and_then(|number| number.checked_sub(self.first));
        if let Some(request) = index.and_then(|index| self.requests.get_mut(index)) {
            request.status = Some(status.as_u16());
        }
    }

    /// The request with this number, where it is kept.
    pub(super) fn get(&self, number: Option<usize>) -> Option<&ReceivedRequest> {
        self.requests.get(number?.checked_sub(self.first)?)
    }

    pub(super) fn set_recording(&mut self, recording: bool) {
        self.recording = recording;
    }

    pub(super) fn requests(&self) -> Vec<ReceivedRequest> {
        self.requests.clone()
    }

    pub(super) fn total(&self) -> usize {
        self.total
    }

    pub(super) fn count(&self, operation: &str) -> usize {
        self.counts.get(operation).copied().unwrap_or(0)
    }

    pub(super) fn clear(&mut self) {
        self.first += self.requests.len();
        self.requests.clear();
        self.total = 0;
        self.counts.clear();
        self.attempts.clear();
    }

    /// Counts a request among those that are the same.
    fn attempt(&mut self, request: &ReceivedRequest) -> usize {
        let identity = (&request.method, &request.target, &request.body, request.idempotency_key());
        let attempt = self.attempts.entry(self.fingerprints.hash_one(identity)).or_default();
        *attempt += 1;
        *attempt
    }
}

#[cfg(test)]
mod tests {
    use http::header::AUTHORIZATION;

    use super::*;
    use crate::testing::template::Template;

    const DISCARD: Known = Known { name: "discard_user_jwt", template: Template("/jwt/user/{token_id}") };

    fn request() -> Request<Bytes> {
        let request = Request::builder().uri("/v2/a?b=%20").header(AUTHORIZATION, "Bearer hush");
        request.body(Bytes::new()).expect("a request")
    }

    #[test]
    fn debug_does_not_show_the_credentials() {
        let mut log = RequestLog::default();
        log.record(&request(), None, Instant::now());
        let text = format!("{:?}", log.requests());
        assert!(text.contains("/v2/a?b=%20"), "{text}");
        assert!(!text.contains("hush"), "{text}");
    }

    #[test]
    fn an_answer_to_a_cleared_request_is_passed_over() {
        let mut log = RequestLog::default();
        let cleared = log.record(&request(), None, Instant::now());
        log.clear();
        let kept = log.record(&request(), None, Instant::now());
        log.answered(cleared, StatusCode::OK);
        assert_eq!(log.requests()[0].status, None);
        log.answered(kept, StatusCode::OK);
        assert_eq!(log.requests()[0].status, Some(200));
    }

    #[test]
    fn counters_go_on_while_nothing_is_recorded() {
        let mut log = RequestLog::default();
        log.set_recording(false);
        log.record(&request(), Some(DISCARD), Instant::now());
        assert!(log.requests().is_empty());
        assert_eq!((log.total(), log.count("discard_user_jwt")), (1, 1));
    }

    #[test]
    fn the_same_request_counts_as_another_attempt() {
        let mut log = RequestLog::default();
        let with_key = |key: &'static str| {
            let mut request = request();
            request.headers_mut().insert("idempotency-key", key.parse().expect("a value"));
            request
        };
        for request in [with_key("a"), with_key("b"), with_key("a"), request(), request()] {
            log.record(&request, None, Instant::now());
        }
        let attempts = log.requests().iter().map(ReceivedRequest::attempt).collect::<Vec<_>>();
        assert_eq!(attempts, [1, 1, 2, 1, 2]);
    }
}

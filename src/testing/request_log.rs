//! Records the requests that arrive.

use std::collections::HashMap;
use std::time::Instant;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, Request, StatusCode, Version};

/// A request as it arrived.
///
/// Its `Debug` doesn't show the `Authorization` header's value, which is marked as sensitive.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReceivedRequest {
    /// The method.
    pub method: Method,
    /// The path and query as they were on the wire, nothing decoded. What stood before the path
    /// (scheme and host) and after a `#` isn't kept.
    pub target: String,
    /// The headers, several values of a name in their order.
    pub headers: HeaderMap,
    /// The whole body; empty where there was none.
    pub body: Bytes,
    /// The OpenAPI id of the operation that method and path name, such as `"discard_user_jwt"`;
    /// `None` where they name none.
    pub operation: Option<&'static str>,
    /// The protocol's version: HTTP/1.0, HTTP/1.1 or HTTP/2.
    pub version: Version,
    /// When its head had arrived.
    pub received_at: Instant,
    /// The status that was answered. `None` while there is no answer, and for good where the
    /// connection was ended without one.
    pub status: Option<u16>,
}

/// The requests, and how many there were of each operation.
pub(super) struct RequestLog {
    recording: bool,
    requests: Vec<ReceivedRequest>,
    /// The number of the first request in `requests`; numbers aren't used again after `clear`.
    first: usize,
    total: usize,
    counts: HashMap<&'static str, usize>,
}

impl Default for RequestLog {
    fn default() -> Self {
        Self { recording: true, requests: Vec::new(), first: 0, total: 0, counts: HashMap::new() }
    }
}

impl RequestLog {
    /// Counts a request and, while recording, keeps it. Returns its number, for [`answered`](Self::answered).
    pub(super) fn record(
        &mut self,
        request: &Request<Bytes>,
        operation: Option<&'static str>,
        received_at: Instant,
    ) -> Option<usize> {
        self.total += 1;
        if let Some(operation) = operation {
            *self.counts.entry(operation).or_default() += 1;
        }
        if !self.recording {
            return None;
        }
        self.requests.push(ReceivedRequest::new(request, operation, received_at));
        Some(self.first + self.requests.len() - 1)
    }

    /// Notes the status that a request was answered with.
    pub(super) fn answered(&mut self, number: Option<usize>, status: StatusCode) {
        let index = number.and_then(|number| number.checked_sub(self.first));
        if let Some(request) = index.and_then(|index| self.requests.get_mut(index)) {
            request.status = Some(status.as_u16());
        }
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
    }
}

impl ReceivedRequest {
    fn new(request: &Request<Bytes>, operation: Option<&'static str>, received_at: Instant) -> Self {
        let uri = request.uri();
        let target = uri.path_and_query().map_or_else(|| uri.to_string(), ToString::to_string);
        Self {
            method: request.method().clone(),
            target,
            headers: with_sensitive_credentials(request.headers().clone()),
            body: request.body().clone(),
            operation,
            version: request.version(),
            received_at,
            status: None,
        }
    }
}

fn with_sensitive_credentials(mut headers: HeaderMap) -> HeaderMap {
    let credentials = headers.iter_mut().filter(|(name, _)| *name == AUTHORIZATION);
    credentials.for_each(|(_, value)| value.set_sensitive(true));
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

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
        log.record(&request(), Some("discard_user_jwt"), Instant::now());
        assert!(log.requests().is_empty());
        assert_eq!((log.total(), log.count("discard_user_jwt")), (1, 1));
    }
}

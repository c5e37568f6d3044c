//! Remembers what a creation answered, by its idempotency key.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use super::answer::{self, Answer, IDEMPOTENT_REPLAYED};
use super::router::Operation;

/// How long a key is kept.
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// The keys of the successful creations.
#[derive(Default)]
pub(super) struct IdempotencyKeys {
    kept: HashMap<Bytes, Kept>,
}

struct Kept {
    operation: Operation,
    body: Bytes,
    answer: Answer,
    since: Instant,
}

impl IdempotencyKeys {
    /// The answer for a key that was used before: the same again for the same request, otherwise 422.
    pub(super) fn answer(&self, key: &[u8], operation: Operation, body: &[u8], now: Instant) -> Option<Answer> {
        let kept = self.kept.get(key).filter(|kept| kept.is_current(now))?;
        if kept.operation == operation && kept.body == body {
            return Some(kept.replay());
        }
        let message = "The idempotency key was used with another request";
        Some(answer::error(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", message))
    }

    /// Keeps a successful answer.
    pub(super) fn keep(&mut self, key: &[u8], operation: Operation, body: Bytes, answer: &Answer, now: Instant) {
        if answer.status().is_success() {
            let kept = Kept { operation, body, answer: answer.clone(), since: now };
            self.kept.insert(Bytes::copy_from_slice(key), kept);
        }
    }
}

impl Kept {
    fn is_current(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) < KEPT_FOR
    }

    fn replay(&self) -> Answer {
        let mut answer = self.answer.clone();
        answer.headers_mut().insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATE: Operation = Operation::CreateUserJwt;

    fn keys_with(status: StatusCode, now: Instant) -> IdempotencyKeys {
        let mut keys = IdempotencyKeys::default();
        let answer = answer::raw_json(status, Bytes::from_static(b"{}"));
        keys.keep(b"key", CREATE, Bytes::from_static(b"body"), &answer, now);
        keys
    }

    fn status(answer: Option<Answer>) -> Option<u16> {
        answer.map(|answer| answer.status().as_u16())
    }

    #[test]
    fn the_same_request_gets_the_same_answer_with_a_flag() {
        let now = Instant::now();
        let answer = keys_with(StatusCode::CREATED, now).answer(b"key", CREATE, b"body", now).expect("kept");
        assert_eq!(answer.status(), StatusCode::CREATED);
        assert_eq!(answer.headers()[IDEMPOTENT_REPLAYED], "true");
        assert_eq!(answer.body(), "{}");
    }

    #[test]
    fn another_request_is_refused() {
        let now = Instant::now();
        let keys = keys_with(StatusCode::CREATED, now);
        assert_eq!(status(keys.answer(b"key", CREATE, b"other", now)), Some(422));
        assert_eq!(status(keys.answer(b"key", Operation::CreateProjectJwt, b"body", now)), Some(422));
        assert_eq!(status(keys.answer(b"other", CREATE, b"body", now)), None);
    }

    #[test]
    fn a_key_is_kept_for_a_day() {
        let now = Instant::now();
        let keys = keys_with(StatusCode::CREATED, now);
        let day = Duration::from_secs(86_400);
        assert!(keys.answer(b"key", CREATE, b"body", now + day - Duration::from_secs(1)).is_some());
        assert!(keys.answer(b"key", CREATE, b"body", now + day).is_none());
    }

    #[test]
    fn a_refusal_is_not_kept() {
        let now = Instant::now();
        let keys = keys_with(StatusCode::UNPROCESSABLE_ENTITY, now);
        assert!(keys.answer(b"key", CREATE, b"body", now).is_none());
    }
}

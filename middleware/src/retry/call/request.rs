//! The request of an attempt, and what goes along with it.

use http::{HeaderMap, HeaderName, Request};

use super::Call;
use crate::{AttemptNumber, Operation, Safety};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// An operation, but for the method, which is the request's.
pub(super) struct Named {
    name: &'static str,
    path: &'static str,
    safety: Safety,
}

impl<B: Clone> Call<B> {
    /// Makes the request of the next attempt. The first one takes the operation along where that is the only extension, since a
    /// map of extensions costs three allocations to clone.
    pub(super) fn request_with_extensions(&mut self) -> Request<B> {
        if self.attempts.is_empty() {
            self.operation = alone(&self.request);
            let extensions = self.operation.is_some().then(|| std::mem::take(self.request.extensions_mut()));
            let mut request = self.request.clone();
            if let Some(extensions) = extensions {
                *request.extensions_mut() = extensions;
            }
            return request;
        }
        if let Some(Named { name, path, safety }) = self.operation.take() {
            let operation = Operation::new(name, self.request.method().clone(), path).with_safety(safety);
            self.request.extensions_mut().insert(operation);
        }
        let mut request = self.request.clone();
        request.extensions_mut().insert(AttemptNumber(self.number()));
        request
    }
}

/// Says whether there is an idempotency key. An empty one is none.
pub(super) fn has_key(headers: &HeaderMap) -> bool {
    // A look at each of a few names costs less than to hash this one.
    headers.keys().any(|name| *name == IDEMPOTENCY_KEY)
        && headers.get(IDEMPOTENCY_KEY).is_some_and(|key| !key.is_empty())
}

/// Returns a request's operation, where it is the only extension.
fn alone<B>(request: &Request<B>) -> Option<Named> {
    if request.extensions().len() != 1 {
        return None;
    }
    let operation =
        request.extensions().get::<Operation>().filter(|operation| operation.method() == request.method())?;
    Some(Named { name: operation.name(), path: operation.path(), safety: operation.safety() })
}

//! One call, with settings of its own.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Request};
use magicbell_middleware::idempotency_key::IDEMPOTENCY_KEY;
use magicbell_middleware::retry::RetryPolicy;
use magicbell_middleware::{CallContext, Safety};

use super::builder::with_the_apis_own;
use super::future::Sending;
use super::headers::Headers;
use super::optional::is_observed;
use super::stack::StackFuture;
use super::{Client, SendCall};
use crate::endpoint::{Declared, Endpoint, build_into, decode};
use crate::error::{Error, InvalidRequest};

/// The longest time that a deadline is reckoned for: adding more to an instant could overflow.
const FAR: Duration = Duration::from_secs(30 * 365 * 86_400);

/// One call, with settings of its own: made by [`Client::request`], carried out by [`send`](Self::send).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{jwt::CreateUserJwt, testing::Server};
///
/// let server = Server::start().await?;
/// let client = server.client();
/// let request = CreateUserJwt::builder().external_id("user-42").build();
///
/// // With a key that is kept, the same creation can be sent again later, where the service honours keys as the fake one does.
/// let key = "6b1f7c1e-4c0a-4d8e-9d3f-0f5a2f6f7f10";
/// let created = client.request(&request).idempotency_key(key).send().await?;
/// let again = client.request(&request).idempotency_key(key).send().await?;
/// assert_eq!(created.data().token_id, again.data().token_id);
/// assert_eq!(server.user_tokens("user-42").len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a call does nothing until it is sent"]
pub struct Call<'a, E> {
    client: &'a Client,
    endpoint: E,
    timeout: Option<Duration>,
    max_attempts: Option<u32>,
    retry: Option<Box<RetryPolicy>>,
    is_patient: bool,
    headers: Headers,
}

impl<'a, E: Endpoint> Call<'a, E> {
    pub(super) fn new(client: &'a Client, endpoint: E) -> Self {
        Self {
            client,
            endpoint,
            timeout: None,
            max_attempts: None,
            retry: None,
            is_patient: false,
            headers: Headers::default(),
        }
    }

    /// Sets how long the whole call may take, in place of the client's own limit.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets how often the request is sent at most, the first time included, in place of the policy's own limit. At least 1.
    pub fn max_attempts(mut self, max_attempts: u32) -> Self {
        self.max_attempts = Some(max_attempts);
        self
    }

    /// Sets the whole policy of retries, in place of the client's own: with a budget of its own, too. Clone one to share it.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = Some(Box::new(retry));
        self
    }

    /// Sets a header of the request. `Authorization` and the connection's own headers are refused.
    pub fn header(mut self, name: impl TryInto<HeaderName>, value: impl TryInto<HeaderValue>) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sets the `Idempotency-Key`, in place of one that the client would make: a UUID, by the service's documents, kept for 24
    /// hours. The caller who keeps it can send the same creation again later.
    pub fn idempotency_key(self, key: impl TryInto<HeaderValue>) -> Self {
        // An empty one is no key, and is refused as what can't be sent is.
        let key = key.try_into().map_err(drop).and_then(|key| if key.is_empty() { Err(()) } else { Ok(key) });
        self.header(IDEMPOTENCY_KEY, Given(key))
    }

    /// Waits for its turn and waits 429s out for as long as it takes, without using up attempts: for one of many in a batch,
    /// whose time is the batch's. Each attempt is still limited.
    pub(crate) fn patient(mut self) -> Self {
        self.is_patient = true;
        self.timeout(FAR)
    }

    /// Carries the call out, and returns the whole answer.
    ///
    /// # Errors
    ///
    /// As of [`Client::execute`]; also [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) for a setting that can't
    /// be used, and nothing is sent.
    pub fn send(self) -> SendCall<E::Response> {
        let client = self.client;
        SendCall::new(Sending::new(client, Declared::<E>::OPERATION, self.start()), decode::<E>)
    }

    /// Makes the HTTP request, and begins the call: nothing is sent until it is polled.
    fn start(self) -> Result<StackFuture, Error> {
        let (shared, operation) = (&self.client.shared, Declared::<E>::OPERATION);
        let invalid = |invalid| Error::invalid(operation.name(), invalid);
        self.check().map_err(invalid)?;
        let mut request = Request::default();
        build_into(&shared.base_url, &self.endpoint, &mut request)?;
        self.headers.put_into(request.headers_mut()).map_err(invalid)?;
        let is_read = shared.has_layers || is_observed();
        if is_read || operation.safety() != Safety::of(operation.method()) {
            request.extensions_mut().insert(operation.clone());
        }
        let is_ordinary = self.timeout.is_none() && self.max_attempts.is_none() && self.retry.is_none();
        if is_ordinary && !shared.has_outer_layers {
            return Ok(shared.stack.call(request, None));
        }
        // Where there are no layers around the call, nobody but retry looks at it.
        let context = if shared.has_outer_layers { CallContext::new() } else { CallContext::unrecorded() };
        let mut context = context.with_timeout(self.timeout.unwrap_or(shared.timeout).min(FAR));
        if let Some(max_attempts) = self.max_attempts {
            context = context.with_max_attempts(max_attempts);
        }
        if self.is_patient {
            context = context.waiting_out_rate_limits();
        }
        if let Some(retry) = self.retry {
            context = context.with_policy(with_the_apis_own(*retry));
        }
        Ok(shared.stack.call(request, Some(context)))
    }

    fn check(&self) -> Result<(), InvalidRequest> {
        match (self.timeout, self.max_attempts) {
            (Some(Duration::ZERO), _) => Err(InvalidRequest::new("timeout", "it must be more than 0")),
            _ if self.retry.as_ref().is_some_and(|retry| retry.max_attempts() == 0) => {
                Err(InvalidRequest::new("retry", "the policy's max_attempts must be at least 1"))
            }
            (_, Some(0)) => Err(InvalidRequest::new("max_attempts", "it must be at least 1")),
            _ => Ok(()),
        }
    }
}

/// A header's value, or none where it can't be sent.
struct Given(Result<HeaderValue, ()>);

impl TryFrom<Given> for HeaderValue {
    type Error = ();

    fn try_from(given: Given) -> Result<Self, ()> {
        given.0
    }
}

//! The client's settings.

use std::sync::Arc;
use std::time::Duration;

use bon::bon;
use http::header::{ACCEPT, AUTHORIZATION, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use magicbell_middleware::auth::{Credentials, bearer};
use magicbell_middleware::pace::Pace;
use magicbell_middleware::retry::{RetryPolicy, Verdict};
use magicbell_middleware::{Body, BoxError, Safety};
use tower::{Layer, Service};

use super::Client;
use super::client_type::Shared;
use super::extra::{ErasedCredentials, Extra, erase_transport};
use super::layered::erase_layer;
use super::stack::Settings;
#[cfg(feature = "_transport")]
use super::stack::assemble;
use super::stack_service::StackService;
use crate::endpoint::BaseUrl;
use crate::error::{Error, Redactor, is_no_answer, says_in_progress};
use crate::rate_limit::RateLimit;
use crate::secret::SecretToken;
#[cfg(feature = "_transport")]
use crate::transport::TransportSettings;

/// The service's own base URL, by its public documentation.
const BASE_URL: &str = "https://api.magicbell.com/v2";
/// The SDK's own part of `User-Agent`.
const OWN_USER_AGENT: &str = concat!("magicbell-rust/", env!("CARGO_PKG_VERSION"));
#[cfg(not(feature = "_transport"))]
const NO_TRANSPORT: &str =
    "there is no transport: give one by transport, or have the feature rustls-ring or rustls-aws-lc-rs";

#[bon]
impl Client {
    /// Begins the settings of a client; [`build`](ClientBuilder::build) ends them.
    #[builder(
        start_fn(name = builder, vis = "pub"),
        finish_fn(name = build, vis = "pub", doc {
            /// Ends the settings, and makes the client. It connects when it is used.
            ///
            /// # Errors
            ///
            /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for any setting that can't be used; the message says
            /// which, and never holds a secret.
        }),
        builder_type(name = ClientBuilder, vis = "pub", doc {
            /// The settings of a [`Client`](crate::Client).
            ///
            /// ```
            /// use std::time::Duration;
            /// use magicbell::{Client, ErrorKind};
            ///
            /// let client = Client::builder()
            ///     .token("a.project.token")
            ///     .timeout(Duration::from_secs(20))
            ///     .user_agent("my-app/1.0")
            ///     .build()?;
            /// // What can't be used is said here, not by the first call.
            /// let refused = Client::builder().token("a.project.token").base_url("http://api.magicbell.com/v2").build();
            /// assert_eq!(refused.unwrap_err().kind(), ErrorKind::Configuration);
            /// # Ok::<(), magicbell::Error>(())
            /// ```
        }),
        state_mod(name = client_builder, vis = "pub"),
        on(String, into),
        on(SecretToken, into)
    )]
    fn from_settings(
        #[builder(field)] extra: Extra,
        /// The project token that requests are authorized with, without `Bearer`. Visible ASCII only.
        token: Option<SecretToken>,
        /// What gives a token for each attempt, in place of `token`: for tokens that are rotated or fetched. It has as much time
        /// as `attempt_timeout` leaves beside `connect_timeout`, which then is half of the attempt's at most: 5 s by default.
        #[builder(with = |credentials: impl Credentials| ErasedCredentials::new(credentials))]
        credentials: Option<ErasedCredentials>,
        /// Where requests go: `https://api.magicbell.com/v2` by default. With or without a slash at its end is the same. Plain
        /// http is for loopback only; userinfo, a query, a fragment and dot segments are refused. Its host and port are kept in
        /// memory until the process ends, once for all clients that have the same.
        base_url: Option<String>,
        /// How long a whole call may take: permits, attempts, waits between them, and layers of your own. 60 s by default.
        #[builder(default = Duration::from_secs(60))]
        timeout: Duration,
        /// How long one attempt may take, credentials, connection and body included. 10 s by default.
        #[builder(default = Duration::from_secs(10))]
        attempt_timeout: Duration,
        /// How long making a connection may take: name resolution, TCP and TLS. 5 s by default, and never more than an attempt
        /// may.
        #[builder(default = Duration::from_secs(5))]
        connect_timeout: Duration,
        /// When to retry, how often, and after how long. At most 3 attempts by default; `max_attempts` has to be at least 1.
        #[builder(default)]
        retry: RetryPolicy,
        /// How many requests to send a minute at most. No limit by default.
        rate_limit: Option<RateLimit>,
        /// How many attempts may be in flight at once, at least 1. No limit by default.
        concurrency_limit: Option<usize>,
        /// The longest body of an answer that is read, in bytes. 1 MiB by default. A longer one is an error.
        #[builder(default = 1 << 20)]
        max_response_bytes: usize,
        /// What `User-Agent` begins with: `my-app/1.0`, say. The SDK's own name and version follow.
        user_agent: Option<String>,
        /// Speaks HTTP/2 from the first byte, also without TLS. By default HTTP/2 is used where the server offers it in TLS.
        #[cfg(all(feature = "_transport", feature = "http2"))]
        #[builder(default)]
        http2_prior_knowledge: bool,
        /// Speaks HTTP/1.1 alone, also where the server offers HTTP/2: for a proxy in front that refuses HTTP/2 streams which it has
        /// passed on already, as haproxy 2.6 does, so that a creation could be sent twice.
        #[cfg(all(feature = "_transport", feature = "http2"))]
        #[builder(default)]
        http1_only: bool,
        /// Connects through an HTTP proxy: `http://host:port`, with or without `user:password@`. None by default, whatever the
        /// environment says. It is asked to CONNECT, so it carries TLS and never sees the token; a plain http base URL is
        /// refused together with it.
        #[cfg(feature = "_transport")]
        proxy: Option<String>,
    ) -> Result<Self, Error> {
        let redactor = Redactor::default();
        let base_url = BaseUrl::parse(base_url.as_deref().unwrap_or(BASE_URL))?;
        check_limits(timeout, attempt_timeout, connect_timeout, &retry, concurrency_limit, max_response_bytes)?;
        let caller = extra.headers.into_inner();
        let caller = caller.map_err(|invalid| Error::configuration(invalid.to_string()))?;
        let mut headers = default_headers(user_agent, caller)?;
        // Both within the attempt, so that they end before it and can say that nothing was sent.
        let connect_timeout = connect_timeout.min(attempt_timeout / if credentials.is_some() { 2 } else { 1 });
        let credentials_timeout = attempt_timeout - connect_timeout;
        let credentials = authorize(token, credentials, &mut headers, &redactor, credentials_timeout)?;
        let (has_outer_layers, has_attempt_layers) = (!extra.layers.is_empty(), !extra.attempt_layers.is_empty());
        let shared_credentials = credentials.clone();
        let pace = rate_limit.map_or_else(|| Ok(Pace::unlimited()), RateLimit::into_pace)?;
        let settings = Settings {
            timeout,
            attempt_timeout,
            retry: with_the_apis_own(retry),
            pace: pace.clone(),
            concurrency_limit,
            max_response_bytes,
            headers,
            credentials,
            layers: extra.layers,
            attempt_layers: extra.attempt_layers,
        };
        #[cfg(feature = "_transport")]
        let own = TransportSettings {
            roots: extra.roots,
            connect_timeout,
            attempt_timeout,
            #[cfg(feature = "http2")]
            http2_prior_knowledge,
            #[cfg(feature = "http2")]
            http1_only,
            proxy,
        };
        let stack = match extra.transport {
            Some(assemble) => assemble(settings),
            #[cfg(feature = "_transport")]
            None => assemble(settings, own.transport(&base_url)?),
            #[cfg(not(feature = "_transport"))]
            None => return Err(Error::configuration(NO_TRANSPORT)),
        };
        let has_layers = has_outer_layers || has_attempt_layers;
        let shared = Shared {
            base_url,
            stack,
            redactor,
            credentials: shared_credentials,
            pace,
            timeout,
            has_outer_layers,
            has_layers,
        };
        Ok(Self { shared: Arc::new(shared) })
    }
}

impl<S: client_builder::State> ClientBuilder<S> {
    /// Sends a header with every request that has none of that name. `Authorization` and the connection's own headers are
    /// refused.
    pub fn header(mut self, name: impl TryInto<HeaderName>, value: impl TryInto<HeaderValue>) -> Self {
        self.extra.headers.insert(name, value);
        self
    }

    /// Puts a tower layer around each call: it sees one request and one answer, whatever the attempts. The first layer given
    /// is the outermost.
    ///
    /// The request carries its [`Operation`](crate::Operation) in its extensions. The layer is put around a [`StackService`], and
    /// its own service has to be `Clone`.
    pub fn layer<L, B>(mut self, layer: L) -> Self
    where
        L: Layer<StackService> + Send + Sync + 'static,
        L::Service: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request<Body>>>::Error: Into<BoxError>,
        <L::Service as Service<Request<Body>>>::Future: Send + 'static,
        B: http_body::Body<Error: Into<BoxError>> + Send + 'static,
    {
        self.extra.layers.push(erase_layer(layer));
        self
    }

    /// Puts a tower layer around each attempt: it sees every request that is sent, but for the headers that the client itself
    /// adds, the token among them. The first layer given is the outermost.
    ///
    /// The request carries its [`Operation`](crate::Operation) in its extensions, and
    /// [`AttemptNumber::of`](crate::AttemptNumber::of) says which attempt it is. The layer is put around a
    /// [`StackService`], and its own service has to be `Clone`.
    pub fn attempt_layer<L, B>(mut self, layer: L) -> Self
    where
        L: Layer<StackService> + Send + Sync + 'static,
        L::Service: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request<Body>>>::Error: Into<BoxError>,
        <L::Service as Service<Request<Body>>>::Future: Send + 'static,
        B: http_body::Body<Error: Into<BoxError>> + Send + 'static,
    {
        self.extra.attempt_layers.push(erase_layer(layer));
        self
    }

    /// Sends requests by a service of your own in place of hyper. It is handed the token with each request. The connection's
    /// own settings, `connect_timeout` among them, have no effect then.
    ///
    /// An error of it counts as unknown, unless it is or has as a source an [`AttemptError`](crate::AttemptError).
    pub fn transport<T, B>(mut self, transport: T) -> Self
    where
        T: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        T::Error: Into<BoxError>,
        T::Future: Send + 'static,
        B: http_body::Body<Error: Into<BoxError>> + Send + 'static,
    {
        self.extra.transport = Some(erase_transport(transport));
        self
    }

    /// Trusts the certificate authorities in a PEM text too, beside Mozilla's, which are bundled by the feature `webpki-roots`.
    /// Nothing turns verification off.
    #[cfg(feature = "_transport")]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.extra.roots.pem.push(pem.into());
        self
    }

    /// Trusts the certificate authorities of this machine too. They are read when the client is built; where none can be read
    /// that is an error.
    #[cfg(all(feature = "_transport", feature = "native-roots"))]
    pub fn native_root_certificates(mut self) -> Self {
        self.extra.roots.native = true;
        self
    }
}

/// Adds what only who knows the API can say: that a creation's key is in use by one that is still under way, and that a success
/// can't be read.
pub(super) fn with_the_apis_own(retry: RetryPolicy) -> RetryPolicy {
    let trusts_keys = retry.trusts_idempotency_keys();
    retry.and_classify(move |attempt| {
        let response = attempt.response()?;
        let is_keyed = trusts_keys && attempt.has_idempotency_key();
        let is_worth_another = match response.status() {
            StatusCode::CONFLICT => is_keyed && says_in_progress(response.body().as_bytes()),
            StatusCode::NO_CONTENT => false,
            status if status.is_success() => {
                let is_lost = match response.body().as_bytes() {
                    // An operation of the caller's own may well answer with nothing.
                    b"" => attempt.uri().path().contains("/jwt/"),
                    body => is_no_answer(body),
                };
                is_lost && (is_keyed || attempt.safety() != Safety::NonIdempotent)
            }
            _ => false,
        };
        is_worth_another.then_some(Verdict::Backoff)
    })
}

fn check_limits(
    timeout: Duration,
    attempt_timeout: Duration,
    connect_timeout: Duration,
    retry: &RetryPolicy,
    concurrency_limit: Option<usize>,
    max_response_bytes: usize,
) -> Result<(), Error> {
    let problems = [
        (timeout.is_zero(), "timeout must be more than 0"),
        (attempt_timeout.is_zero(), "attempt_timeout must be more than 0"),
        (connect_timeout.is_zero(), "connect_timeout must be more than 0"),
        (retry.max_attempts() == 0, "the retry policy's max_attempts must be at least 1"),
        (concurrency_limit == Some(0), "concurrency_limit must be at least 1"),
        (concurrency_limit > Some(tokio::sync::Semaphore::MAX_PERMITS), "concurrency_limit is too large"),
        (max_response_bytes == 0, "max_response_bytes must be at least 1"),
    ];
    match problems.into_iter().find(|(is_problem, _)| *is_problem) {
        Some((_, problem)) => Err(Error::configuration(problem)),
        None => Ok(()),
    }
}

/// Makes the headers that every request gets, built once.
fn default_headers(user_agent: Option<String>, mut headers: HeaderMap) -> Result<HeaderMap, Error> {
    let own = HeaderValue::from_static(OWN_USER_AGENT);
    let user_agent = user_agent.map_or(Ok(own), |theirs| HeaderValue::try_from(format!("{theirs} {OWN_USER_AGENT}")));
    let user_agent = user_agent.map_err(|_| Error::configuration("user_agent can't be sent"))?;
    if headers.contains_key(USER_AGENT) {
        return Err(Error::configuration("header user-agent: give it by user_agent, which the SDK's own is added to"));
    }
    headers.insert(USER_AGENT, user_agent);
    headers.entry(ACCEPT).or_insert(HeaderValue::from_static("application/json"));
    Ok(headers)
}

/// Checks what requests are authorized with. A token that doesn't change is one of the headers, at no cost of its own.
fn authorize(
    token: Option<SecretToken>,
    credentials: Option<ErasedCredentials>,
    headers: &mut HeaderMap,
    redactor: &Redactor,
    timeout: Duration,
) -> Result<Option<ErasedCredentials>, Error> {
    match (token, credentials) {
        (Some(token), None) => {
            let value = bearer(token.expose_secret())
                .map_err(|invalid| Error::configuration(format!("the token can't be used: {invalid}")))?;
            redactor.learn(&value);
            headers.insert(AUTHORIZATION, value);
            Ok(None)
        }
        (None, Some(credentials)) => Ok(Some(credentials.with(redactor.clone(), timeout))),
        (None, None) => Err(Error::configuration("there is no token: give one by token or credentials")),
        (Some(_), Some(_)) => Err(Error::configuration("both token and credentials are given: one is enough")),
    }
}

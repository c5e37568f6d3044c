//! The client.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use magicbell_middleware::auth::Credentials as _;
use magicbell_middleware::pace::Pace;
use magicbell_middleware::{BoxError, Safety};

use super::extra::ErasedCredentials;
use super::stack::Stack;
use super::{Call, Execute};
use crate::endpoint::{BaseUrl, Endpoint};
use crate::error::Redactor;
use crate::jwt::JwtService;

/// A client of MagicBell's API.
///
/// Cloning it is cheap, and clones share everything: the connections, the pause after a 429, the budget of retries, the rate
/// limit. It is `Send`, `Sync` and `'static`, and its Debug shows no secret.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{Client, jwt::CreateUserJwt, testing::Server};
///
/// let server = Server::start().await?;
/// let client = Client::builder().token(server.token()).base_url(server.url()).build()?;
/// let created = client.execute(CreateUserJwt::builder().external_id("user-42").expiry(3600).build()).await?;
/// assert_eq!(server.user_tokens("user-42")[0].token_id, created.token_id);
/// # Ok(())
/// # }
/// ```
///
/// # Panics
///
/// Its futures need a tokio runtime with I/O and time enabled, and panic where they have to wait without one.
#[derive(Clone)]
pub struct Client {
    pub(super) shared: Arc<Shared>,
}

/// What the clones of a client share.
pub(super) struct Shared {
    pub(super) base_url: BaseUrl,
    pub(super) stack: Box<dyn Stack>,
    pub(super) redactor: Redactor,
    /// What gives the token, where it isn't one of the prebuilt headers.
    pub(super) credentials: Option<ErasedCredentials>,
    /// The stack's own.
    pub(super) pace: Pace,
    pub(super) timeout: Duration,
    /// Whether the caller's layers stand around the whole call, so that the stack's own deadline doesn't cover them.
    pub(super) has_outer_layers: bool,
    /// Whether a layer of the caller's is there to read which operation it sees.
    pub(super) has_layers: bool,
}

impl Client {
    /// Executes a request, by value or by reference.
    ///
    /// The request is made before this returns, so the future borrows nothing. It does nothing until it is polled, and dropping
    /// it cancels the call; whether the request was applied is then unknown.
    ///
    /// Many calls at once therefore need no tasks. They cost least where each is made as it is taken from the stream, as here, not in
    /// an async block that is polled later. For tokens to be discarded there is more:
    /// [`discard_user_jwts`](JwtService::discard_user_jwts), with one outcome each.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use futures_util::{StreamExt, TryStreamExt, stream};
    /// use magicbell::{jwt::CreateUserJwt, testing::Server};
    ///
    /// let server = Server::start().await?;
    /// let client = server.client();
    /// let creations = (0..100).map(|user| CreateUserJwt::builder().external_id(format!("user-{user}")).build());
    /// let calls = stream::iter(creations).map(|creation| client.execute(creation));
    /// let tokens: Vec<_> = calls.buffer_unordered(16).try_collect().await?;
    /// assert_eq!((tokens.len(), server.request_count()), (100, 100));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error) says what went wrong, what is known of the request, and what each attempt met.
    pub fn execute<E: Endpoint>(&self, endpoint: E) -> Execute<E::Response> {
        Execute::new(self.request(endpoint).send())
    }

    /// Begins a call with settings of its own, or whose whole answer is wanted.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # use magicbell::{jwt::FetchProjectTokens, testing::Server};
    /// # let server = Server::start().await?;
    /// # let client = server.client();
    /// let request = FetchProjectTokens::builder().build();
    /// let response = client.request(&request).timeout(Duration::from_secs(5)).max_attempts(1).send().await?;
    /// assert_eq!(response.status(), 200);
    /// assert_eq!(response.attempts().len(), 1);
    /// assert!(response.request_id().is_some());
    /// println!("{} tokens", response.into_data().data.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn request<E: Endpoint>(&self, endpoint: E) -> Call<'_, E> {
        Call::new(self, endpoint)
    }

    /// Returns how long nothing of a kind will be sent, since the service has asked for a pause: by `Retry-After` with a 429 or a 503,
    /// or by a `RateLimit` that is used up. `None` where there is no pause.
    ///
    /// Clones share the pause, and clients that share a [`RateLimit`](crate::RateLimit) do. A [`Safe`](Safety::Safe) kind is that of
    /// reads, the other two are that of writes: a 429 pauses its own kind alone. What waits for its turn under a quota isn't paused,
    /// and neither is what waits by itself to be sent again.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use magicbell::testing::{Fault, Server};
    /// use magicbell::{Safety, jwt::DiscardUserJwt};
    ///
    /// let server = Server::start().await?;
    /// let client = server.client();
    /// assert_eq!(client.paused_for(Safety::Idempotent), None);
    ///
    /// server.fail_next(Fault::status(429).retry_after(30));
    /// let id = server.add_user_tokens("hana", 1).remove(0);
    /// client.request(DiscardUserJwt::new(id)).max_attempts(1).send().await.unwrap_err();
    /// let left = client.paused_for(Safety::Idempotent).ok_or("it is paused")?;
    /// assert!((29..=30).contains(&left.as_secs()), "{left:?}");
    /// assert_eq!(client.paused_for(Safety::Safe), None, "reads go on");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn paused_for(&self, kind: Safety) -> Option<Duration> {
        self.shared.pace.paused_for(kind)
    }

    /// Returns the claims of the client's own token that are text; none where it isn't a JWT, or isn't known yet.
    pub(crate) fn own_claims(&self) -> Vec<String> {
        self.shared.redactor.claims()
    }

    /// Returns a claim of the client's own token, where it is known, a JWT, and has it as text or a number.
    pub(crate) fn own_claim(&self, name: &str) -> Option<String> {
        self.shared.redactor.claim(name)
    }

    /// Says whether a text is the client's own token, as far as it is known.
    pub(crate) fn is_own_token(&self, text: &str) -> bool {
        self.shared.redactor.is_known_token(text)
    }

    /// Says whether layers of the caller's stand around each call. One of them may go on with it when its future is dropped.
    pub(crate) fn has_outer_layers(&self) -> bool {
        self.shared.has_outer_layers
    }

    pub(crate) fn base_url(&self) -> &BaseUrl {
        &self.shared.base_url
    }

    /// Returns how often another token has become known as the client's own: 0 where none is yet.
    pub(crate) fn own_token_changes(&self) -> u64 {
        self.shared.redactor.changes()
    }

    /// Asks the credentials, so that the client's own token becomes known before anything is sent.
    pub(crate) fn ask_credentials(&self) -> impl Future<Output = ()> + Send + use<> {
        let credentials = self.shared.credentials.clone();
        async move {
            if let Some(credentials) = credentials {
                // What fails here fails again in the attempt, and is reported there.
                _ = credentials.authorization().await;
            }
        }
    }

    /// Returns the six operations as methods, for those who know MagicBell's other clients.
    #[must_use]
    pub fn jwt(&self) -> JwtService<'_> {
        JwtService::new(self)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.shared.base_url)
            .field("timeout", &self.shared.timeout)
            .finish_non_exhaustive()
    }
}

/// Sends a request through the stack: any error of it is boxed.
pub(super) type StackResult = Result<http::Response<magicbell_middleware::Body>, BoxError>;

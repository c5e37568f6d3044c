//! The faults that a test can ask for.

use std::fmt::{self, Display};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode};
use magicbell_middleware::Operation;

use super::answer::{self, Answer};
use super::template;
use crate::endpoint::{Declared, Endpoint};

/// Something that goes wrong with a request.
///
/// A fault happens instead of the operation unless it says otherwise, or
/// [`after_processing`](Self::after_processing) does. It applies to one request of any kind;
/// [`only_for`](Self::only_for), [`times`](Self::times) and [`always`](Self::always) change that. Give it to
/// [`Server::fail_next`](super::Server::fail_next) or
/// [`Server::fail_randomly`](super::Server::fail_randomly).
///
/// A number that isn't a status (below 100 or above 999) becomes 500.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{jwt::FetchProjectTokens, testing::{Fault, Server}};
///
/// let server = Server::start().await?;
/// // A page of a proxy's, to every list until the faults are cleared.
/// server.fail_next(Fault::html(400).only_for::<FetchProjectTokens>().always());
/// let (client, request) = (server.client(), FetchProjectTokens::builder().build());
/// let error = client.execute(&request).await.unwrap_err();
/// assert!(!error.has_api_envelope());
///
/// server.clear_faults();
/// assert!(client.execute(&request).await.is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a fault does nothing until it is given to a server"]
pub struct Fault {
    pub(super) effect: Effect,
    pub(super) retry_after: Vec<HeaderValue>,
    after_processing: bool,
    only_for: Option<OnlyFor>,
    /// How many more requests it applies to; `None` for all.
    remaining: Option<usize>,
}

/// Which requests it is for.
#[derive(Clone, Debug)]
enum OnlyFor {
    /// Those for the operation that the server knows by this id.
    Id(&'static str),
    /// Those with this operation's method and path.
    Operation(&'static Operation),
}

/// What happens.
#[derive(Clone, Debug)]
pub(super) enum Effect {
    Answer(Answer),
    /// An answer to which nothing is added.
    Verbatim(Answer),
    Delay(Duration),
    Stall,
    Reset,
    Close,
    CutBody {
        keep: usize,
        with_length: bool,
    },
    Raw(Bytes),
}

impl Fault {
    /// Answers with a status and the API's error envelope. There is no `Retry-After` unless
    /// [`retry_after`](Self::retry_after) gives one.
    ///
    /// Over HTTP/1.1 an informational status (1xx) is sent as it is, as the last thing on the connection.
    pub fn status(status: u16) -> Self {
        let status = status_code(status);
        let message = status.canonical_reason().unwrap_or("Unknown status");
        Self::new(Effect::Answer(answer::error(status, "injected_fault", message)))
    }

    /// Answers with a status and an HTML page, as a proxy in front of the service would.
    pub fn html(status: u16) -> Self {
        Self::new(Effect::Answer(answer::html(status_code(status))))
    }

    /// Answers with a status and no body.
    pub fn empty(status: u16) -> Self {
        Self::new(Effect::Answer(answer::empty(status_code(status))))
    }

    /// Answers with a status and a body that is called `application/json`, whatever it is.
    pub fn body(status: u16, body: impl Into<Bytes>) -> Self {
        Self::new(Effect::Answer(answer::raw_json(status_code(status), body.into())))
    }

    /// Answers with exactly this status, these headers and this body. What HTTP asks for is added
    /// where it is missing: a `Date`, and a length or the chunked encoding.
    pub fn response(response: Response<Bytes>) -> Self {
        Self::new(Effect::Verbatim(response))
    }

    /// Waits, then processes the request and answers as usual. Where the client leaves during the
    /// wait, nothing is processed; with [`after_processing`](Self::after_processing) the wait comes
    /// between the two.
    pub fn delay(wait: Duration) -> Self {
        Self::new(Effect::Delay(wait))
    }

    /// Reads the request and never answers; the connection stays open.
    pub fn stall() -> Self {
        Self::new(Effect::Stall)
    }

    /// Reads the request and ends the connection with an RST. Over HTTP/2 that is the whole
    /// connection with all its streams.
    pub fn reset() -> Self {
        Self::new(Effect::Reset)
    }

    /// Reads the request and ends the connection with a FIN. Over HTTP/2 that is the whole
    /// connection with all its streams, without a GOAWAY, and the system may send an RST where the
    /// client had sent more.
    pub fn close() -> Self {
        Self::new(Effect::Close)
    }

    /// Processes the request, then sends the head with the whole body's length, at most `bytes`
    /// bytes of the body, and ends the connection.
    ///
    /// Over HTTP/2 the stream ends early instead, in breach of its `content-length`, and the
    /// connection stays open.
    pub fn cut_body(bytes: usize) -> Self {
        Self::new(Effect::CutBody { keep: bytes, with_length: true })
    }

    /// Processes the request, then sends a head with `Connection: close` and no length, at most
    /// `bytes` bytes of the body, and ends the connection: a short body that looks like a whole one.
    ///
    /// Over HTTP/2 the stream ends early, its `content-length` is that of the short body, and the
    /// connection stays open.
    pub fn cut_body_without_length(bytes: usize) -> Self {
        Self::new(Effect::CutBody { keep: bytes, with_length: false })
    }

    /// Writes these bytes in place of an answer, HTTP or not, and ends the connection. Over HTTP/2
    /// it only ends the connection.
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Self::new(Effect::Raw(bytes.into()))
    }

    /// Processes the request before the fault happens: the operation is applied and its answer lost.
    pub fn after_processing(mut self) -> Self {
        self.after_processing = true;
        self
    }

    /// Adds a `Retry-After` header with this text to the answer that is sent, if one is; called
    /// again, it adds another. Text that no header can hold is left out.
    pub fn retry_after(mut self, value: impl Display) -> Self {
        self.retry_after.extend(HeaderValue::from_str(&value.to_string()));
        self
    }

    /// Applies only to requests for this operation, one of your own too: by its method and path.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use magicbell::{jwt::{DiscardUserJwt, FetchUserTokens}, testing::{Fault, Server}};
    ///
    /// let (server, fetch) = (Server::start().await?, FetchUserTokens::builder().user_id("hana").build());
    /// let id = server.add_user_tokens("hana", 1).remove(0);
    /// server.fail_next(Fault::status(403).only_for::<DiscardUserJwt>());
    ///
    /// let client = server.client();
    /// assert!(client.execute(&fetch).await.is_ok());
    /// assert_eq!(client.execute(DiscardUserJwt::new(&id)).await.unwrap_err().status().unwrap(), 403);
    /// # Ok(())
    /// # }
    /// ```
    pub fn only_for<E: Endpoint>(mut self) -> Self {
        self.only_for = Some(OnlyFor::Operation(Declared::<E>::OPERATION));
        self
    }

    /// Applies only to requests for the operation with this OpenAPI id, such as `"discard_user_jwt"`; of an operation of your own,
    /// to those since a [script](super::Server::on) for it was begun. [`only_for`](Self::only_for) takes the request's type, in
    /// which there can be no slip.
    pub fn on(mut self, operation: &'static str) -> Self {
        self.only_for = Some(OnlyFor::Id(operation));
        self
    }

    /// Applies to this many matching requests, instead of one.
    pub fn times(mut self, times: usize) -> Self {
        self.remaining = Some(times);
        self
    }

    /// Applies to every matching request until the faults are cleared.
    pub fn always(mut self) -> Self {
        self.remaining = None;
        self
    }

    fn new(effect: Effect) -> Self {
        Self { effect, retry_after: Vec::new(), after_processing: false, only_for: None, remaining: Some(1) }
    }

    /// Whether it is for a request with this method and path, which is for the operation that the server knows by this id.
    pub(super) fn is_for(&self, known: Option<&str>, method: &Method, path: &str) -> bool {
        match &self.only_for {
            None => true,
            Some(OnlyFor::Id(id)) => known == Some(*id),
            Some(OnlyFor::Operation(operation)) => template::is_for(operation, method, path),
        }
    }

    /// Whether the operation is applied before the fault happens.
    pub(super) fn processes_first(&self) -> bool {
        self.after_processing || matches!(self.effect, Effect::CutBody { .. })
    }

    /// How many requests it is still for; `None` for all.
    pub(super) fn remaining(&self) -> Option<usize> {
        self.remaining
    }

    /// The operation that it is for; `None` for any.
    pub(super) fn operation(&self) -> Option<&'static str> {
        self.only_for.as_ref().map(|only_for| match only_for {
            OnlyFor::Id(id) => id,
            OnlyFor::Operation(operation) => operation.name(),
        })
    }

    /// Takes one use.
    pub(super) fn use_once(&mut self) {
        self.remaining = self.remaining.map(|remaining| remaining.saturating_sub(1));
    }

    pub(super) fn is_used_up(&self) -> bool {
        self.remaining == Some(0)
    }
}

/// What it is, in a few words: no header and no body.
impl Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.effect {
            Effect::Answer(answer) | Effect::Verbatim(answer) => {
                write!(formatter, "status {}", answer.status().as_u16())
            }
            Effect::Delay(wait) => write!(formatter, "a delay of {wait:?}"),
            Effect::Stall => formatter.write_str("a stall"),
            Effect::Reset => formatter.write_str("a reset"),
            Effect::Close => formatter.write_str("a closed connection"),
            Effect::CutBody { .. } => formatter.write_str("a body cut short"),
            Effect::Raw(_) => formatter.write_str("raw bytes"),
        }
    }
}

fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

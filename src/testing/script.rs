//! What a test tells the server to answer, one operation at a time.

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use magicbell_middleware::{Body, Safety};
use serde::Serialize;

use super::answer::{self, Answer};
use super::fault::Fault;
use super::received_request::{ReceivedRequest, SHOWN};
use super::scripts::{Reply, Step};
use super::server::Server;
use crate::endpoint::{self, Endpoint};
use crate::error::Redactor;

/// The answers to one operation's next requests, step by step: [`Server::on`] begins one.
///
/// Each step is for one request, unless [`times`](Self::times) or [`always`](Self::always) follows it. The steps are taken in
/// their order, and after the last the server answers as the service does. Of several scripts for an operation, the first one
/// that has a step left for a request takes it; faults ([`Server::fail_next`], [`Server::fail_randomly`]) come before all.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{jwt::FetchProjectTokens, testing::Server};
/// use serde_json::json;
///
/// let server = Server::start().await?;
/// server.on::<FetchProjectTokens>().answers(json!({ "data": [] })).times(2);
///
/// let (client, request) = (server.client(), FetchProjectTokens::builder().build());
/// for tokens in [0, 0, 1] {
///     assert_eq!(client.execute(&request).await?.data.len(), tokens); // the third is the service's own
/// }
/// # Ok(())
/// # }
/// ```
pub struct Script<'a, E> {
    server: &'a Server,
    index: usize,
    endpoint: PhantomData<fn() -> E>,
}

impl<'a, E: Endpoint> Script<'a, E> {
    #[track_caller]
    pub(super) fn begin(server: &'a Server) -> Self {
        let index = server.shared.scripts().begin(E::OPERATION, Location::caller());
        Self { server, index, endpoint: PhantomData }
    }

    /// Takes only the requests for which this says yes: by a parameter of the path, by the body.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use magicbell::{jwt::DiscardUserJwt, testing::{Fault, Server}};
    ///
    /// let (server, id) = (Server::start().await?, "550e8400-e29b-41d4-a716-446655440000");
    /// server.on::<DiscardUserJwt>().when(move |request| request.path_parameter("token_id") == id).fails(Fault::status(403));
    ///
    /// let other = server.add_user_tokens("hana", 1).remove(0);
    /// assert!(server.client().execute(DiscardUserJwt::new(other)).await.is_ok());
    /// assert_eq!(server.client().execute(DiscardUserJwt::new(id)).await.unwrap_err().status().unwrap(), 403);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// It must not begin or extend a script itself.
    pub fn when(self, condition: impl Fn(&ReceivedRequest) -> bool + Send + 'static) -> Self {
        self.server.shared.scripts().add_condition(self.index, Box::new(condition));
        self
    }

    /// Answers with a success that has this body: 201 where the operation is a creation, otherwise 200. Nothing is done: no
    /// token is made, none is discarded. But credentials and the rate limit come first, and where they refuse a request, the
    /// step isn't used.
    ///
    /// # Panics
    ///
    /// Where the body can't be written as JSON, or the endpoint can't read such a success: one that reads headers has
    /// [`answers_response`](Self::answers_response). For an answer that is meant to be odd there is [`fails`](Self::fails) with
    /// [`Fault::body`].
    #[track_caller]
    pub fn answers(self, body: impl Serialize) -> Self {
        let body = serde_json::to_value(&body);
        assert!(body.is_ok(), "this answer to {} can't be written as JSON", E::OPERATION.name());
        let answer = success::<E>(&body.unwrap_or_default());
        check::<E>(&answer);
        self.answer(answer)
    }

    /// Answers as [`answers`](Self::answers) does, with a body made from the request. Whether the endpoint can read it shows
    /// where it is used.
    pub fn answers_with<T: Serialize>(self, body: impl Fn(&ReceivedRequest) -> T + Send + Sync + 'static) -> Self {
        let reply = Reply::answer(move |request| success::<E>(&body(request)));
        self.step(Step::once(reply, "an answer made from the request".to_owned()))
    }

    /// Answers with this success as it is, its status, its headers and its body, for an operation that reads more than JSON. As of
    /// [`answers`](Self::answers), nothing is done, and credentials and the rate limit come first.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use http::Response;
    /// use magicbell::{jwt::FetchProjectTokens, testing::Server};
    ///
    /// let server = Server::start().await?;
    /// let page = Response::builder().header("ratelimit-remaining", 3).body(r#"{"data":[]}"#)?;
    /// server.on::<FetchProjectTokens>().answers_response(page);
    ///
    /// let client = server.client();
    /// let list = FetchProjectTokens::builder().build();
    /// assert_eq!(client.request(&list).send().await?.headers()["ratelimit-remaining"], "3");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Where the status isn't a success, or the endpoint can't read the response: for an answer that is meant to be odd there is
    /// [`fails`](Self::fails) with [`Fault::response`].
    #[track_caller]
    pub fn answers_response(self, response: Response<impl Into<Bytes>>) -> Self {
        let (name, answer) = (E::OPERATION.name(), response.map(Into::into));
        let status = answer.status();
        assert!(status.is_success(), "{status} is no success of {name}: that is a Fault::response");
        check::<E>(&answer);
        self.answer(answer)
    }

    /// Lets a fault happen, as often as [`Fault::times`] or [`Fault::always`] says. An operation that the fault is
    /// [for](Fault::only_for) doesn't matter: it is this one.
    ///
    /// Faults that let the request be processed let the service do it, which answers 404 to what isn't one of the six
    /// operations.
    pub fn fails(self, fault: Fault) -> Self {
        self.step(Step::fault(fault))
    }

    /// Repeats the last step, so that it is for this many requests in all.
    ///
    /// # Panics
    ///
    /// Where there is no step yet.
    #[track_caller]
    pub fn times(self, times: usize) -> Self {
        self.repeat(Some(times))
    }

    /// Repeats the last step for every request to come. [`Server::verify`] doesn't ask whether any came.
    ///
    /// # Panics
    ///
    /// Where there is no step yet.
    #[track_caller]
    pub fn always(self) -> Self {
        self.repeat(None)
    }

    #[track_caller]
    fn repeat(self, times: Option<usize>) -> Self {
        let repeated = self.server.shared.scripts().repeat_last(self.index, times);
        assert!(repeated, "the script for {} has no step to repeat", E::OPERATION.name());
        self
    }

    fn answer(self, answer: Answer) -> Self {
        let what = format!("an answer of {}", answer.status().as_u16());
        self.step(Step::once(Reply::answer(move |_| answer.clone()), what))
    }

    fn step(self, step: Step) -> Self {
        self.server.shared.scripts().add_step(self.index, step);
        self
    }
}

impl<E: Endpoint> fmt::Debug for Script<'_, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Script").field("operation", &E::OPERATION.name()).finish_non_exhaustive()
    }
}

fn success<E: Endpoint>(body: &impl Serialize) -> Answer {
    let operation = E::OPERATION;
    let creates = *operation.method() == Method::POST && operation.safety() == Safety::NonIdempotent;
    answer::json(if creates { StatusCode::CREATED } else { StatusCode::OK }, body)
}

/// Panics where the endpoint can't read the answer.
#[track_caller]
#[expect(clippy::panic, reason = "an answer of the wrong type is a mistake of the test's")]
fn check<E: Endpoint>(answer: &Answer) {
    let (name, path) = (E::OPERATION.name(), E::OPERATION.path());
    match endpoint::decode::<E>(path, &answer.clone().map(Body::from)) {
        // Which token it has to name isn't known before the request.
        Err(error) if !error.is_unverified() => {
            let body = Redactor::default().clean(&String::from_utf8_lossy(answer.body()), SHOWN);
            panic!("{name} can't read {body}: {error}. An answer that is meant to be odd is a Fault::body")
        }
        _ => {}
    }
}

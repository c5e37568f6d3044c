//! One request and what becomes of it: an answer, or a fault.

use std::future::pending;
use std::pin::pin;
use std::sync::{Arc, MutexGuard, Weak};
use std::time::Instant as StdInstant;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::header::{CONTENT_LENGTH, HeaderValue, RETRY_AFTER};
use http::{Request, Response, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::answer::{self, Answer};
use super::connection::Connection;
use super::fault::{Effect, Fault};
use super::raw_answer::{self, Framing};
use super::received_request::ReceivedRequest;
use super::router;
use super::scripts::{Reply, Scripts};
use super::state::Shared;

/// Receives a request and answers it.
///
/// # Errors
///
/// What hyper says where the body doesn't arrive whole. Such a request isn't recorded.
pub(super) async fn exchange(
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> hyper::Result<Response<Full<Bytes>>> {
    let received_at = Instant::now().into_std();
    let (parts, body) = request.into_parts();
    let request = Request::from_parts(parts, body.collect().await?.to_bytes());
    let exchange = Exchange { number: None, request, shared, connection };
    Ok(exchange.run(received_at).await.map(Full::new))
}

/// Answers a request that came without a socket; `None` where a fault ended what would have been its connection.
pub(super) async fn exchange_in_memory(shared: Arc<Shared>, request: Request<Bytes>) -> Option<Answer> {
    let connection = Arc::new(Connection::new(Weak::new()));
    let exchange = Exchange { number: None, request, shared, connection: Arc::clone(&connection) };
    let (answered, ended) = (pin!(exchange.run(Instant::now().into_std())), pin!(connection.ended()));
    match select(answered, ended).await {
        Either::Left((answer, _)) => Some(answer),
        Either::Right(_) => None,
    }
}

struct Exchange {
    /// The request's number in the log, where it was recorded.
    number: Option<usize>,
    request: Request<Bytes>,
    shared: Arc<Shared>,
    connection: Arc<Connection>,
}

/// What a request meets instead of the service.
enum Met {
    Fault(Fault),
    Answer(Answer),
}

impl Exchange {
    async fn run(mut self, received_at: StdInstant) -> Answer {
        match self.arrive(received_at) {
            None => self.send(self.process()),
            Some(Met::Fault(fault)) => self.suffer(fault).await,
            Some(Met::Answer(mut answer)) => {
                answer::identify(&mut answer);
                self.send(answer)
            }
        }
    }

    /// Records the request, and finds what it meets instead of the service, if anything.
    fn arrive(&mut self, received_at: StdInstant) -> Option<Met> {
        let (method, path) = (self.request.method(), self.request.uri().path());
        let scripts = self.shared.scripts();
        let operation = router::route(method, path).known().or_else(|| scripts.known(method, path));
        let mut state = self.shared.lock();
        self.number = state.log.record(&self.request, operation, received_at);
        if let Some(fault) = state.faults.next(operation.map(|operation| operation.name), method, path) {
            return Some(Met::Fault(fault));
        }
        if scripts.are_empty() {
            return None;
        }
        let received = state.log.get(self.number).cloned();
        drop(state);
        let received = received.unwrap_or_else(|| ReceivedRequest::new(&self.request, operation, received_at));
        self.scripted(scripts, received)
    }

    /// Takes the script's next step for the request, where there is one.
    fn scripted(&self, mut scripts: MutexGuard<'_, Scripts>, mut received: ReceivedRequest) -> Option<Met> {
        let reply = scripts.next(&mut received, || self.shared.lock().admit(&self.request))?;
        // An answer may be made by the test's own function, which may look at the server.
        drop(scripts);
        Some(match reply {
            Reply::Fault(fault) => Met::Fault(*fault),
            Reply::Answer(answer) => Met::Answer(answer(&received)),
            Reply::Refusal(answer) => Met::Answer(*answer),
        })
    }

    fn process(&self) -> Answer {
        let mut answer = self.shared.lock().process(&self.request);
        answer::identify(&mut answer);
        answer
    }

    /// Lets the fault happen.
    async fn suffer(&self, fault: Fault) -> Answer {
        let processed = fault.processes_first().then(|| self.process());
        let mut answer = self.answer_of(fault.effect.clone(), processed).await;
        for value in fault.retry_after {
            answer.headers_mut().append(RETRY_AFTER, value);
        }
        match fault.effect {
            Effect::CutBody { keep, with_length } => self.send_cut(answer, keep, with_length).await,
            _ if answer.status().is_informational() => self.send_informational(answer).await,
            _ => self.send(answer),
        }
    }

    /// The answer that the fault leaves. Where it leaves none, this never returns: it is dropped
    /// with the connection.
    async fn answer_of(&self, effect: Effect, processed: Option<Answer>) -> Answer {
        match effect {
            Effect::Answer(mut answer) => {
                answer::identify(&mut answer);
                answer
            }
            Effect::Verbatim(answer) => answer,
            Effect::CutBody { .. } => processed.unwrap_or_else(|| self.process()),
            Effect::Delay(wait) => {
                tokio::time::sleep(wait).await;
                processed.unwrap_or_else(|| self.process())
            }
            Effect::Stall => pending().await,
            Effect::Reset => match self.connection.reset().await {},
            Effect::Close => match self.connection.close().await {},
            Effect::Raw(bytes) => self.finish_with(&bytes).await,
        }
    }

    fn send(&self, answer: Answer) -> Answer {
        self.shared.lock().log.answered(self.number, answer.status());
        answer
    }

    async fn send_cut(&self, answer: Answer, keep: usize, with_length: bool) -> Answer {
        let mut answer = self.send(answer);
        let length = answer.body().len();
        if self.is_http1() {
            let framing = if with_length { Framing::Length(length) } else { Framing::UntilClose };
            return self.finish_with(&raw_answer::bytes(answer, framing, keep)).await;
        }
        answer.body_mut().truncate(keep);
        if with_length {
            answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        answer
    }

    /// Sends what hyper takes for an interim answer.
    async fn send_informational(&self, answer: Answer) -> Answer {
        let answer = self.send(answer);
        if self.is_http1() {
            return self.finish_with(&raw_answer::bytes(answer, Framing::NoBody, 0)).await;
        }
        answer
    }

    /// Writes bytes in place of an answer, where the protocol has room for them, and ends the connection.
    async fn finish_with(&self, bytes: &[u8]) -> Answer {
        let bytes = if self.is_http1() { bytes } else { &[] };
        match self.connection.finish_with(bytes).await {}
    }

    fn is_http1(&self) -> bool {
        self.request.version() <= Version::HTTP_11
    }
}

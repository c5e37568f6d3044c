//! What a test expects, by the endpoint's type.

use std::fmt::Write;

use super::received_request::ReceivedRequest;
use super::script::Script;
use super::server::Server;
use super::template::{self, Template};
use crate::endpoint::Endpoint;
use crate::error::Redactor;

/// The most requests that a panic's message lists: the last ones.
const LISTED: usize = 50;

impl Server {
    /// Begins a script: what the next requests for this operation are answered, one of your own too.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use magicbell::{jwt::DiscardUserJwt, testing::{Fault, Server}};
    ///
    /// let server = Server::start().await?;
    /// let id = server.add_user_tokens("hana", 1).remove(0);
    /// server.on::<DiscardUserJwt>().fails(Fault::status(503).times(2));
    /// server.client().execute(DiscardUserJwt::new(id)).await?;
    /// server.assert_received::<DiscardUserJwt>(3);
    /// server.verify();
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "a script without a step changes nothing"]
    #[track_caller]
    pub fn on<E: Endpoint>(&self) -> Script<'_, E> {
        Script::begin(self)
    }

    /// Returns the requests for this operation, oldest first, each attempt of a call for itself: by the operation's method and
    /// path, so those for another operation of the same method and path, too.
    #[must_use]
    pub fn received<E: Endpoint>(&self) -> Vec<ReceivedRequest> {
        let operation = E::OPERATION;
        let is_for = |request: &ReceivedRequest| template::is_for(&operation, &request.method, request.path());
        let mut requests = self.requests();
        requests.retain(is_for);
        requests.iter_mut().for_each(|request| request.set_template(Template(operation.path())));
        requests
    }

    /// Asserts that so many requests for this operation arrived, each attempt of a call counted.
    ///
    /// # Panics
    ///
    /// Where more or fewer did: the message lists what arrived instead, without tokens. And where requests were not recorded
    /// ([`record_requests`](Self::record_requests)), so that it isn't known.
    #[track_caller]
    pub fn assert_received<E: Endpoint>(&self, times: usize) {
        let (operation, requests) = (E::OPERATION, self.requests());
        assert_eq!(requests.len(), self.request_count(), "some requests were not recorded");
        let is_for = |request: &ReceivedRequest| template::is_for(&operation, &request.method, request.path());
        let arrived = requests.iter().filter(|request| is_for(request)).count();
        let (name, method, path) = (operation.name(), operation.method(), operation.path());
        assert!(
            arrived == times,
            "{name} ({method} {path}): {times} expected, {arrived} arrived.{}",
            listing(&requests, is_for)
        );
    }

    /// Asserts that every step of every script was taken, and every fault of [`fail_next`](Self::fail_next) met, as often as it
    /// was meant to be. Those that are for `always` need not have been.
    ///
    /// # Panics
    ///
    /// Where something is left over: the message says what, where its script began, and what arrived, without tokens.
    #[track_caller]
    pub fn verify(&self) {
        let mut unused = self.shared.scripts().unused();
        unused.extend(self.shared.lock().faults.unused());
        assert!(
            unused.is_empty(),
            "what was scripted was not all used:\n  {}{}",
            unused.join("\n  "),
            listing(&self.requests(), |_| false)
        );
    }
}

/// The requests that arrived, a line each; those that are meant are marked.
fn listing(requests: &[ReceivedRequest], is_meant: impl Fn(&ReceivedRequest) -> bool) -> String {
    let redactor = Redactor::default();
    requests.iter().for_each(|request| request.teach(&redactor));
    let mut text = match requests {
        [] => "\nNo request arrived.".to_owned(),
        _ => "\nWhat arrived:".to_owned(),
    };
    let first = requests.len().saturating_sub(LISTED);
    if first > 0 {
        _ = write!(text, "\n  … {first} more before these");
    }
    for (number, request) in requests.iter().enumerate().skip(first) {
        let mark = if is_meant(request) { '>' } else { ' ' };
        _ = write!(text, "\n{mark} {}. {}", number + 1, request.line(&redactor));
    }
    text
}

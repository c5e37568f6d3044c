//! A server, its client, and what has been asked for.

use std::collections::HashSet;
use std::time::Duration;

use magicbell::jwt::{
    AccessToken, CreateProjectJwt, CreateTokenResponse, CreateUserJwt, DiscardProjectJwt, DiscardTokenResponse,
    DiscardUserJwt, FetchProjectTokens, FetchUserTokens,
};
use magicbell::middleware::retry::{Backoff, Jitter};
use magicbell::testing::{ReceivedRequest, Server, StoredToken};
use magicbell::{Client, Endpoint, Error, Outcome, RetryPolicy};

use super::plan::{Operation, Plan, Step, USERS};

/// A token id that no server has.
const UNKNOWN_ID: &str = "550e8400-e29b-41d4-a716-446655440000";
/// Names the call that a request belongs to.
const CALL: &str = "x-call";

pub(super) struct World {
    server: Server,
    client: Client,
    keys_are_trusted: bool,
    calls: usize,
    project_ids: Vec<String>,
    user_ids: Vec<String>,
    /// The names of the creates so far, each its own.
    names: Vec<String>,
    /// The ids that were asked to be discarded.
    asked: HashSet<String>,
}

impl World {
    pub(super) async fn start(plan: &Plan) -> Self {
        let server = Server::builder().honour_idempotency_keys(plan.keys).start().await.unwrap();
        for (number, (fault, one_in)) in (0..).zip(&plan.faults) {
            server.fail_randomly(plan.seed.wrapping_add(number), *one_in, fault.clone());
        }
        let client = Client::builder()
            .token(server.token())
            .base_url(server.url())
            .retry(quick(plan.keys))
            .http2_prior_knowledge(plan.http2)
            // Rather than wait for as long as a server asks to, a call is held back.
            .timeout(Duration::from_secs(2))
            .build()
            .unwrap();
        let project_ids = server.add_project_tokens(2);
        let user_ids = USERS.iter().flat_map(|user| server.add_user_tokens(user, 2)).collect();
        let (names, asked) = (Vec::new(), HashSet::new());
        Self { server, client, keys_are_trusted: plan.keys, calls: 0, project_ids, user_ids, names, asked }
    }

    pub(super) async fn carry_out(&mut self, step: &Step) {
        self.calls += 1;
        self.server.reset_connections(step.reset_connections);
        let name = format!("call {}", self.calls);
        match &step.operation {
            Operation::CreateProject => {
                let result = self.call(CreateProjectJwt::builder().name(&*name).build()).await;
                self.check_create(name, &result);
                self.project_ids.extend(result.map(|created| created.token_id));
            }
            Operation::CreateUser(user) => {
                let result = self.call(CreateUserJwt::builder().external_id(*user).name(&*name).build()).await;
                self.check_create(name, &result);
                self.user_ids.extend(result.map(|created| created.token_id));
            }
            Operation::DiscardProject(index) => {
                let id = nth(&self.project_ids, index.index(self.project_ids.len() + 1));
                let result = self.call(DiscardProjectJwt::new(&id)).await;
                self.check_discard(id, &result);
            }
            Operation::DiscardUser(index) => {
                let id = nth(&self.user_ids, index.index(self.user_ids.len() + 1));
                let result = self.call(DiscardUserJwt::new(&id)).await;
                self.check_discard(id, &result);
            }
            Operation::ListProject => {
                if let Ok(page) = self.call(FetchProjectTokens::builder().limit(100).build()).await {
                    check_list(&page.data, &self.server.project_tokens());
                }
            }
            Operation::ListUser(user) => {
                if let Ok(page) = self.call(FetchUserTokens::builder().user_id(*user).limit(100).build()).await {
                    check_list(&page.data, &self.server.user_tokens(user));
                }
            }
        }
    }

    async fn call<E: Endpoint>(&self, request: E) -> Result<E::Response, Error> {
        let result = self.client.request(request).header(CALL, self.calls.to_string()).send().await;
        let (requests, result) = (self.requests_of_this_call(), result.map(magicbell::Response::into_data));
        println!("call {}: {:?}, {} requests", self.calls, result.as_ref().map(|_| ()), requests.len());
        if let Err(error) = &result {
            let is_not_sent = error.outcome() == Outcome::NotSent;
            assert!(!is_not_sent || requests.is_empty(), "not sent, yet the server has it: {error:?}");
            let known = error.attempts().iter().filter(|attempt| attempt.outcome == Outcome::Answered).count();
            assert!(requests.len() >= known, "more answers than requests: {error:?}");
        }
        result
    }

    fn requests_of_this_call(&self) -> Vec<ReceivedRequest> {
        let number = self.calls.to_string();
        let mut requests = self.server.requests();
        requests.retain(|request| request.headers[CALL] == *number);
        requests
    }

    fn tokens(&self) -> Vec<StoredToken> {
        let users = USERS.iter().flat_map(|user| self.server.user_tokens(user));
        self.server.project_tokens().into_iter().chain(users).collect()
    }

    /// The tokens that a create has made.
    fn minted(&self, name: &str) -> Vec<StoredToken> {
        let mut tokens = self.tokens();
        tokens.retain(|token| token.name.as_deref() == Some(name));
        tokens
    }

    fn check_create(&mut self, name: String, result: &Result<CreateTokenResponse, Error>) {
        let minted = self.minted(&name);
        assert!(minted.len() <= 1, "minted twice: {minted:?}");
        if let Ok(created) = result {
            assert_eq!(minted.iter().map(|token| &token.token_id).collect::<Vec<_>>(), [&created.token_id]);
            assert!(!created.token.expose_secret().is_empty());
        }
        self.check_repeats(&minted);
        self.names.push(name);
    }

    /// Checks that where keys aren't trusted, a create isn't sent again after a request that may have been applied.
    fn check_repeats(&self, minted: &[StoredToken]) {
        let requests = self.requests_of_this_call();
        let may_be_repeated = |request: &ReceivedRequest| request.status == Some(429);
        let before_the_last = requests.split_last().map_or(&[][..], |(_, before)| before);
        assert!(self.keys_are_trusted || before_the_last.iter().all(may_be_repeated), "{requests:?} {minted:?}");
    }

    fn check_discard(&mut self, id: String, result: &Result<DiscardTokenResponse, Error>) {
        let is_discarded = self.server.is_discarded(&id);
        match result {
            Ok(discarded) => {
                assert_eq!(discarded.token_id, id);
                assert_eq!(is_discarded, Some(true));
            }
            Err(_) => assert!(id != UNKNOWN_ID || is_discarded.is_none()),
        }
        self.asked.insert(id);
    }

    /// Checks what can't be attributed to one call, and what may have happened after it.
    pub(super) fn check_at_the_end(&self) {
        for name in &self.names {
            assert!(self.minted(name).len() <= 1, "minted twice: {name}");
        }
        for token in self.tokens().iter().filter(|token| token.discarded_at.is_some()) {
            assert!(self.asked.contains(&token.token_id), "nobody asked to discard {token:?}");
        }
        let key = |request: &ReceivedRequest| request.headers["idempotency-key"].clone();
        let call = |request: &ReceivedRequest| request.headers[CALL].clone();
        let requests = self.server.requests();
        let creates = requests.iter().filter(|request| request.method == "POST").collect::<Vec<_>>();
        for (first, second) in creates.iter().flat_map(|first| creates.iter().map(move |second| (first, second))) {
            assert_eq!(key(first) == key(second), call(first) == call(second), "one key a create, and a create a key");
            assert!(key(first) != key(second) || first.body == second.body, "one body a key");
        }
    }
}

fn nth(ids: &[String], index: usize) -> String {
    ids.get(index).cloned().unwrap_or_else(|| UNKNOWN_ID.to_owned())
}

fn check_list(listed: &[AccessToken], kept: &[StoredToken]) {
    let active = kept.iter().filter(|token| token.discarded_at.is_none());
    let active = active.map(|token| Some(&*token.token_id)).collect::<Vec<_>>();
    assert_eq!(listed.iter().map(|token| token.id.as_deref()).collect::<Vec<_>>(), active);
}

/// A policy whose waits need not be sat out.
fn quick(trust_idempotency_keys: bool) -> RetryPolicy {
    let backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(2));
    RetryPolicy::builder()
        .backoff(backoff)
        .rate_limit_backoff(backoff)
        .jitter(Jitter::off())
        .trust_idempotency_keys(trust_idempotency_keys)
        .build()
}

//! The six operations, from a request to an answer.

use std::time::SystemTime;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, StatusCode};
use serde::Serialize;
use tokio::time::Instant;

use super::answer::{self, Answer, Refusal};
use super::clock;
use super::page_query::PageQuery;
use super::pages::Listing;
use super::record::{Kind, Owner};
use super::router::{self, Operation, Route};
use super::state::State;
use super::validation::{self, NewToken};

const IDEMPOTENCY_KEY: &str = "idempotency-key";

#[derive(Serialize)]
struct CreateTokenResponse<'a> {
    created_at: String,
    expires_at: Option<String>,
    token: &'a str,
    token_id: String,
}

#[derive(Serialize)]
struct DiscardTokenResponse<'a> {
    discarded_at: String,
    token_id: &'a str,
}

impl State {
    /// Does what the request asks for, and answers.
    ///
    /// The order is: the path, the method, the credentials, the rate limit, the operation.
    pub(super) fn process(&mut self, request: &Request<Bytes>) -> Answer {
        match router::route(request.method(), request.uri().path()) {
            Route::NotFound => answer::not_found("This path"),
            Route::MethodNotAllowed(allow) => answer::method_not_allowed(allow),
            Route::Operation(operation, argument) => match self.admit(request) {
                Ok(()) => self.perform(operation, &argument, request),
                Err(refusal) => *refusal,
            },
        }
    }

    /// Checks the credentials, and counts the request in the rate limit.
    ///
    /// # Errors
    ///
    /// The answer to send: 401 or 429.
    pub(super) fn admit(&mut self, request: &Request<Bytes>) -> Result<(), Refusal> {
        let token = bearer(request.headers());
        if !token.is_some_and(|token| self.tokens.authenticates(token, self.clock.now())) {
            return Err(answer::unauthorized().into());
        }
        let admitted = self.limiter.as_mut().map(|limiter| limiter.admit(request.method(), Instant::now().into_std()));
        admitted.unwrap_or(Ok(())).map_err(|seconds| answer::rate_limited(seconds).into())
    }

    fn perform(&mut self, operation: Operation, argument: &str, request: &Request<Bytes>) -> Answer {
        match operation {
            Operation::FetchProjectTokens => self.list(Owner::Project, request),
            Operation::FetchUserTokens => self.list(Owner::User(argument), request),
            Operation::CreateProjectJwt | Operation::CreateUserJwt => self.create_once(operation, request),
            Operation::DiscardProjectJwt => self.discard(Kind::Project, argument),
            Operation::DiscardUserJwt => self.discard(Kind::User, argument),
        }
    }

    fn list(&self, owner: Owner<'_>, request: &Request<Bytes>) -> Answer {
        let query = request.uri().query().unwrap_or_default();
        let query = match PageQuery::parse(query, self.settings.max_page_size) {
            Ok(query) => query,
            Err(refusal) => return *refusal,
        };
        let listing = Listing {
            tokens: &self.tokens,
            owner,
            path: request.uri().path(),
            default_page_size: self.settings.default_page_size,
            now: self.clock.now(),
        };
        listing.page(&query)
    }

    /// Creates a token, or answers as before where the request's idempotency key was used before.
    fn create_once(&mut self, operation: Operation, request: &Request<Bytes>) -> Answer {
        let key = request.headers().get(IDEMPOTENCY_KEY).filter(|_| self.settings.honour_idempotency_keys);
        let Some(key) = key else {
            return self.create(operation, request.body());
        };
        let (key, body, now) = (key.as_bytes(), request.body(), Instant::now().into_std());
        if let Some(answer) = self.keys.answer(key, operation, body, now) {
            return answer;
        }
        let answer = self.create(operation, body);
        self.keys.keep(key, operation, body.clone(), &answer, now);
        answer
    }

    fn create(&mut self, operation: Operation, body: &[u8]) -> Answer {
        let now = self.clock.now();
        let new = match operation {
            Operation::CreateProjectJwt => validation::project_token(body, now),
            _ => validation::user_token(body, now),
        };
        match new {
            Ok(new) => self.created(new, now),
            Err(refusal) => *refusal,
        }
    }

    fn created(&mut self, new: NewToken, now: SystemTime) -> Answer {
        let (record, token) = self.tokens.create(new, now);
        let created = CreateTokenResponse {
            created_at: clock::rfc3339(record.created_at),
            expires_at: record.expires_at.map(clock::rfc3339),
            token: &token,
            token_id: record.id.to_string(),
        };
        answer::json(StatusCode::CREATED, &created)
    }

    fn discard(&mut self, kind: Kind, token_id: &str) -> Answer {
        let now = self.clock.now();
        match self.tokens.discard(kind, token_id, now) {
            Some(()) => {
                answer::json(StatusCode::OK, &DiscardTokenResponse { discarded_at: clock::rfc3339(now), token_id })
            }
            None => answer::not_found("The token"),
        }
    }
}

/// The bearer token, where there is exactly one `Authorization` header, and it has one.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).into_iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim_start_matches(' '))
}

//! What a test can see of a server, and seed: requests and tokens.

use super::received_request::ReceivedRequest;
use super::record::Owner;
use super::server::Server;
use super::stored_token::StoredToken;

impl Server {
    /// The requests that arrived whole, oldest first, those that met a fault too.
    #[must_use]
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.shared.lock().log.requests()
    }

    /// How many requests arrived whole, recorded or not.
    #[must_use]
    pub fn request_count(&self) -> usize {
        self.shared.lock().log.total()
    }

    /// How many requests arrived for the operation with this OpenAPI id, such as `"discard_user_jwt"`; of an operation of your
    /// own, those since a [script](Self::on) for it was begun.
    #[must_use]
    pub fn count(&self, operation: &str) -> usize {
        self.shared.lock().log.count(operation)
    }

    /// Forgets the requests so far, and starts the counters from 0.
    pub fn clear_requests(&self) {
        self.shared.lock().log.clear();
    }

    /// Whether requests are kept for [`requests`](Self::requests), as they are at first. The
    /// counters go on either way; a load test wants no more than these.
    pub fn record_requests(&self, record: bool) {
        self.shared.lock().log.set_recording(record);
    }

    /// Every project token, oldest first, the discarded and expired ones too.
    #[must_use]
    pub fn project_tokens(&self) -> Vec<StoredToken> {
        self.shared.lock().tokens.all(Owner::Project)
    }

    /// Every token of the user, oldest first, the discarded and expired ones too. The user's id is
    /// the external id or, where there is none, the email address.
    #[must_use]
    pub fn user_tokens(&self, user_id: &str) -> Vec<StoredToken> {
        self.shared.lock().tokens.all(Owner::User(user_id))
    }

    /// Whether the token was discarded; `None` where there is no token with this id.
    #[must_use]
    pub fn is_discarded(&self, token_id: &str) -> Option<bool> {
        self.shared.lock().tokens.is_discarded(token_id)
    }

    /// Makes `count` tokens of the user with this external id, without requests, and returns their
    /// ids. They have no name and never expire.
    pub fn add_user_tokens(&self, user_id: &str, count: usize) -> Vec<String> {
        self.seed(Owner::User(user_id), count)
    }

    /// Makes `count` project tokens, without requests, and returns their ids. They never expire,
    /// and nobody knows their text, so they authenticate nothing.
    pub fn add_project_tokens(&self, count: usize) -> Vec<String> {
        self.seed(Owner::Project, count)
    }

    /// How many connections were accepted so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections()
    }

    fn seed(&self, owner: Owner<'_>, count: usize) -> Vec<String> {
        let mut state = self.shared.lock();
        let now = state.clock.now();
        state.tokens.seed(owner, count, now)
    }
}

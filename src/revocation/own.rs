//! Which of the ids is that of the token that the client itself uses.

use std::any::Any;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::FutureExt as _;
use sync_wrapper::SyncWrapper;

use super::batch::Kind;
use crate::client::Client;

type Asking = Pin<Box<dyn Future<Output = Result<(), Box<dyn Any + Send>>> + Send>>;

/// What the client's own token may be called: by the caller's word, and by the claims of the token that it uses now.
pub(super) struct OwnIds {
    /// Users' tokens are never the client's own.
    is_wanted: bool,
    /// Whether a token has to be known before anything is sent.
    is_asked: bool,
    given: Vec<String>,
    claims: Vec<String>,
    /// Which change of the token the claims are of.
    change: u64,
    asking: Option<SyncWrapper<Asking>>,
    /// Whether the credentials were asked, for the next id, and gave nothing.
    in_vain: bool,
}

impl OwnIds {
    pub(super) fn new(kind: Kind, given: Vec<String>, has_journal: bool) -> Self {
        let is_wanted = kind == Kind::Project;
        Self {
            is_wanted,
            is_asked: is_wanted || has_journal,
            given,
            claims: Vec::new(),
            change: 0,
            asking: None,
            in_vain: false,
        }
    }

    /// Waits until a token is known, where one can be: credentials that haven't been used yet are asked. Where they give none,
    /// the next id goes all the same: it can't be sent without a token either.
    pub(super) fn poll_known(&mut self, client: &Client, cx: &mut Context<'_>) -> Poll<()> {
        if !self.is_asked || self.in_vain || client.own_token_changes() > 0 {
            return Poll::Ready(());
        }
        let asking = self.asking.get_or_insert_with(|| {
            // A panic of theirs is that of the attempt that meets it.
            let asking = AssertUnwindSafe(client.ask_credentials()).catch_unwind();
            SyncWrapper::new(Box::pin(asking))
        });
        _ = ready!(asking.get_mut().as_mut().poll(cx));
        self.asking = None;
        self.in_vain = client.own_token_changes() == 0;
        Poll::Ready(())
    }

    /// Says whether an id may be that of the token that the client uses now.
    pub(super) fn contains(&mut self, client: &Client, token_id: &str) -> bool {
        self.in_vain = false;
        if !self.is_wanted {
            return false;
        }
        let change = client.own_token_changes();
        if change != self.change {
            (self.change, self.claims) = (change, client.own_claims());
        }
        self.given.iter().chain(&self.claims).any(|own| own.eq_ignore_ascii_case(token_id))
    }
}

impl fmt::Debug for OwnIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnIds").field("is_wanted", &self.is_wanted).finish_non_exhaustive()
    }
}

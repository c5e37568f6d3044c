//! Which tokens are meant.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::choice::Choice;
use super::listing::{List, Pass};
use super::settling::{Settled, Settling};
use super::{ListError, RevocationPlan};
use crate::client::Client;
use crate::jwt::{AccessToken, JwtService};

impl JwtService<'_> {
    /// Begins to select tokens of a user for revocation: all that are listed, unless narrowed.
    pub fn select_user_tokens(&self, user_id: impl Into<String>) -> Selection {
        Selection::new(self.client().clone(), Some(user_id.into()))
    }

    /// Begins to select project tokens for revocation: all that are listed, unless narrowed.
    pub fn select_project_tokens(&self) -> Selection {
        Selection::new(self.client().clone(), None)
    }
}

/// Which tokens are meant: those of a list that meet every condition. [`plan`](Self::plan) looks for them; nothing is revoked by it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::SystemTime;
/// use magicbell::testing::Server;
///
/// let server = Server::start().await?;
/// let client = server.client();
/// let ids = server.add_user_tokens("hana", 250);
///
/// let plan = client
///     .jwt()
///     .select_user_tokens("hana")
///     .created_before(SystemTime::now())
///     .except([&ids[7]])
///     .plan()
///     .await?;
/// println!("{plan}"); // how many, their names, the oldest and the newest
/// assert_eq!(plan.len(), 249);
/// assert_eq!(server.count("discard_user_jwt"), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a selection does nothing until it is planned"]
pub struct Selection {
    client: Client,
    list: List,
    choice: Choice,
    settling: Settling,
    own_ids: Vec<String>,
}

impl Selection {
    fn new(client: Client, user_id: Option<String>) -> Self {
        let settling = Settling { max_passes: 5, wait: Duration::from_millis(100) };
        Self { client, list: List::new(user_id), choice: Choice::default(), settling, own_ids: Vec::new() }
    }

    /// Takes those that were made before this time. The earliest of several counts.
    ///
    /// One whose time can't be read isn't taken, but [reported](RevocationPlan::undated).
    pub fn created_before(mut self, time: SystemTime) -> Self {
        self.choice.before = Some(self.choice.before.map_or(time, |before| before.min(time)));
        self
    }

    /// Takes those that were made at this time or after it. The latest of several counts.
    ///
    /// One whose time can't be read isn't taken, but [reported](RevocationPlan::undated).
    pub fn created_since(mut self, time: SystemTime) -> Self {
        self.choice.since = Some(self.choice.since.map_or(time, |since| since.max(time)));
        self
    }

    /// Takes those of this very name; given more than once, those of any of the names.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.choice.names.push(name.into());
        self
    }

    /// Leaves out those with these ids, in upper or lower case. An id that no listed token has is
    /// [reported](RevocationPlan::unmatched_exceptions): a slip in it would revoke what was to be kept.
    pub fn except(mut self, ids: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.choice.except.extend(ids.into_iter().map(|id| id.as_ref().to_ascii_lowercase()));
        self
    }

    /// Takes those of which this is true; given more than once, those of which all are.
    pub fn matching(mut self, matches: impl Fn(&AccessToken) -> bool + Send + Sync + 'static) -> Self {
        self.choice.matching.push(Arc::new(matches));
        self
    }

    /// Sets how many tokens a page has, at least 1: 100 by default.
    pub fn page_size(mut self, tokens: u32) -> Self {
        self.list.page_size = tokens.max(1);
        self
    }

    /// Sets how often the list is read at most for two passes to agree, at least twice: 5 by default.
    pub fn max_passes(mut self, passes: u32) -> Self {
        self.settling.max_passes = passes.max(2);
        self
    }

    /// Sets how long to wait after the first pass, twice as long after each other, and never more than a minute: 0.1 s by default.
    pub fn wait(mut self, wait: Duration) -> Self {
        self.settling.wait = wait;
        self
    }

    /// Says which id is that of the token that the client itself uses, where it isn't in the token: the plan marks it.
    pub fn own_token_id(mut self, token_id: impl Into<String>) -> Self {
        self.own_ids.push(token_id.into());
        self
    }

    /// Lists every page, and again until two passes agree; nothing is revoked.
    ///
    /// Pages shift while tokens are made and discarded, so that one pass can skip a token. The plan holds what two passes in
    /// succession chose alike, where nothing that the first had read was gone in the second: that shows that the first skipped
    /// nothing that was there all the while. A plan takes about 60 bytes of memory for a token that is listed, and 300 for one that is
    /// chosen; twice that while two passes are compared.
    ///
    /// It waits quotas out, without a deadline of its own.
    ///
    /// # Errors
    ///
    /// [`ListError::Failed`] where a page can't be fetched; [`ListError::Unsettled`] where no two passes agreed.
    pub async fn plan(&self) -> Result<RevocationPlan, ListError<RevocationPlan>> {
        let sort = |row: &AccessToken| self.choice.sort(row);
        let mut settled = self.settling.settle(&self.client, &self.list, &[], sort).await?;
        self.mark_own(&mut settled.pass);
        let agreed = settled.agreed;
        let plan = self.planned(settled);
        if agreed { Ok(plan) } else { Err(ListError::Unsettled(Box::new(plan))) }
    }

    /// Marks the client's own token. It is known at the latest when a request has been sent, so it is asked for afterwards.
    fn mark_own(&self, pass: &mut Pass) {
        if self.list.user_id.is_some() {
            return;
        }
        let own_ids = [self.client.own_claims(), self.own_ids.clone()].concat();
        for token in pass.chosen.iter_mut().chain(&mut pass.aside) {
            token.is_own = own_ids.iter().any(|own| own.eq_ignore_ascii_case(&token.id));
        }
    }

    fn planned(&self, settled: Settled) -> RevocationPlan {
        let Settled { pass, passes, agreed } = settled;
        let listed = pass.ids.iter().map(|id| id.to_ascii_lowercase()).collect::<HashSet<_>>();
        let mut unmatched = self.choice.except.iter().filter(|id| !listed.contains(*id)).cloned().collect::<Vec<_>>();
        unmatched.sort_unstable();
        RevocationPlan {
            list: self.list.clone(),
            tokens: pass.chosen,
            undated: pass.aside,
            unreadable: pass.unreadable,
            unmatched,
            listed: pass.ids,
            passes,
            agreed,
            planned_at: SystemTime::now(),
        }
    }
}

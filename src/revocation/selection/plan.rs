//! What will be revoked.

use std::collections::{HashMap, HashSet};
use std::time::SystemTime;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::listing::List;
use super::{SelectedToken, Verify};
use crate::client::Client;
use crate::revocation::{Ids, Progress, Revocations};

/// What will be revoked: counts, names and ages, to be read before anything is sent.
///
/// It is an iterator of ids, so that `discard_user_jwts(plan)` takes it; [`revocations`](Self::revocations) knows of itself which
/// kind of token it holds, and leaves the plan there to [verify](Self::verify) by.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::testing::Server;
///
/// let server = Server::start().await?;
/// let client = server.client();
/// server.add_user_tokens("hana", 250);
///
/// let plan = client.jwt().select_user_tokens("hana").plan().await?;
/// println!("{plan}");
/// let report = plan.revocations(&client).run().await;
/// println!("{report:#}");
/// let verification = plan.verify(&client).await?;
/// assert!(verification.is_clean(), "{verification}");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RevocationPlan {
    pub(super) list: List,
    pub(super) tokens: Vec<SelectedToken>,
    pub(super) undated: Vec<SelectedToken>,
    pub(super) unreadable: u64,
    pub(super) unmatched: Vec<String>,
    /// All ids of the list, chosen or not: what is listed later and isn't here was made meanwhile.
    pub(super) listed: HashSet<Box<str>>,
    pub(super) passes: u32,
    pub(super) agreed: bool,
    pub(super) planned_at: SystemTime,
}

impl RevocationPlan {
    /// Returns how many tokens will be revoked.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Says whether none will be.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Returns whose tokens they are; `None` for the project's.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.list.user_id.as_deref()
    }

    /// Returns the tokens that will be revoked, in the order in which they are listed.
    #[must_use]
    pub fn tokens(&self) -> &[SelectedToken] {
        &self.tokens
    }

    /// Returns the ids of the tokens that will be revoked.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = &str> {
        self.tokens.iter().map(|token| &*token.id)
    }

    /// Returns how many tokens have each name, the most common first; `None` is for those without one.
    #[must_use]
    pub fn names(&self) -> Vec<(Option<&str>, usize)> {
        let mut counts = HashMap::new();
        for token in &self.tokens {
            *counts.entry(token.name.as_deref()).or_insert(0) += 1;
        }
        let mut counts = counts.into_iter().collect::<Vec<_>>();
        counts.sort_unstable_by(|(name, count), (other, others)| others.cmp(count).then(name.cmp(other)));
        counts
    }

    /// Returns the token that was made first, as far as times can be read.
    #[must_use]
    pub fn oldest(&self) -> Option<&SelectedToken> {
        self.dated().min_by_key(|(created, _)| *created).map(|(_, token)| token)
    }

    /// Returns the token that was made last, as far as times can be read.
    #[must_use]
    pub fn newest(&self) -> Option<&SelectedToken> {
        self.dated().max_by_key(|(created, _)| *created).map(|(_, token)| token)
    }

    fn dated(&self) -> impl Iterator<Item = (SystemTime, &SelectedToken)> {
        self.tokens.iter().filter_map(|token| Some((token.created()?, token)))
    }

    /// Returns the token that the client itself uses, where it is among them: it is revoked last.
    #[must_use]
    pub fn own_token(&self) -> Option<&SelectedToken> {
        self.tokens.iter().find(|token| token.is_own)
    }
}

impl RevocationPlan {
    /// Returns the tokens that were asked for by time and whose time can't be read: they aren't among those to be revoked.
    #[must_use]
    pub fn undated(&self) -> &[SelectedToken] {
        &self.undated
    }

    /// Returns how many rows of the list can't be read, or have no id: what they are isn't known, and they can't be revoked.
    #[must_use]
    pub fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// Returns the ids, in lower case, that were to be left out and that no listed token has.
    #[must_use]
    pub fn unmatched_exceptions(&self) -> &[String] {
        &self.unmatched
    }

    /// Returns how many tokens the list has, chosen or not.
    #[must_use]
    pub fn listed(&self) -> usize {
        self.listed.len()
    }

    /// Returns how often the list was read.
    #[must_use]
    pub fn passes(&self) -> u32 {
        self.passes
    }

    /// Makes a batch of it, for a client that need not be the one that listed.
    pub fn revocations(&self, client: &Client) -> Revocations<Ids<std::vec::IntoIter<String>>> {
        let ids = self.ids().map(str::to_owned).collect::<Vec<_>>();
        let own = self.tokens.iter().filter(|token| token.is_own);
        match self.list.user_id {
            Some(_) => client.jwt().discard_user_jwts(ids),
            None => own.fold(client.jwt().discard_project_jwts(ids), |batch, token| batch.own_token_id(&token.id)),
        }
    }

    /// Begins to follow how far the batch has come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress::new(self.len() as u64)
    }

    /// Looks in the list for what has survived, and for what was made meanwhile.
    pub fn verify<'a>(&'a self, client: &Client) -> Verify<'a> {
        Verify::new(self, client.clone())
    }
}

impl IntoIterator for RevocationPlan {
    type Item = String;
    type IntoIter = std::vec::IntoIter<String>;

    fn into_iter(self) -> Self::IntoIter {
        self.tokens.into_iter().map(|token| token.id).collect::<Vec<_>>().into_iter()
    }
}

/// As an object: `user_id`, `count`, `tokens`, `undated`, `unreadable`, `unmatched_exceptions`, `listed`, `passes` and
/// `agreed`. Fields may be added.
impl Serialize for RevocationPlan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("user_id", &self.list.user_id)?;
        map.serialize_entry("count", &self.len())?;
        map.serialize_entry("tokens", &self.tokens)?;
        map.serialize_entry("undated", &self.undated)?;
        map.serialize_entry("unreadable", &self.unreadable)?;
        map.serialize_entry("unmatched_exceptions", &self.unmatched)?;
        map.serialize_entry("listed", &self.listed())?;
        map.serialize_entry("passes", &self.passes)?;
        map.serialize_entry("agreed", &self.agreed)?;
        map.end()
    }
}

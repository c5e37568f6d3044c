//! Passes over a list until two agree.

use std::collections::HashSet;
use std::time::Duration;

use super::choice::Sorted;
use super::listing::{List, Pass};
use crate::client::Client;
use crate::error::Error;
use crate::jwt::AccessToken;

/// The longest wait between two passes.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How often a list is read at most, and how long is waited in between.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settling {
    pub(super) max_passes: u32,
    /// After the first pass; twice as long after each other.
    pub(super) wait: Duration,
}

/// What the passes came to.
#[derive(Debug)]
pub(super) struct Settled {
    /// The last pass.
    pub(super) pass: Pass,
    pub(super) passes: u32,
    /// Whether the last two agreed.
    pub(super) agreed: bool,
}

impl Settling {
    /// Reads a list until two passes agree, or as often as is allowed. Where they don't agree, what any pass chose is in the result.
    pub(super) async fn settle(
        self,
        client: &Client,
        list: &List,
        own_ids: &[String],
        sort: impl Fn(&AccessToken) -> Sorted,
    ) -> Result<Settled, Error> {
        let mut wait = self.wait.min(LONGEST_WAIT);
        let mut before = Vec::new();
        let mut earlier = list.pass(client, own_ids, &sort).await?;
        for passes in 2..=self.max_passes.max(2) {
            tokio::time::sleep(wait).await;
            wait = wait.saturating_mul(2).min(LONGEST_WAIT);
            let pass = list.pass(client, own_ids, &sort).await?;
            if pass.confirms(&earlier) {
                return Ok(Settled { pass, passes, agreed: true });
            }
            before.append(&mut earlier.chosen);
            earlier = pass;
        }
        let mut known = earlier.chosen.iter().map(|token| token.id.clone()).collect::<HashSet<_>>();
        earlier.chosen.extend(before.into_iter().filter(|token| known.insert(token.id.clone())));
        Ok(Settled { pass: earlier, passes: self.max_passes.max(2), agreed: false })
    }
}

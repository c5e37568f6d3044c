//! Looks in the list for what has survived.

use std::collections::HashSet;
use std::pin::Pin;
use std::time::Duration;

use super::choice::Sorted;
use super::settling::{Settled, Settling};
use super::{ListError, RevocationPlan, Verification};
use crate::client::Client;
use crate::jwt::AccessToken;

/// A verification that hasn't begun: awaiting it begins it. [`RevocationPlan::verify`] makes one.
///
/// The list is read until two passes agree on what has survived, and nothing that the first of them had read was gone in the second.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use magicbell::testing::{Fault, Server};
///
/// let server = Server::start().await?;
/// let client = server.client();
/// server.add_user_tokens("hana", 3);
/// let plan = client.jwt().select_user_tokens("hana").plan().await?;
/// server.fail_next(Fault::status(403));
/// plan.revocations(&client).run().await;
///
/// let verification = plan.verify(&client).max_passes(10).wait(Duration::from_millis(50)).await?;
/// assert_eq!(verification.survivors.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is verified until it is awaited"]
pub struct Verify<'a> {
    plan: &'a RevocationPlan,
    client: Client,
    settling: Settling,
}

impl<'a> Verify<'a> {
    pub(super) fn new(plan: &'a RevocationPlan, client: Client) -> Self {
        Self { plan, client, settling: Settling { max_passes: 6, wait: Duration::from_millis(500) } }
    }

    /// Sets how often the list is read at most for two passes to agree, at least twice: 6 by default.
    pub fn max_passes(mut self, passes: u32) -> Self {
        self.settling.max_passes = passes.max(2);
        self
    }

    /// Sets how long to wait after the first pass, twice as long after each other, and never more than a minute: 0.5 s by default.
    ///
    /// A list that lags behind by longer than the wait shows tokens that are gone, in two passes alike. So survivors are a reason
    /// to verify again a little later, not yet to panic.
    pub fn wait(mut self, wait: Duration) -> Self {
        self.settling.wait = wait;
        self
    }

    async fn run(self) -> Result<Verification, ListError<Verification>> {
        let planned = self.plan.ids().collect::<HashSet<_>>();
        let sort = |row: &AccessToken| match row.id.as_deref() {
            Some(id) if planned.contains(id) => Sorted::Chosen,
            Some(id) if !self.plan.listed.contains(id) => Sorted::Aside,
            _ => Sorted::Left,
        };
        let own_ids = self.plan.own_token().map(|own| own.id.clone()).into_iter().collect::<Vec<_>>();
        let settled = self.settling.settle(&self.client, &self.plan.list, &own_ids, sort).await?;
        let Settled { pass, passes, agreed } = settled;
        let verification = Verification {
            planned: self.plan.len(),
            survivors: pass.chosen,
            created_during: pass.aside,
            unreadable: pass.unreadable,
            passes,
            agreed,
        };
        if agreed { Ok(verification) } else { Err(ListError::Unsettled(Box::new(verification))) }
    }
}

impl<'a> IntoFuture for Verify<'a> {
    type Output = Result<Verification, ListError<Verification>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + Sync + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

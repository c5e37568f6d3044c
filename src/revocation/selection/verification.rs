//! What was found afterwards.

use std::fmt;

use serde::Serialize;

use super::SelectedToken;
use super::plan_display::Ids;
use crate::revocation::words::{Count, Thousands};

/// What the list says after a batch: which tokens of the plan it still has, and which have come up since.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::testing::Server;
///
/// let server = Server::start().await?;
/// let client = server.client();
/// server.add_user_tokens("hana", 3);
/// let plan = client.jwt().select_user_tokens("hana").plan().await?;
/// plan.revocations(&client).run().await;
/// let made_meanwhile = server.add_user_tokens("hana", 1); // by whoever has leaked the others, say
///
/// let verification = plan.verify(&client).await?;
/// assert!(verification.is_clean(), "no token of the plan is left");
/// assert!(!verification.is_over(), "but there is another one: plan again");
/// assert_eq!(verification.created_during[0].id, made_meanwhile[0]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Verification {
    /// How many tokens were to be revoked.
    pub planned: usize,
    /// Those of them that are still listed: take them as live.
    pub survivors: Vec<SelectedToken>,
    /// Tokens that are listed and weren't when the plan was made, whether or not they are of the kind that was selected. Somebody
    /// who holds a project token makes new ones while the old are revoked.
    pub created_during: Vec<SelectedToken>,
    /// How many rows can't be read, or have no id: a survivor may be among them.
    pub unreadable: u64,
    /// How often the list was read.
    pub passes: u32,
    /// Whether two passes agreed.
    pub agreed: bool,
}

impl Verification {
    /// Says whether it is shown that no token of the plan is left: none is listed, every row can be read, and two passes agreed.
    ///
    /// It says nothing of tokens that weren't in the plan. After a leak, ask [`is_over`](Self::is_over): whoever holds a stolen
    /// project token may have made others meanwhile, and those are in [`created_during`](Self::created_during).
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.survivors.is_empty() && self.unreadable == 0 && self.agreed
    }

    /// Says whether it [is clean](Self::is_clean), and no token was made meanwhile.
    ///
    /// Where it is clean and not over, each token of [`created_during`](Self::created_during) is to be accounted for; plan again for
    /// those that can't be. Where users log in all the time, theirs are among them, and it may never be over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_clean() && self.created_during.is_empty()
    }
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let planned = Thousands(self.planned as u64);
        match self.survivors.len() {
            0 => write!(f, "none of the {planned} is listed any more")?,
            left => write!(f, "{} of the {planned} still listed: {}", Thousands(left as u64), Ids(&self.survivors))?,
        }
        if self.agreed {
            write!(f, " ({} passes)", self.passes)?;
        } else {
            write!(f, "\n  CAREFUL: no two of {} passes agreed", self.passes)?;
        }
        if !self.created_during.is_empty() {
            let count = Count(self.created_during.len() as u64, "token");
            write!(f, "\n  {count} made meanwhile: {}", Ids(&self.created_during))?;
        }
        match self.unreadable {
            0 => Ok(()),
            rows => write!(f, "\n  {} can't be read: a survivor may be among them", Count(rows, "row")),
        }
    }
}

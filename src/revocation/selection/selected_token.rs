//! A token that was chosen.

use std::time::SystemTime;

use serde::Serialize;

use crate::jwt::AccessToken;
use crate::timestamp::Timestamp;

/// What a list says of a token that was chosen: never the token itself.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::testing::Server;
///
/// let server = Server::start().await?;
/// server.add_project_tokens(3);
/// let plan = server.client().jwt().select_project_tokens().plan().await?;
/// let own = plan.tokens().iter().filter(|token| token.is_own).map(|token| &*token.id);
/// assert_eq!(own.collect::<Vec<_>>(), [server.token_id()]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SelectedToken {
    /// The token's id.
    pub id: String,
    /// Its name, where it has one. It is the service's text: escape it before it goes to a terminal.
    pub name: Option<String>,
    /// When it was made, as the service wrote it.
    pub created_at: Timestamp,
    /// When it ends; `None` where it doesn't.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, where the service says so.
    pub last_used_at: Option<Timestamp>,
    /// Whether it is the token that the client itself uses, as far as that can be known: see
    /// [`Revocations::own_token`](super::super::Revocations::own_token).
    pub is_own: bool,
}

impl SelectedToken {
    pub(super) fn new(id: String, row: AccessToken, is_own: bool) -> Self {
        let AccessToken { name, created_at, expires_at, last_used_at, .. } = row;
        Self { id, name, created_at, expires_at, last_used_at, is_own }
    }

    /// Returns when it was made; `None` where that can't be read.
    pub(super) fn created(&self) -> Option<SystemTime> {
        self.created_at.to_system_time()
    }
}

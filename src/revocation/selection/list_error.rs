//! A list that wasn't read, or didn't come to rest.

use std::fmt;

use crate::error::Error;

/// Why there is no plan, or no verification.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::testing::Server;
/// # use magicbell::jwt::FetchUserTokens;
/// # use serde_json::json;
/// # let server = Server::start().await?;
/// # let client = server.client();
/// # let row = |id: &str| json!({ "id": id, "created_at": "2026-01-01T00:00:00Z" });
/// # server.on::<FetchUserTokens>()
/// #     .answers(json!({ "data": [row("1")] }))
/// #     .answers(json!({ "data": [row("1"), row("2")] }));
///
/// // Somebody makes tokens while they are listed. What was seen can be revoked at once.
/// let error = client.jwt().select_user_tokens("hana").max_passes(2).plan().await.unwrap_err();
/// let seen = error.into_unsettled().ok_or("the list can't be read")?;
/// assert_eq!(seen.ids().collect::<Vec<_>>(), ["1", "2"]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ListError<T> {
    /// A page could not be fetched, or the list can't be followed to its end.
    Failed(Error),
    /// No two passes over the list agreed. What was found is here all the same, so that nobody has to wait for quiet to revoke what
    /// is known; it may lack rows.
    Unsettled(Box<T>),
}

impl<T> ListError<T> {
    /// Returns what was found where no two passes agreed; `None` where the list could not be read.
    #[must_use]
    pub fn into_unsettled(self) -> Option<T> {
        match self {
            Self::Unsettled(found) => Some(*found),
            Self::Failed(_) => None,
        }
    }
}

impl<T> From<Error> for ListError<T> {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl<T> fmt::Display for ListError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(_) => f.write_str("the tokens can't be listed"),
            Self::Unsettled(_) => f.write_str("the list changed in every pass, so rows of it may have been skipped"),
        }
    }
}

impl<T: fmt::Debug> std::error::Error for ListError<T> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Failed(error) => Some(error),
            Self::Unsettled(_) => None,
        }
    }
}

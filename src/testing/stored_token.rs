//! What a test can see of a token that the server keeps.

use std::time::SystemTime;

/// A token that the server keeps: everything but its text, which is shown once, when it is made.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{jwt::CreateUserJwt, testing::Server};
///
/// let server = Server::start().await?;
/// server.client().execute(CreateUserJwt::builder().external_id("hana").name("phone").expiry(3600).build()).await?;
///
/// let token = server.user_tokens("hana").remove(0);
/// assert_eq!(token.name.as_deref(), Some("phone"));
/// let lives_for = token.expires_at.ok_or("it never ends")?.duration_since(token.created_at)?;
/// assert_eq!(lives_for.as_secs(), 3600);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredToken {
    /// The token's id, a UUID in lower case with hyphens.
    pub token_id: String,
    /// The name that its creation gave it.
    pub name: Option<String>,
    /// The user whose token it is; `None` for a project token.
    pub user: Option<TokenUser>,
    /// When it was made.
    pub created_at: SystemTime,
    /// When it expires; `None` for never.
    pub expires_at: Option<SystemTime>,
    /// When it was discarded; `None` while it isn't.
    pub discarded_at: Option<SystemTime>,
}

/// The user that a user token's creation named.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{jwt::CreateUserJwt, testing::Server};
///
/// let server = Server::start().await?;
/// server.client().execute(CreateUserJwt::builder().email("hana@example.com").build()).await?;
///
/// // Without an id the address is one.
/// let user = server.user_tokens("hana@example.com").remove(0).user.ok_or("a user's token")?;
/// assert_eq!(user.external_id, None);
/// assert_eq!(user.user_id(), Some("hana@example.com"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenUser {
    /// The user's email address.
    pub email: Option<String>,
    /// The user's id in the caller's own database.
    pub external_id: Option<String>,
}

impl TokenUser {
    /// The id under which the user's tokens are listed: the external id or, where there is none,
    /// the email address. A user with neither is listed nowhere.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.external_id.as_deref().or(self.email.as_deref())
    }
}

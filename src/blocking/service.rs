//! The operations as methods.

use super::{Client, Revocations};
use crate::error::Error;
use crate::jwt::{
    AccessTokenCollection, CreateProjectJwt, CreateTokenResponse, CreateUserJwt, DiscardProjectJwt,
    DiscardTokenResponse, DiscardUserJwt, FetchProjectTokens, FetchUserTokens,
};

/// The six operations as methods, and many revocations: [`Client::jwt`] makes one.
///
/// Each of the six is [`Client::execute`] of its request, and its errors are those of that.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = tokio::runtime::Runtime::new()?;
/// # let server = runtime.block_on(magicbell::testing::Server::start())?;
/// # let client = magicbell::Client::builder().token(server.token()).base_url(server.url()).build_blocking()?;
/// # use magicbell::jwt::FetchProjectTokens;
/// let page = client.jwt().fetch_project_tokens(FetchProjectTokens::builder().build())?;
/// assert_eq!(page.data[0].id.as_deref(), Some(server.token_id()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct JwtService<'a> {
    client: &'a Client,
}

#[expect(clippy::missing_errors_doc, reason = "they are said once, above")]
impl<'a> JwtService<'a> {
    pub(super) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Lists the project's active tokens, a page at a time.
    pub fn fetch_project_tokens(&self, request: FetchProjectTokens) -> Result<AccessTokenCollection, Error> {
        self.client.execute(request)
    }

    /// Makes a token with project-wide access.
    pub fn create_project_jwt(&self, request: CreateProjectJwt) -> Result<CreateTokenResponse, Error> {
        self.client.execute(request)
    }

    /// Revokes a project token, at once and for good.
    pub fn discard_project_jwt(&self, request: DiscardProjectJwt) -> Result<DiscardTokenResponse, Error> {
        self.client.execute(request)
    }

    /// Issues a token scoped to one user's permissions.
    pub fn create_user_jwt(&self, request: CreateUserJwt) -> Result<CreateTokenResponse, Error> {
        self.client.execute(request)
    }

    /// Revokes a user's token, at once and for good.
    pub fn discard_user_jwt(&self, request: DiscardUserJwt) -> Result<DiscardTokenResponse, Error> {
        self.client.execute(request)
    }

    /// Lists the tokens of one user, a page at a time.
    pub fn fetch_user_tokens(&self, request: FetchUserTokens) -> Result<AccessTokenCollection, Error> {
        self.client.execute(request)
    }

    /// Revokes many tokens of users: exactly one outcome for each id. See
    /// [`discard_user_jwts`](crate::jwt::JwtService::discard_user_jwts).
    pub fn discard_user_jwts<I>(&self, ids: I) -> Revocations<'a, I::IntoIter>
    where
        I: IntoIterator<Item: Into<String>>,
    {
        Revocations::new(self.client, self.client.as_async().jwt().discard_user_jwts(ids))
    }

    /// Revokes many project tokens: exactly one outcome for each id. See
    /// [`discard_project_jwts`](crate::jwt::JwtService::discard_project_jwts).
    pub fn discard_project_jwts<I>(&self, ids: I) -> Revocations<'a, I::IntoIter>
    where
        I: IntoIterator<Item: Into<String>>,
    {
        Revocations::new(self.client, self.client.as_async().jwt().discard_project_jwts(ids))
    }
}

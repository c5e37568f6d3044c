//! The operations as methods.

use super::{
    AccessTokenCollection, CreateProjectJwt, CreateTokenResponse, CreateUserJwt, DiscardProjectJwt,
    DiscardTokenResponse, DiscardUserJwt, FetchProjectTokens, FetchUserTokens,
};
use crate::client::{Client, Execute};

/// The six operations as methods, for those who know MagicBell's other clients: [`Client::jwt`] makes one.
///
/// Each method is [`Client::execute`] of its request.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use magicbell::{jwt::CreateUserJwt, testing::Server};
/// # let server = Server::start().await?;
/// # let client = server.client();
/// let created = client.jwt().create_user_jwt(CreateUserJwt::builder().external_id("user-42").build()).await?;
/// assert_eq!(server.is_discarded(&created.token_id), Some(false));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct JwtService<'a> {
    client: &'a Client,
}

impl<'a> JwtService<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    pub(crate) fn client(&self) -> &'a Client {
        self.client
    }

    /// Lists the project's active tokens, a page at a time.
    pub fn fetch_project_tokens(&self, request: FetchProjectTokens) -> Execute<AccessTokenCollection> {
        self.client.execute(request)
    }

    /// Makes a token with project-wide access.
    pub fn create_project_jwt(&self, request: CreateProjectJwt) -> Execute<CreateTokenResponse> {
        self.client.execute(request)
    }

    /// Revokes a project token, at once and for good.
    pub fn discard_project_jwt(&self, request: DiscardProjectJwt) -> Execute<DiscardTokenResponse> {
        self.client.execute(request)
    }

    /// Issues a token scoped to one user's permissions.
    pub fn create_user_jwt(&self, request: CreateUserJwt) -> Execute<CreateTokenResponse> {
        self.client.execute(request)
    }

    /// Revokes a user's token, at once and for good.
    pub fn discard_user_jwt(&self, request: DiscardUserJwt) -> Execute<DiscardTokenResponse> {
        self.client.execute(request)
    }

    /// Lists the tokens of one user, a page at a time.
    pub fn fetch_user_tokens(&self, request: FetchUserTokens) -> Execute<AccessTokenCollection> {
        self.client.execute(request)
    }
}

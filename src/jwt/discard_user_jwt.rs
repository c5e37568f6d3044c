//! `DELETE /jwt/user/{token_id}`

use std::borrow::Cow;

use bon::Builder;
use magicbell_middleware::Operation;

use super::{DiscardTokenResponse, discard_token_response, validation};
use crate::endpoint::{Answer, Endpoint};
use crate::error::{DecodeError, InvalidRequest};

/// Revokes a user's token at once, for good: `DELETE /jwt/user/{token_id}`.
///
/// Requests with it are refused from then on, and its sessions end.
///
/// An answer that names another token is an error, [`ErrorKind::Unverified`](crate::ErrorKind::Unverified). After any error
/// the token has to be taken as still live, but after a 404 or 410 with [`Error::has_api_envelope`](crate::Error::has_api_envelope). A 404 means that there is no such user token: a wrong id, another
/// project's, a [project token](super::DiscardProjectJwt), or one that was discarded before. For many at once, see
/// [`JwtService::discard_user_jwts`](super::JwtService::discard_user_jwts).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{jwt::DiscardUserJwt, testing::Server};
///
/// let server = Server::start().await?;
/// let token_id = server.add_user_tokens("hana", 1).remove(0);
/// let discarded = server.client().execute(DiscardUserJwt::new(&token_id)).await?;
/// assert_eq!(discarded.token_id, token_id);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Builder)]
#[builder(on(String, into))]
#[must_use = "a request does nothing until it is executed"]
#[non_exhaustive]
pub struct DiscardUserJwt {
    /// The token's id, a UUID: [`CreateTokenResponse::token_id`](super::CreateTokenResponse::token_id), or
    /// [`AccessToken::id`](super::AccessToken::id). Never the token itself.
    pub token_id: String,
}

impl DiscardUserJwt {
    /// Makes the request, from the token's id.
    pub fn new(token_id: impl Into<String>) -> Self {
        Self { token_id: token_id.into() }
    }
}

impl Endpoint for DiscardUserJwt {
    type Response = DiscardTokenResponse;
    const OPERATION: Operation = Operation::delete("discard_user_jwt", "/jwt/user/{token_id}");

    fn validate(&self) -> Result<(), InvalidRequest> {
        validation::token_id(&self.token_id)
    }

    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        (name == "token_id").then_some(Cow::Borrowed(&self.token_id))
    }

    fn decode(answer: &Answer<'_>) -> Result<DiscardTokenResponse, DecodeError> {
        discard_token_response::decode(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::{BaseUrl, build};

    #[test]
    fn the_id_is_one_segment_of_the_path() {
        let base_url = BaseUrl::parse("https://api.magicbell.com/v2").unwrap();
        let request = build(&base_url, &DiscardUserJwt::new("a/b")).unwrap();
        assert_eq!(request.uri(), "https://api.magicbell.com/v2/jwt/user/a%2Fb");
    }

    #[test]
    fn a_padded_id_is_refused() {
        for id in [" ", "id\n", "\u{feff}id"] {
            assert_eq!(DiscardUserJwt::new(id).validate().unwrap_err().field(), "token_id", "{id:?}");
        }
    }
}

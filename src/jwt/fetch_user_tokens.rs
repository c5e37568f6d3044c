//! `GET /jwt/user/{user_id}`

use std::borrow::Cow;

use bon::Builder;
use magicbell_middleware::Operation;

use super::{AccessTokenCollection, access_token_collection, validation};
use crate::endpoint::{Answer, Endpoint, Query};
use crate::error::{DecodeError, InvalidRequest};

/// Lists the tokens of one user, a page at a time: `GET /jwt/user/{user_id}`.
///
/// For audits and session management; never the tokens themselves. For all pages, see
/// [`Client::paginate`](crate::Client::paginate).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{jwt::FetchUserTokens, testing::Server};
///
/// let server = Server::start().await?;
/// server.add_user_tokens("u1", 2);
/// let page = server.client().execute(FetchUserTokens::builder().user_id("u1").build()).await?;
/// assert_eq!(page.data.len(), 2);
/// # Ok(())
/// # }
/// ```
///
/// The user's id is required:
///
/// ```compile_fail
/// let request = magicbell::jwt::FetchUserTokens::builder().limit(10).build();
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Builder)]
#[builder(on(String, into))]
#[must_use = "a request does nothing until it is executed"]
#[non_exhaustive]
pub struct FetchUserTokens {
    /// The user's id. It is sent as one segment of the path, whatever characters it has.
    pub user_id: String,
    /// How many tokens a page has at most, at least 1; the service's own default where it isn't given.
    pub limit: Option<u32>,
    /// The id of the token after which the page begins: the cursor of a `links.next`.
    pub starting_after: Option<String>,
    /// The id of the token before which the page ends.
    pub ending_before: Option<String>,
}

impl Endpoint for FetchUserTokens {
    type Response = AccessTokenCollection;
    const OPERATION: Operation = Operation::get("fetch_user_tokens", "/jwt/user/{user_id}");

    fn validate(&self) -> Result<(), InvalidRequest> {
        validation::user_id(&self.user_id)?;
        validation::limit(self.limit)
    }

    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        (name == "user_id").then_some(Cow::Borrowed(&self.user_id))
    }

    fn query(&self, query: &mut Query<'_>) {
        query.append_some("limit", self.limit);
        query.append_some("starting_after", self.starting_after.as_deref());
        query.append_some("ending_before", self.ending_before.as_deref());
    }

    fn decode(answer: &Answer<'_>) -> Result<AccessTokenCollection, DecodeError> {
        access_token_collection::decode(answer)
    }
}

#[cfg(test)]
mod tests {
    use http::Response;
    use magicbell_middleware::Body;

    use super::*;
    use crate::endpoint::{BaseUrl, build, decode};

    #[test]
    fn what_is_given_is_in_the_path_and_the_query_and_nothing_else() {
        let base_url = BaseUrl::parse("https://api.magicbell.com/v2").unwrap();
        let sent = |request| build::<FetchUserTokens>(&base_url, &request).unwrap().uri().to_string();
        let all = FetchUserTokens::builder().user_id("a/b").limit(3).starting_after("c&d").ending_before("e");
        assert_eq!(
            sent(all.build()),
            "https://api.magicbell.com/v2/jwt/user/a%2Fb?limit=3&starting_after=c%26d&ending_before=e"
        );
        assert_eq!(sent(FetchUserTokens::builder().user_id("u").build()), "https://api.magicbell.com/v2/jwt/user/u");
    }

    #[test]
    fn what_can_not_be_meant_is_refused() {
        let user = |user_id| FetchUserTokens::builder().user_id(user_id);
        assert_eq!(user("\u{feff}u").build().validate().unwrap_err().field(), "user_id");
        assert_eq!(user("u").limit(0).build().validate().unwrap_err().field(), "limit");
        assert!(user("u").limit(1).build().validate().is_ok());
    }

    #[test]
    fn a_page_is_read() {
        let response = Response::new(Body::from(r#"{"data":[{"created_at":"a"}],"links":{"next":"c"}}"#));
        let page = decode::<FetchUserTokens>("/jwt/user/u", &response).unwrap();
        assert_eq!((page.data.len(), page.links.next_cursor().as_deref()), (1, Some("c")));
    }
}

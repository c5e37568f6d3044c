//! `GET /jwt/project`

use bon::Builder;
use magicbell_middleware::Operation;

use super::{AccessTokenCollection, access_token_collection, validation};
use crate::endpoint::{Answer, Endpoint, Query};
use crate::error::{DecodeError, InvalidRequest};

/// Lists the project's active tokens, a page at a time: `GET /jwt/project`.
///
/// Each row has the token's creation and expiry, never the token itself. For all pages, see
/// [`Client::paginate`](crate::Client::paginate).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{jwt::FetchProjectTokens, testing::Server};
///
/// let server = Server::start().await?;
/// server.add_project_tokens(3);
/// let page = server.client().execute(FetchProjectTokens::builder().limit(2).build()).await?;
/// assert_eq!(page.data.len(), 2);
/// assert!(page.links.next_cursor().is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Builder)]
#[builder(on(String, into))]
#[must_use = "a request does nothing until it is executed"]
#[non_exhaustive]
pub struct FetchProjectTokens {
    /// How many tokens a page has at most, at least 1; the service's own default where it isn't given.
    pub limit: Option<u32>,
    /// The id of the token after which the page begins: the cursor of a `links.next`.
    pub starting_after: Option<String>,
    /// The id of the token before which the page ends.
    pub ending_before: Option<String>,
}

impl Endpoint for FetchProjectTokens {
    type Response = AccessTokenCollection;
    const OPERATION: Operation = Operation::get("fetch_project_tokens", "/jwt/project");

    fn validate(&self) -> Result<(), InvalidRequest> {
        validation::limit(self.limit)
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
    fn what_is_given_is_in_the_query_and_nothing_else() {
        let base_url = BaseUrl::parse("https://api.magicbell.com/v2").unwrap();
        let sent = |request| build::<FetchProjectTokens>(&base_url, &request).unwrap().uri().to_string();
        let all = FetchProjectTokens::builder().limit(3).starting_after("c&d").ending_before("e").build();
        assert_eq!(sent(all), "https://api.magicbell.com/v2/jwt/project?limit=3&starting_after=c%26d&ending_before=e");
        assert_eq!(sent(FetchProjectTokens::default()), "https://api.magicbell.com/v2/jwt/project");
    }

    #[test]
    fn a_page_of_nothing_is_refused() {
        let limit = |limit| FetchProjectTokens::builder().limit(limit).build().validate();
        assert_eq!(limit(0).unwrap_err().field(), "limit");
        assert!(limit(1).is_ok());
    }

    #[test]
    fn a_page_is_read() {
        let response = Response::new(Body::from(r#"{"data":[{"created_at":"a"}],"links":{"next":"c"}}"#));
        let page = decode::<FetchProjectTokens>("/jwt/project", &response).unwrap();
        assert_eq!((page.data.len(), page.links.next_cursor().as_deref()), (1, Some("c")));
    }
}

//! A page of tokens.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::lenient::{deserialize_from_object, serialize_as_derived};
use super::{AccessToken, Links};
use crate::endpoint::Answer;
use crate::error::DecodeError;

/// A page of tokens.
///
/// Its tokens are all only where nothing follows, and every row could be read:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{jwt::FetchUserTokens, testing::Server};
///
/// let server = Server::start().await?;
/// server.add_user_tokens("hana", 21);
/// let page = server.client().execute(FetchUserTokens::builder().user_id("hana").limit(20).build()).await?;
/// let is_all = page.links.next.is_none() && page.malformed.is_empty();
/// assert_eq!((page.data.len(), is_all), (20, false));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct AccessTokenCollection {
    /// The tokens of this page.
    #[serde(default, deserialize_with = "null_as_default")]
    pub data: Vec<AccessToken>,
    /// Where the other pages are.
    #[serde(default, deserialize_with = "links")]
    pub links: Links,
    /// The rows of this page that can't be read: the others are in `data` all the same.
    #[serde(skip)]
    pub malformed: Vec<MalformedRow>,
}

deserialize_from_object!(AccessTokenCollection);
serialize_as_derived!(AccessTokenCollection);

/// A row of a page that can't be read.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{jwt::FetchProjectTokens, testing::{Fault, Server}};
///
/// let server = Server::start().await?;
/// let body = r#"{"data":[{"id":"1","created_at":"2026-01-01T00:00:00Z"},{"id":"2"}]}"#;
/// server.on::<FetchProjectTokens>().fails(Fault::body(200, body));
///
/// let page = server.client().execute(FetchProjectTokens::builder().build()).await?;
/// assert_eq!(page.data.len(), 1);
/// assert_eq!(page.malformed[0].index, 1);
/// # assert!(page.malformed[0].error.to_string().contains("not what was expected"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MalformedRow {
    /// Which row of the page it is, counted from 0.
    pub index: usize,
    /// Why it can't be read; line and column are within the row.
    pub error: DecodeError,
}

fn null_as_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads links. None at all is an empty array in some languages; anything else of another kind would hide that there is a next page.
fn links<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Links, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Links(Links),
        None([(); 0]),
    }
    let given: Option<Given> = Option::deserialize(deserializer)?;
    Ok(match given {
        Some(Given::Links(links)) => links,
        Some(Given::None([])) | None => Links::default(),
    })
}

/// Reads a page. Where that fails as a whole, its rows are read one by one, so that a bad one doesn't hide the others.
pub(super) fn decode(answer: &Answer<'_>) -> Result<AccessTokenCollection, DecodeError> {
    answer.json().or_else(|error| row_by_row(answer).ok_or(error))
}

fn row_by_row(answer: &Answer<'_>) -> Option<AccessTokenCollection> {
    #[derive(Deserialize)]
    struct Rows {
        data: Vec<Box<RawValue>>,
        #[serde(default, deserialize_with = "links")]
        links: Links,
    }
    // An array would be taken by position.
    answer.plain_text().ok()?.trim_ascii_start().first().filter(|byte| **byte == b'{')?;
    let rows = answer.json::<Rows>().ok()?;
    let mut page = AccessTokenCollection { links: rows.links, ..AccessTokenCollection::default() };
    for (index, row) in rows.data.iter().enumerate() {
        match serde_json::from_str(row.get()) {
            Ok(token) => page.data.push(token),
            Err(error) => page.malformed.push(MalformedRow { index, error: DecodeError::json(&error) }),
        }
    }
    Some(page)
}

#[cfg(test)]
mod tests {
    use http::Response;
    use magicbell_middleware::Body;

    use super::*;

    fn read(json: &str) -> Result<AccessTokenCollection, DecodeError> {
        let response = Response::new(Body::from(json.to_owned()));
        decode(&Answer::new("", "", &response))
    }

    #[test]
    fn everything_may_be_absent_or_null() {
        for json in ["{}", r#"{"data":null,"links":null}"#, r#"{"data":[],"links":{"next":null}}"#] {
            let page = read(json).unwrap();
            assert!(page.data.is_empty() && page.malformed.is_empty() && page.links == Links::default(), "{json}");
        }
    }

    /// What of another kind stands for links might say that there is a next page.
    #[test]
    fn an_empty_array_is_no_links_and_nothing_else_is_passed_over() {
        assert_eq!(read(r#"{"data":[{"id":"1","created_at":"a"}],"links":[]}"#).unwrap().data.len(), 1);
        assert!(read(r#"{"data":[],"links":["x"]}"#).is_err() && read(r#"{"data":[],"links":"x"}"#).is_err());
    }

    #[test]
    fn a_bad_row_does_not_hide_the_others() {
        let page = read(
            r#"{"data":[{"created_at":"a"},{"id":"no time"},null,["x"],{"created_at":"b"}],"links":{"next":"c"}}"#,
        )
        .unwrap();
        assert_eq!(page.data.iter().map(|token| token.created_at.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(page.malformed.iter().map(|row| row.index).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(page.links.next.as_deref(), Some("c"));
    }

    #[test]
    fn what_is_no_page_is_refused() {
        for json in ["[]", "null", "\"x\"", r#"[[{"created_at":"a"}],{}]"#, r#"{"data":7}"#, r#"{"data":["#] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}

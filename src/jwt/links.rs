//! Where the other pages are.

use serde::{Deserialize, Serialize};

use super::lenient::{deserialize_from_object, serialize_as_derived};
use crate::any_text::optional_text;

/// Where the other pages are, as the service wrote it.
///
/// It isn't specified further than 'string': an absolute URL, a relative one, a query or a bare cursor.
/// [`next_cursor`](Self::next_cursor) takes the cursor out, and no request ever goes to a host that a link names.
///
/// [`Client::paginate`](crate::Client::paginate) follows them; by hand that is:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{jwt::FetchProjectTokens, testing::Server};
///
/// let server = Server::start().await?;
/// let client = server.client();
/// server.add_project_tokens(249);
/// let (mut request, mut count) = (FetchProjectTokens::builder().limit(100).build(), 0);
/// loop {
///     let page = client.execute(&request).await?;
///     count += page.data.len();
///     let Some(cursor) = page.links.next_cursor() else { break };
///     request.starting_after = Some(cursor);
/// }
/// assert_eq!(count, 250);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct Links {
    /// The first page.
    #[serde(default, deserialize_with = "optional_text")]
    pub first: Option<String>,
    /// The next page; `None` on the last.
    #[serde(default, deserialize_with = "optional_text")]
    pub next: Option<String>,
    /// The page before; `None` on the first.
    #[serde(default, deserialize_with = "optional_text")]
    pub prev: Option<String>,
}

deserialize_from_object!(Links);
serialize_as_derived!(Links);

impl Links {
    /// Returns the cursor of the next page, for `starting_after`; `None` where there is no next page, or where no cursor can be
    /// found in its link.
    ///
    /// ```
    /// let links = |next: &str| serde_json::from_value::<magicbell::jwt::Links>(serde_json::json!({ "next": next })).unwrap();
    /// assert_eq!(links("/v2/jwt/project?limit=3&starting_after=abc").next_cursor().as_deref(), Some("abc"));
    /// assert_eq!(links("https://elsewhere.example/?starting_after=abc").next_cursor().as_deref(), Some("abc"));
    /// assert_eq!(links("starting_after=abc").next_cursor().as_deref(), Some("abc"));
    /// assert_eq!(links("abc").next_cursor().as_deref(), Some("abc"));
    /// ```
    #[must_use]
    pub fn next_cursor(&self) -> Option<String> {
        let whole = self.next.as_deref()?;
        let link = whole.split('#').next()?;
        let query = link.split_once('?').map_or(link, |(_, query)| query);
        let is_cursor = |name: &str| matches!(name, "starting_after" | "page[after]");
        let named = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| is_cursor(name));
        if let Some((_, cursor)) = named {
            return Some(cursor.into_owned()).filter(|cursor| !cursor.is_empty());
        }
        let is_bare = !whole.is_empty()
            && !whole.starts_with('#')
            && !whole.contains(['?', '\\', '&'])
            && (!whole.contains('/') || is_base64(whole))
            && !whole.contains("//")
            && !is_assignment(whole);
        is_bare.then(|| whole.to_owned())
    }
}

/// Says whether text is `name=value`. A cursor in base64 may end with `=`, but nothing follows it.
fn is_assignment(text: &str) -> bool {
    text.trim_end_matches('=').contains('=')
}

/// Says whether text with a slash in it is rather base64, as some cursors are, than a path.
fn is_base64(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    !text.starts_with('/') && text.len().is_multiple_of(4) && text.ends_with('=') && text.bytes().all(is_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(next: &str) -> Option<String> {
        Links { next: Some(next.to_owned()), ..Links::default() }.next_cursor()
    }

    #[test]
    fn the_cursor_is_found_in_each_form() {
        let forms = [
            "https://api.magicbell.com/v2/jwt/project?limit=3&starting_after=a%26b",
            "//evil.example/?starting_after=a%26b",
            "https://api.magicbell.com@evil.example/?starting_after=a%26b#x",
            "\\\\evil\\x?starting_after=a%26b",
            "/v2/jwt/project?starting_after=a%26b&limit=3",
            "?starting_after=a%26b",
            "limit=3&starting_after=a%26b",
            "?page%5Bafter%5D=a%26b",
            "?page[after]=a%26b",
        ];
        for form in forms {
            assert_eq!(cursor(form).as_deref(), Some("a&b"), "{form}");
        }
        for bare in ["Y3Vyc29y==", "abc/def=", "2026-01-01T00:00:00Z", "cursor:1"] {
            assert_eq!(cursor(bare).as_deref(), Some(bare));
        }
    }

    #[test]
    fn a_link_without_a_cursor_gives_none() {
        for link in [
            "",
            "/v2/jwt/project",
            "https://evil.example",
            "?limit=3",
            "limit=3",
            "?starting_after=",
            "#x",
            "jwt/project",
        ] {
            assert_eq!(cursor(link), None, "{link}");
        }
        assert_eq!(Links::default().next_cursor(), None);
    }
}

//! Writes a query.

use std::fmt::{Display, Write as _};

use super::path::encode;

/// Writes a query, each name and value percent-encoded.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{Endpoint, Operation, Query, testing::Server};
///
/// struct FindUsers(&'static str, Option<u32>);
///
/// impl Endpoint for FindUsers {
///     type Response = Vec<String>;
///     const OPERATION: Operation = Operation::get("find_users", "/users");
///
///     fn query(&self, query: &mut Query<'_>) {
///         query.append("name", self.0);
///         query.append_some("limit", self.1);
///     }
/// }
/// # let server = Server::start().await?;
/// # server.on::<FindUsers>().answers(["hana"]);
/// server.client().execute(FindUsers("Hana & Omar", None)).await?;
/// assert!(server.requests()[0].target.ends_with("/users?name=Hana%20%26%20Omar"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Query<'a> {
    buffer: &'a mut String,
    is_empty: bool,
}

impl<'a> Query<'a> {
    pub(super) fn new(buffer: &'a mut String) -> Self {
        Self { buffer, is_empty: true }
    }

    /// Appends `name=value`.
    pub fn append(&mut self, name: &str, value: impl Display) {
        self.buffer.push(if self.is_empty { '?' } else { '&' });
        self.is_empty = false;
        encode(name, self.buffer);
        self.buffer.push('=');
        // Writing to a String doesn't fail; a Display that does has written what it could.
        let _ = write!(Encode(self.buffer), "{value}");
    }

    /// Appends `name=value` where there is a value.
    pub fn append_some(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.append(name, value);
        }
    }
}

struct Encode<'a>(&'a mut String);

impl std::fmt::Write for Encode<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        encode(text, self.0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_encoded() {
        let mut buffer = String::from("/x");
        let mut query = Query::new(&mut buffer);
        query.append("limit", 100);
        query.append("page[after]", "a&b=c d+é");
        query.append_some("none", None::<u8>);
        assert_eq!(buffer, "/x?limit=100&page%5Bafter%5D=a%26b%3Dc%20d%2B%C3%A9");
    }
}

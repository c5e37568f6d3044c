//! What a list says of a token.

use serde::{Deserialize, Serialize};

use super::lenient::{deserialize_from_object, serialize_as_derived};
use crate::any_text::optional_text;
use crate::timestamp::Timestamp;

/// What a list says of a token: never the token itself.
///
/// Fields that the SDK doesn't know are passed over.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{jwt::{CreateUserJwt, FetchUserTokens}, testing::Server};
///
/// let server = Server::start().await?;
/// let client = server.client();
/// server.add_user_tokens("hana", 2);
/// client.execute(CreateUserJwt::builder().external_id("hana").expiry(3600).build()).await?;
///
/// let page = client.execute(FetchUserTokens::builder().user_id("hana").build()).await?;
/// let endless = page.data.iter().filter(|token| token.expires_at.is_none());
/// assert_eq!(endless.count(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct AccessToken {
    /// The token's id, a UUID; what the discards take.
    #[serde(default, deserialize_with = "optional_text")]
    pub id: Option<String>,
    /// Its name, where it has one.
    #[serde(default, deserialize_with = "optional_text")]
    pub name: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends; `None` where it doesn't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was discarded; `None` where it wasn't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discarded_at: Option<Timestamp>,
    /// When it was last used, where the service says so: its prose speaks of it, its OpenAPI document doesn't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

deserialize_from_object!(AccessToken);
serialize_as_derived!(AccessToken);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<AccessToken, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn only_the_creation_time_is_required() {
        let token = read(r#"{"created_at":"2021-01-01T00:00:00Z"}"#).unwrap();
        assert_eq!((token.id, token.name, token.expires_at), (None, None, None));
        assert!(read("{}").is_err());
    }

    #[test]
    fn a_number_for_an_id_and_unknown_fields_are_accepted() {
        let token = read(r#"{"created_at":"x","id":7,"name":null,"tomorrow":{"x":[1]},"last_used_at":"y"}"#).unwrap();
        assert_eq!(token.id.as_deref(), Some("7"));
        assert_eq!(token.last_used_at, Some("y".into()));
    }

    #[test]
    fn an_array_is_refused() {
        assert!(read(r#"["id","name","2021-01-01T00:00:00Z"]"#).is_err());
    }
}

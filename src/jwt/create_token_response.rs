//! A token that was created.

use serde::Deserialize;

use super::lenient::{deserialize_from_object, text, timestamp};
use crate::secret::SecretToken;
use crate::timestamp::Timestamp;

/// A token that was created. The service shows it in this one answer, and never again.
///
/// Since a token that is shown once must not be lost, whatever else of the answer is missing or odd doesn't make it fail.
#[derive(Debug, Clone, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct CreateTokenResponse {
    /// The token: a live credential.
    pub token: SecretToken,
    /// Its id, a UUID, by which it is discarded. Empty where the answer had none, against the service's documents.
    #[serde(default, deserialize_with = "text")]
    pub token_id: String,
    /// When it was made. Empty where the answer had no time.
    #[serde(default, deserialize_with = "timestamp")]
    pub created_at: Timestamp,
    /// When it ends; `None` where it doesn't.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

deserialize_from_object!(CreateTokenResponse);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<CreateTokenResponse, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn the_fields_are_named_as_on_the_wire() {
        let json =
            r#"{"created_at":"2021-01-01T00:00:00Z","expires_at":"2021-01-01T01:00:00Z","token":"t","token_id":"i"}"#;
        let created = read(json).unwrap();
        assert_eq!(created.token.expose_secret(), "t");
        assert_eq!(created.token_id, "i");
        assert_eq!(created.created_at.as_str(), "2021-01-01T00:00:00Z");
        assert_eq!(created.expires_at.unwrap().as_str(), "2021-01-01T01:00:00Z");
    }

    #[test]
    fn nothing_but_the_token_is_needed() {
        let odd = [
            r#"{"token":"t"}"#,
            r#"{"token":"t","token_id":null,"created_at":null,"expires_at":null}"#,
            r#"{"token":"t","token_id":[],"created_at":{},"expires_at":false,"tomorrow":[1,{"x":2}]}"#,
            r#"{"token":"t","token_id":7,"created_at":1609459200,"expires_at":1e9}"#,
            "\n {\"token\":\"t\"}\r\n",
        ];
        for json in odd {
            assert_eq!(read(json).unwrap().token.expose_secret(), "t", "{json}");
        }
    }

    #[test]
    fn an_answer_without_a_token_is_refused() {
        for json in ["{}", r#"["t","i","a","b"]"#, r#"{"token":null}"#, r#"{"token":7}"#, r#"{"token":"t""#] {
            assert!(read(json).is_err(), "{json}");
        }
    }

    #[test]
    fn debug_does_not_show_it() {
        let created = read(r#"{"token":"the-secret"}"#).unwrap();
        assert!(!format!("{created:?} {created:#?}").contains("the-secret"));
    }
}

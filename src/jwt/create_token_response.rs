//! A token that was created.

use serde::Deserialize;

use super::lenient::{Fields, deserialize_from_object, text, timestamp};
use crate::endpoint::Answer;
use crate::error::DecodeError;
use crate::secret::SecretToken;
use crate::timestamp::Timestamp;

/// A token that was created. The service shows it in this one answer, and never again.
///
/// Since a token that is shown once must not be lost, whatever else of the answer is missing or odd doesn't make it fail.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{jwt::CreateUserJwt, testing::Server};
///
/// let server = Server::start().await?;
/// let created = server.client().execute(CreateUserJwt::builder().external_id("hana").build()).await?;
/// let secret = created.token.expose_secret(); // for the user, this once
/// let audited = format!("{created:?}"); // for your log: id and times
/// assert!(audited.contains(&created.token_id) && !audited.contains(secret));
/// # Ok(())
/// # }
/// ```
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

/// Reads a create's answer. Where that fails as a whole, its fields are read one by one, so that nothing beside the token can
/// lose it: a field given twice (the last one counts), a number out of range, half of a surrogate pair, bytes after the object.
pub(super) fn decode(answer: &Answer<'_>) -> Result<CreateTokenResponse, DecodeError> {
    let created = answer.json().or_else(|error| field_by_field(answer).ok_or(error))?;
    match created.token.expose_secret() {
        "" => Err(DecodeError::new("its token is empty")),
        _ => Ok(created),
    }
}

fn field_by_field(answer: &Answer<'_>) -> Option<CreateTokenResponse> {
    let fields = answer.json_prefix::<Fields>().ok()?;
    Some(CreateTokenResponse {
        token: fields.text("token")?.into(),
        token_id: fields.text("token_id").unwrap_or_default(),
        created_at: fields.text("created_at").as_deref().map(Timestamp::from).unwrap_or_default(),
        expires_at: fields.text("expires_at").as_deref().map(Timestamp::from),
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

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
    fn what_json_itself_trips_over_beside_the_token_does_not_lose_it() {
        for json in [
            r#"{"token":"t","a":1e999}"#,
            r#"{"a":"\ud800","token":"t","token_id":"i"}"#,
            r#"{"token":"old","token":"t"}"#,
            r#"{"token_id":"i","token_id":"j","token":"t","created_at":-1e999}"#,
            r#"{"\ud800":1,"tok\u0065n":"t"}"#,
            r#"{"token":"t"}{"token":"u"}"#,
            r#"{"token":"t"}</html>"#,
            "\u{feff}{\"token\":\"t\"}",
        ] {
            let response = http::Response::new(magicbell_middleware::Body::from(json));
            let created = decode(&Answer::new("", "", &response)).unwrap();
            assert_eq!(created.token.expose_secret(), "t", "{json}");
        }
        let odd = Bytes::from_static(b"{\"token\":\"t\",\"created_at\":\"\xff\",\"token_id\":\"i\xff\"}");
        let created = decode(&Answer::new("", "", &http::Response::new(odd.into()))).unwrap();
        assert_eq!((created.token.expose_secret(), &*created.token_id), ("t", ""), "half an id is another one");
        let lost = Bytes::from_static(b"{\"token\":\"t\xff\"}");
        assert!(decode(&Answer::new("", "", &http::Response::new(lost.into()))).is_err());
        for json in [r#"{"token":1e999}"#, r#"{"token":""}"#, r#"{"token":"\ud800"}"#, r#"["t"]{"token":"t"}"#] {
            let response = http::Response::new(magicbell_middleware::Body::from(json));
            assert!(decode(&Answer::new("", "", &response)).is_err(), "{json}");
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

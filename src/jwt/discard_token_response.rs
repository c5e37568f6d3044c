//! A token that was discarded.

use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::lenient::{Fields, deserialize_from_object, serialize_as_derived, text};
use crate::endpoint::Answer;
use crate::error::DecodeError;
use crate::timestamp::Timestamp;

/// A token that was discarded: requests with it are refused from now on, and its sessions have ended.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{jwt::DiscardUserJwt, testing::{Fault, Server}};
///
/// let server = Server::start().await?;
/// let ids = server.add_user_tokens("hana", 2);
/// let discarded = server.client().execute(DiscardUserJwt::new(&ids[0])).await?;
/// assert!(discarded.discarded_at.is_some_and(|at| at.to_system_time().is_some()));
///
/// // A 204 has no body, and so no time: it is a discard all the same.
/// server.fail_next(Fault::empty(204).after_processing());
/// let discarded = server.client().execute(DiscardUserJwt::new(&ids[1])).await?;
/// assert_eq!((discarded.token_id, discarded.discarded_at), (ids[1].clone(), None));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct DiscardTokenResponse {
    /// The token's id: the one that was asked for, or the call has failed.
    #[serde(default, deserialize_with = "text")]
    pub token_id: String,
    /// When it was discarded; `None` where the answer didn't say, as a 204 doesn't.
    #[serde(default)]
    pub discarded_at: Option<Timestamp>,
}

deserialize_from_object!(DiscardTokenResponse);
serialize_as_derived!(DiscardTokenResponse);

/// Reads a discard's answer, and compares its id with the one that was asked for.
pub(super) fn decode(answer: &Answer<'_>) -> Result<DiscardTokenResponse, DecodeError> {
    if answer.status() == StatusCode::NO_CONTENT {
        let asked = answer.path_parameter("token_id").unwrap_or_default();
        return Ok(DiscardTokenResponse { token_id: asked.into_owned(), discarded_at: None });
    }
    let discarded: DiscardTokenResponse = answer.json().or_else(|error| field_by_field(answer).ok_or(error))?;
    match answer.is_parameter("token_id", &discarded.token_id) {
        true => Ok(discarded),
        false if discarded.token_id.is_empty() => Err(DecodeError::unverified("it names no token")),
        false => Err(DecodeError::unverified("it names another token than the one to discard")),
    }
}

/// Reads the fields one by one, so that an odd time doesn't make a discard fail.
fn field_by_field(answer: &Answer<'_>) -> Option<DiscardTokenResponse> {
    let fields = answer.json_prefix::<Fields>().ok()?;
    let discarded_at = fields.text("discarded_at").as_deref().map(Timestamp::from);
    Some(DiscardTokenResponse { token_id: fields.text("token_id")?, discarded_at })
}

#[cfg(test)]
mod tests {
    use http::Response;
    use magicbell_middleware::Body;

    use super::*;

    const PATH: &str = "/jwt/user/{token_id}";

    fn read(status: u16, json: &'static str) -> Result<DiscardTokenResponse, DecodeError> {
        let response = Response::builder().status(status).body(Body::from(json)).unwrap();
        decode(&Answer::new(PATH, "/jwt/user/0a1B", &response))
    }

    #[test]
    fn the_fields_are_named_as_on_the_wire() {
        let discarded = read(200, r#"{"discarded_at":"2021-01-01T00:00:00Z","token_id":"0a1B"}"#).unwrap();
        assert_eq!(discarded.token_id, "0a1B");
        assert_eq!(discarded.discarded_at.unwrap().as_str(), "2021-01-01T00:00:00Z");
    }

    #[test]
    fn a_uuid_is_the_same_in_either_case_and_no_other_id_is() {
        let read = |path, json| decode(&Answer::new(PATH, path, &Response::new(Body::from(json))));
        let upper = r#"{"token_id":"550E8400-E29B-41D4-A716-44665544ABCD"}"#;
        assert!(read("/jwt/user/550e8400-e29b-41d4-a716-44665544abcd", upper).is_ok());
        for (path, json) in [
            ("/jwt/user/token-AbC", r#"{"token_id":"TOKEN-aBc"}"#),
            (
                "/jwt/user/550e8400-e29b-41d4-a716-44665544abcg",
                r#"{"token_id":"550E8400-E29B-41D4-A716-44665544ABCG"}"#,
            ),
            (
                "/jwt/user/550e8400e29b-41d4-a716-44665544abcd1",
                r#"{"token_id":"550E8400E29B-41D4-A716-44665544ABCD1"}"#,
            ),
        ] {
            assert!(read(path, json).unwrap_err().is_unverified(), "{path}");
        }
    }

    #[test]
    fn a_204_is_a_discard_without_a_time() {
        assert_eq!(read(204, ""), Ok(DiscardTokenResponse { token_id: "0a1B".into(), discarded_at: None }));
    }

    #[test]
    fn neither_an_odd_time_nor_what_follows_hides_the_id() {
        for json in
            [r#"{"token_id":"0a1B","discarded_at":["x"]}"#, r#"{"token_id":"0a1B","token_id":"0a1B"}, and more"#]
        {
            assert_eq!(read(200, json).unwrap().token_id, "0a1B", "{json}");
        }
    }

    #[test]
    fn that_no_token_is_named_is_told_from_that_another_is() {
        assert_eq!(read(200, "{}").unwrap_err().to_string(), "it names no token");
        let other = read(200, r#"{"token_id":"other"}"#).unwrap_err();
        assert_eq!(other.to_string(), "it names another token than the one to discard");
    }

    #[test]
    fn an_id_is_compared_as_it_was_given_and_not_as_it_was_sent() {
        let read = |json: &'static str| decode(&Answer::new(PATH, "/jwt/user/a%25b", &Response::new(Body::from(json))));
        assert_eq!(read(r#"{"token_id":"a%b"}"#).unwrap().token_id, "a%b");
        assert!(read(r#"{"token_id":"a%25b"}"#).unwrap_err().is_unverified(), "it is the id of another token");
    }

    #[test]
    fn another_id_or_none_is_not_a_discard() {
        for json in [r#"{"token_id":"other"}"#, r#"{"token_id":null}"#, "{}"] {
            assert!(read(200, json).unwrap_err().is_unverified(), "{json}");
        }
        for json in ["", "[]", "<html>", r#"["0a1B",null]"#] {
            assert!(!read(200, json).unwrap_err().is_unverified(), "{json}");
        }
    }
}

//! `POST /jwt/user`

use bon::Builder;
use magicbell_middleware::{Body, Operation};
use serde::Serialize;

use super::{CreateTokenResponse, Expiry, create_token_response, validation};
use crate::endpoint::{Answer, Endpoint, json};
use crate::error::{DecodeError, InvalidRequest};
use crate::nullable::Nullable;

/// Issues a token scoped to one user's permissions: `POST /jwt/user`.
///
/// For administrators only. The token is in this one answer and can't be had again; without an expiry it doesn't end.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::{Nullable, jwt::CreateUserJwt, testing::Server};
///
/// let server = Server::start().await?;
/// let request = CreateUserJwt::builder()
///     .external_id("user-42")
///     .email(Nullable::Null)
///     .expiry(3600)
///     .name("inbox")
///     .build();
/// let created = server.client().execute(request).await?;
/// assert!(!created.token.expose_secret().is_empty());
/// assert!(created.expires_at.is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Builder)]
#[builder(on(String, into), on(Nullable<_>, into))]
#[must_use = "a request does nothing until it is executed"]
#[non_exhaustive]
pub struct CreateUserJwt {
    /// The user's email address: at most 255 characters.
    #[builder(default)]
    #[serde(skip_serializing_if = "Nullable::is_absent")]
    pub email: Nullable<String>,
    /// The user's id in your own database: at most 255 characters. Give it where the email address isn't available.
    #[builder(default)]
    #[serde(skip_serializing_if = "Nullable::is_absent")]
    pub external_id: Nullable<String>,
    /// How long the token is valid for: seconds, or a `Duration` in whole seconds. At least 1.
    #[builder(default)]
    #[serde(skip_serializing_if = "Nullable::is_absent")]
    pub expiry: Nullable<Expiry>,
    /// A name to find the token by: at most 255 characters.
    #[builder(default)]
    #[serde(skip_serializing_if = "Nullable::is_absent")]
    pub name: Nullable<String>,
}

impl Endpoint for CreateUserJwt {
    type Response = CreateTokenResponse;
    const OPERATION: Operation = Operation::post("create_user_jwt", "/jwt/user");

    fn validate(&self) -> Result<(), InvalidRequest> {
        validation::nullable_text("email", &self.email)?;
        validation::nullable_text("external_id", &self.external_id)?;
        validation::expiry(&self.expiry)?;
        validation::nullable_text("name", &self.name)
    }

    fn body(&self) -> Result<Body, InvalidRequest> {
        json(self)
    }

    fn decode(answer: &Answer<'_>) -> Result<CreateTokenResponse, DecodeError> {
        create_token_response::decode(answer)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn body(request: &CreateUserJwt) -> String {
        String::from_utf8(request.body().unwrap().into_bytes().to_vec()).unwrap()
    }

    #[test]
    fn absent_null_and_value_are_three_states_on_the_wire() {
        assert_eq!(body(&CreateUserJwt::builder().build()), "{}");
        let null = CreateUserJwt::builder()
            .email(Nullable::Null)
            .external_id(Nullable::Null)
            .expiry(Nullable::Null)
            .name(Nullable::Null)
            .build();
        assert_eq!(body(&null), r#"{"email":null,"external_id":null,"expiry":null,"name":null}"#);
        let value = CreateUserJwt::builder().email("a@b.c").external_id("x").expiry(60).name("n").build();
        assert_eq!(body(&value), r#"{"email":"a@b.c","external_id":"x","expiry":60,"name":"n"}"#);
    }

    #[test]
    fn an_option_that_is_none_leaves_the_field_out() {
        let none: Option<String> = None;
        assert_eq!(body(&CreateUserJwt::builder().maybe_email(none).build()), "{}");
        assert_eq!(body(&CreateUserJwt::builder().maybe_email(Some("a")).build()), r#"{"email":"a"}"#);
    }

    #[test]
    fn an_expiry_is_seconds_or_a_duration() {
        for request in [
            CreateUserJwt::builder().expiry(3600).build(),
            CreateUserJwt::builder().expiry(3600_u64).build(),
            CreateUserJwt::builder().expiry(Duration::from_secs(3600)).build(),
        ] {
            assert_eq!(body(&request), r#"{"expiry":3600}"#);
        }
    }

    #[test]
    fn what_is_out_of_bounds_is_refused() {
        let long = "x".repeat(256);
        for (request, field) in [
            (CreateUserJwt::builder().email(&*long).build(), "email"),
            (CreateUserJwt::builder().external_id(&*long).build(), "external_id"),
            (CreateUserJwt::builder().name(&*long).build(), "name"),
            (CreateUserJwt::builder().expiry(0).build(), "expiry"),
            (CreateUserJwt::builder().expiry(-5).build(), "expiry"),
            (CreateUserJwt::builder().expiry(Duration::from_millis(999)).build(), "expiry"),
        ] {
            assert_eq!(request.validate().unwrap_err().field(), field);
        }
    }
}

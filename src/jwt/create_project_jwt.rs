//! `POST /jwt/project`

use bon::Builder;
use magicbell_middleware::{Body, Operation};
use serde::Serialize;

use super::{CreateTokenResponse, Expiry, create_token_response, validation};
use crate::endpoint::{Answer, Endpoint, json};
use crate::error::{DecodeError, InvalidRequest};
use crate::nullable::Nullable;

/// Makes a token with project-wide access: `POST /jwt/project`.
///
/// For administrators only. The token is in this one answer and can't be had again; without an expiry it doesn't end.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use magicbell::{jwt::CreateProjectJwt, testing::Server};
///
/// let server = Server::start().await?;
/// let request = CreateProjectJwt::builder().name("ci").expiry(Duration::from_secs(3600)).build();
/// let created = server.client().execute(request).await?;
/// assert!(!created.token_id.is_empty());
/// # Ok(())
/// # }
/// ```
///
/// The name is required:
///
/// ```compile_fail
/// let request = magicbell::jwt::CreateProjectJwt::builder().build();
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Builder)]
#[builder(on(String, into), on(Nullable<_>, into))]
#[must_use = "a request does nothing until it is executed"]
#[non_exhaustive]
pub struct CreateProjectJwt {
    /// A name to find the token by: at most 255 characters.
    pub name: String,
    /// How long the token is valid for: seconds, or a `Duration` in whole seconds. At least 1.
    #[builder(default)]
    #[serde(skip_serializing_if = "Nullable::is_absent")]
    pub expiry: Nullable<Expiry>,
}

impl Endpoint for CreateProjectJwt {
    type Response = CreateTokenResponse;
    const OPERATION: Operation = Operation::post("create_project_jwt", "/jwt/project");

    fn validate(&self) -> Result<(), InvalidRequest> {
        validation::text("name", &self.name)?;
        validation::expiry(&self.expiry)
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
    use super::*;

    #[test]
    fn the_body_is_as_the_service_wants_it() {
        let body = |request: CreateProjectJwt| request.body().unwrap().into_bytes();
        assert_eq!(body(CreateProjectJwt::builder().name("ci").build()), r#"{"name":"ci"}"#);
        let null = CreateProjectJwt::builder().name("ci").expiry(Nullable::Null).build();
        assert_eq!(body(null), r#"{"name":"ci","expiry":null}"#);
        assert_eq!(body(CreateProjectJwt::builder().name("ci").expiry(9).build()), r#"{"name":"ci","expiry":9}"#);
    }

    #[test]
    fn what_is_out_of_bounds_is_refused() {
        let long = CreateProjectJwt::builder().name("é".repeat(256)).build();
        assert_eq!(long.validate().unwrap_err().field(), "name");
        assert!(CreateProjectJwt::builder().name("é".repeat(255)).build().validate().is_ok());
        assert!(CreateProjectJwt::builder().name("x").expiry(0).build().validate().is_err());
    }
}

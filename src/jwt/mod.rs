//! The six operations of MagicBell's JwtService, one typed request each. All of them are for administrators: they need a
//! project token.
//!
//! | | list | create | discard |
//! |---|---|---|---|
//! | project tokens | [`FetchProjectTokens`] | [`CreateProjectJwt`] | [`DiscardProjectJwt`] |
//! | user tokens | [`FetchUserTokens`] | [`CreateUserJwt`] | [`DiscardUserJwt`] |
//!
//! Facts about the service are from its public documentation and its OpenAPI document, version 2.0.0.

// The service, for those who know MagicBell's other clients.
mod service;

// The operations.
mod create_project_jwt;
mod create_user_jwt;
mod discard_project_jwt;
mod discard_user_jwt;
mod fetch_project_tokens;
mod fetch_user_tokens;

// What they take and return.
mod access_token;
mod access_token_collection;
mod create_token_response;
mod discard_token_response;
mod expiry;
mod links;

// What they share.
mod discard_by_ref;
mod lenient;
mod validation;

pub use access_token::AccessToken;
pub use access_token_collection::{AccessTokenCollection, MalformedRow};
pub use create_project_jwt::{CreateProjectJwt, CreateProjectJwtBuilder};
pub use create_token_response::CreateTokenResponse;
pub use create_user_jwt::{CreateUserJwt, CreateUserJwtBuilder};
pub(crate) use discard_by_ref::DiscardByRef;
pub use discard_project_jwt::{DiscardProjectJwt, DiscardProjectJwtBuilder};
pub use discard_token_response::DiscardTokenResponse;
pub use discard_user_jwt::{DiscardUserJwt, DiscardUserJwtBuilder};
pub use expiry::Expiry;
pub use fetch_project_tokens::{FetchProjectTokens, FetchProjectTokensBuilder};
pub use fetch_user_tokens::{FetchUserTokens, FetchUserTokensBuilder};
pub use links::Links;
pub use service::JwtService;

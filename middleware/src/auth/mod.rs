//! Authorizes each attempt.
//!
//! [`AuthLayer`] asks its [`Credentials`] for every attempt, so that a token that was rotated in between is used at once. It
//! belongs innermost, where no other layer sees the token. The header is inserted, never appended, and marked sensitive.
//!
//! # Differences from tower-http's `AddAuthorizationLayer`
//!
//! Its `bearer` panics on a token that is no header value; [`bearer`] returns an error, and also refuses what a header could
//! carry but no server would take: a pasted `Bearer ` prefix, spaces, letters outside ASCII.
//!
//! A 401 is told to the credentials; where the next attempt would carry others, [`retry`](crate::retry) makes it, once a call. What
//! was refused is not sent again by it: where they give the same after all, the 401 stands.
//!
//! ```
//! use http::{Request, Response, header::AUTHORIZATION};
//! use magicbell_middleware::{Body, auth::{AuthLayer, RotatingCredentials, bearer}};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), magicbell_middleware::BoxError> {
//! let credentials = RotatingCredentials::new(bearer("first")?);
//! let service = ServiceBuilder::new()
//!     .layer(AuthLayer::new(credentials.clone()))
//!     .service_fn(async |request: Request<Body>| {
//!         assert_eq!(request.headers()[AUTHORIZATION], "Bearer second");
//!         Ok::<_, std::io::Error>(Response::new(Body::empty()))
//!     });
//! credentials.set(bearer("second")?);
//! service.oneshot(Request::new(Body::empty())).await?;
//! # Ok(())
//! # }
//! ```
mod bearer;
mod credentials;
mod fetched;
mod future;
mod layer;
mod rotating;

pub use bearer::{InvalidToken, bearer};
pub use credentials::Credentials;
pub use fetched::{Fetched, FetchedCredentials, FetchedFuture};
pub use future::ResponseFuture;
#[cfg(feature = "retry")]
pub(crate) use future::{Refused, RefusedAgain};
pub use layer::{Auth, AuthLayer};
pub use rotating::RotatingCredentials;

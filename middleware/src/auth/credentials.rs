//! Where the value comes from.

use std::future::{Ready, ready};

use http::HeaderValue;

use crate::BoxError;

/// Gives the value of the `Authorization` header, for each attempt anew.
///
/// A [`HeaderValue`] is one that doesn't change, and a closure that returns a future is one too.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), magicbell_middleware::BoxError> {
/// use magicbell_middleware::{BoxError, auth::{Credentials, bearer}};
///
/// let vault = || async {
///     // … asks a vault, for each attempt …
///     Ok::<_, BoxError>(bearer("a.token")?)
/// };
/// let authorization = vault.authorization().await?;
/// assert_eq!(authorization, "Bearer a.token");
/// assert!(!vault.refused(&authorization), "a 401 is final");
/// # Ok(())
/// # }
/// ```
pub trait Credentials: Send + Sync + 'static {
    /// The future of [`authorization`](Self::authorization).
    type Future: Future<Output = Result<HeaderValue, BoxError>> + Send + 'static;

    /// Returns the value for the next attempt; [`bearer`](super::bearer) makes one of a token. An error ends the attempt before it is sent.
    fn authorization(&self) -> Self::Future;

    /// Is told that the server refused a value with 401, and returns whether the next attempt would carry another one, as far as is
    /// known. If so, [`retry`](crate::retry) makes that attempt, once a call. Where it is given the refused value again, nothing is
    /// sent, and the 401 stands. False by default.
    fn refused(&self, authorization: &HeaderValue) -> bool {
        let _ = authorization;
        false
    }
}

/// A value that doesn't change; [`bearer`](super::bearer) makes one of a token.
impl Credentials for HeaderValue {
    type Future = Ready<Result<HeaderValue, BoxError>>;

    fn authorization(&self) -> Self::Future {
        ready(Ok(self.clone()))
    }
}

impl<F, R> Credentials for F
where
    F: Fn() -> R + Send + Sync + 'static,
    R: Future<Output = Result<HeaderValue, BoxError>> + Send + 'static,
{
    type Future = R;

    fn authorization(&self) -> R {
        self()
    }
}

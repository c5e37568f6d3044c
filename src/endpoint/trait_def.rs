//! The trait.

use std::borrow::Cow;

use magicbell_middleware::{Body, Operation};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Answer, Query};
use crate::error::{DecodeError, InvalidRequest};

/// A typed request: what it sends, and how its answer is read.
///
/// Each of the six operations in [`jwt`](crate::jwt) is one. For the rest of MagicBell's API, implement it for a type of your
/// own; [`Client::execute`](crate::Client::execute) sends it through the same stack.
///
/// ```
/// use std::borrow::Cow;
/// use magicbell::{Endpoint, Operation};
///
/// struct FetchUser {
///     user_id: String,
/// }
///
/// #[derive(serde::Deserialize)]
/// struct User {
///     email: Option<String>,
/// }
///
/// impl Endpoint for FetchUser {
///     type Response = User;
///     const OPERATION: Operation = Operation::get("fetch_user", "/users/{user_id}");
///
///     fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
///         (name == "user_id").then_some(Cow::Borrowed(&self.user_id))
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = magicbell::testing::Server::start().await?;
/// # server.on::<FetchUser>().answers(serde_json::json!({ "email": "hana@example.com" }));
/// # let client = server.client();
/// let user = client.execute(FetchUser { user_id: "hana".into() }).await?;
/// assert_eq!(user.email.as_deref(), Some("hana@example.com"));
/// # Ok(())
/// # }
/// ```
pub trait Endpoint {
    /// What a success is read into.
    type Response: DeserializeOwned + Send + 'static;

    /// Its name, method, path template and safety. Each `{name}` in the path is one segment.
    const OPERATION: Operation;

    /// Checks ids, bounds and shapes before anything is sent. What only the service can know is the service's to decide.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`] ends the call with [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest), and nothing is
    /// sent.
    fn validate(&self) -> Result<(), InvalidRequest> {
        Ok(())
    }

    /// Returns the value of a parameter of the path, not encoded: it is percent-encoded as one segment, so that it arrives as
    /// it is. An empty one, `.`, `..`, one with a control character in it, and one that isn't given are refused.
    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        let _ = name;
        None
    }

    /// Appends to the query.
    fn query(&self, query: &mut Query<'_>) {
        let _ = query;
    }

    /// Returns the body; [`json`] makes one of what serde can serialize. One that isn't empty is sent as `application/json`.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`] where it can't be made.
    fn body(&self) -> Result<Body, InvalidRequest> {
        Ok(Body::empty())
    }

    /// Reads a success. Reads JSON by default.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] where it can't be read: the call ends with [`ErrorKind::Decode`](crate::ErrorKind::Decode), or with
    /// [`ErrorKind::Unverified`](crate::ErrorKind::Unverified) where it speaks of something else than was asked for.
    fn decode(answer: &Answer<'_>) -> Result<Self::Response, DecodeError> {
        answer.json()
    }
}

/// A reference to a request is one too, so that it can be sent again and again.
impl<E: Endpoint> Endpoint for &E {
    type Response = E::Response;
    const OPERATION: Operation = E::OPERATION;

    fn validate(&self) -> Result<(), InvalidRequest> {
        (*self).validate()
    }

    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        (*self).path_parameter(name)
    }

    fn query(&self, query: &mut Query<'_>) {
        (*self).query(query);
    }

    fn body(&self) -> Result<Body, InvalidRequest> {
        (*self).body()
    }

    fn decode(answer: &Answer<'_>) -> Result<Self::Response, DecodeError> {
        E::decode(answer)
    }
}

/// Makes a body of what serde can serialize.
///
/// # Errors
///
/// [`InvalidRequest`] where it can't be serialized: a map whose keys aren't text, say.
pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Body, InvalidRequest> {
    // serde's error may echo a value, so its text isn't passed on.
    serde_json::to_vec(value).map(Body::from).map_err(|_| InvalidRequest::new("body", "it can't be written as JSON"))
}

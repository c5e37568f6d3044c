//! An answer that a test makes up, read as the client reads one.

use http::Response;
use magicbell_middleware::Body;

use crate::endpoint::{self, Endpoint};
use crate::error::DecodeError;

/// Reads a response as the answer to this request, with the endpoint's own [`decode`](Endpoint::decode): a unit test of that, without a
/// server.
///
/// ```
/// use std::borrow::Cow;
/// use http::Response;
/// use magicbell::testing::decode;
/// use magicbell::{Answer, DecodeError, Endpoint, Operation};
///
/// struct ExportUser(&'static str);
///
/// impl Endpoint for ExportUser {
///     type Response = String;
///     const OPERATION: Operation = Operation::get("export_user", "/users/{user_id}/export");
///
///     fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
///         (name == "user_id").then_some(Cow::Borrowed(self.0))
///     }
///
///     // CSV, of which the first column is the user's id.
///     fn decode(answer: &Answer<'_>) -> Result<String, DecodeError> {
///         let row = str::from_utf8(answer.body()).map_err(|_| DecodeError::new("it is not text"))?;
///         let is_asked_for = row.split(',').next() == answer.path_parameter("user_id").as_deref();
///         is_asked_for.then(|| row.to_owned()).ok_or_else(|| DecodeError::unverified("it is another user"))
///     }
/// }
///
/// let request = ExportUser("a/b");
/// assert_eq!(decode(&request, Response::new("a/b,hana@example.com"))?, "a/b,hana@example.com");
/// assert!(decode(&request, Response::new("c,omar@example.com")).unwrap_err().is_unverified());
/// # Ok::<_, DecodeError>(())
/// ```
///
/// # Errors
///
/// The endpoint's own.
///
/// # Panics
///
/// Where there would be no such answer to read: the request can't be sent as it is, or the status isn't a success.
#[track_caller]
#[expect(clippy::panic, reason = "an answer that can't come is a mistake of the test's")]
pub fn decode<E: Endpoint>(endpoint: &E, response: Response<impl Into<Body>>) -> Result<E::Response, DecodeError> {
    let name = E::OPERATION.name();
    let status = response.status();
    assert!(status.is_success(), "{name} reads no answer of {status}: the client makes an error of it");
    match endpoint::decode_for(endpoint, &response.map(Into::into)) {
        Ok(decoded) => decoded,
        Err(invalid) => panic!("{name} has no answer, since it can't be sent: {invalid}"),
    }
}

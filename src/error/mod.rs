//! What can go wrong, and what is known of the request then.

mod api_error;
mod causes;
mod decode_error;
mod display;
mod error_type;
mod from_stack;
mod invalid_request;
mod kind;
mod known_token;
mod redaction;

pub use api_error::ApiError;
pub use decode_error::DecodeError;
pub use error_type::Error;
pub use invalid_request::InvalidRequest;
pub use kind::ErrorKind;

pub(crate) use api_error::{is_no_answer, says_in_progress};
pub(crate) use causes::{CredentialsError, TlsError, TransportError};
pub(crate) use error_type::{REQUEST_ID, request_id};
pub(crate) use from_stack::Failure;
#[cfg(feature = "testing")]
pub(crate) use known_token::forms;
pub(crate) use redaction::Redactor;

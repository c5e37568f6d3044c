//! What an operation is: the trait that each request implements, and what it is given.

mod answer;
mod path;
mod query;
mod request;
mod trait_def;

pub use answer::Answer;
pub use query::Query;
pub use trait_def::{Endpoint, json};

pub(crate) use answer::decode;
#[cfg(feature = "testing")]
pub(crate) use answer::decode_for;
pub(crate) use path::Declared;
use path::decode_segment;
#[cfg(test)]
pub(crate) use request::build;
pub(crate) use request::{BaseUrl, build_into};

//! The client: settings, the stack, and one call through it.

mod builder;
mod call;
mod client_type;
mod extra;
#[cfg(feature = "_transport")]
mod from_env;
mod future;
mod headers;
mod layered;
mod optional;
mod response;
mod service;
mod stack;
mod stack_service;
mod whole;

pub use builder::ClientBuilder;
pub use call::Call;
pub use client_type::Client;
pub use future::{Execute, SendCall};
pub use response::Response;
pub use stack_service::StackService;

/// The typestate of [`ClientBuilder`], as bon makes it: for functions that are generic over it.
pub use builder::client_builder;

#![doc = include_str!("../README.md")]
#![doc = ""]
// Where the front page's links lead: a module that a feature brings is on docs.rs where it isn't here.
#![cfg_attr(feature = "blocking", doc = "[`blocking`]: mod@crate::blocking")]
#![cfg_attr(not(feature = "blocking"), doc = "[`blocking`]: https://docs.rs/magicbell/latest/magicbell/blocking/")]
#![cfg_attr(feature = "testing", doc = "[`testing`]: mod@crate::testing")]
#![cfg_attr(not(feature = "testing"), doc = "[`testing`]: https://docs.rs/magicbell/latest/magicbell/testing/")]
#![cfg_attr(docsrs, feature(doc_cfg))]
// A library neither panics on what it is given nor prints; its tests, its examples and its benches may.
#![warn(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::todo,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod any_text;
#[cfg(feature = "blocking")]
pub mod blocking;
mod client;
mod endpoint;
mod error;
#[cfg(any(doc, doctest))]
pub mod guide;
pub mod jwt;
mod nullable;
pub mod pagination;
mod rate_limit;
pub mod revocation;
mod scan;
mod secret;
#[cfg(feature = "testing")]
pub mod testing;
mod timestamp;
#[cfg(feature = "_transport")]
mod transport;

pub use client::{Call, Client, ClientBuilder, Execute, Response, SendCall, StackService, client_builder};
pub use endpoint::{Answer, Endpoint, Query, json};
pub use error::{ApiError, DecodeError, Error, ErrorKind, InvalidRequest};
pub use nullable::Nullable;
pub use rate_limit::RateLimit;
pub use secret::SecretToken;
pub use timestamp::Timestamp;

/// The layers, for a stack of your own: the crate `magicbell-middleware`.
pub use magicbell_middleware as middleware;
pub use magicbell_middleware::auth::{
    Credentials, Fetched, FetchedCredentials, InvalidToken, RotatingCredentials, bearer,
};
pub use magicbell_middleware::retry::{Backoff, RetryBudget, RetryPolicy};
pub use magicbell_middleware::timeout::Limit;
pub use magicbell_middleware::{Attempt, AttemptError, AttemptNumber, Body, BoxError, Operation, Outcome, Safety};

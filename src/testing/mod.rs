//! A fake of MagicBell's JwtService, for tests: real HTTP on loopback, with faults on demand.
//!
//! A [`Server`] keeps tokens in memory and behaves as the service's public documents say: the six
//! operations, credentials, validation, pages, idempotency keys and, where asked for, rate limits.
//! A [`Fault`] makes it misbehave: answer with another status, lose an answer after the operation was
//! applied, cut a body short, reset the connection. Afterwards it says what arrived.
//!
//! What the documents leave open, it decides like this:
//!
//! - A user's tokens are listed under the user's external id or, where there is none, the email address.
//! - Lists are oldest first. The id of a discarded token still serves as a cursor.
//! - Token ids are compared as text; an expired token can still be discarded.
//! - An idempotency key can't be used with another operation either.
//! - An expiry beyond the year 9999 is refused.
//!
//! Every answer but a verbatim one ([`Fault::response`], [`Fault::raw`]) has an `x-request-id`.
//!
//! ```
//! use magicbell::testing::{Fault, Server};
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let server = Server::start().await?;
//! let ids = server.add_user_tokens("hana", 3);
//! server.fail_next(Fault::status(503).on("discard_user_jwt"));
//!
//! // … here the code under test talks to `server.url()` with `server.token()`.
//!
//! assert_eq!(server.count("discard_user_jwt"), 0);
//! assert_eq!(server.is_discarded(&ids[0]), Some(false));
//! # std::io::Result::Ok(())
//! # }).unwrap();
//! ```

// What a test holds.
mod builder;
mod canary;
mod client;
mod inspection;
mod server;
mod settings;

// Connections, and what faults do to them.
mod accept;
mod connection;
mod exchange;
mod socket;
mod tasks;
mod transport;

// Faults.
mod fault;
mod fault_plan;
mod random;
mod raw_answer;

// The service.
mod answer;
mod idempotency;
mod operations;
mod page_query;
mod pages;
mod rate_limit;
mod router;
mod validation;

// What it keeps.
mod clock;
mod mint;
mod record;
mod request_log;
mod state;
mod stored_token;
mod tokens;

pub use builder::ServerBuilder;
pub use canary::assert_hidden;
pub use fault::Fault;
pub use request_log::ReceivedRequest;
pub use server::Server;
pub use stored_token::{StoredToken, TokenUser};
pub use transport::Transport;

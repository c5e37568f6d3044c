#![doc = include_str!("README.md")]

// What a test holds.
mod builder;
mod canary;
mod client;
mod decode;
mod expectations;
mod inspection;
mod script;
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
mod scripts;

// The service.
mod answer;
mod idempotency;
mod operations;
mod page_query;
mod pages;
mod rate_limit;
mod router;
mod template;
mod validation;

// What it keeps.
mod clock;
mod mint;
mod received_request;
mod record;
mod request_log;
mod state;
mod stored_token;
mod tokens;

pub use builder::ServerBuilder;
pub use canary::assert_hidden;
pub use decode::decode;
pub use fault::Fault;
pub use received_request::ReceivedRequest;
pub use script::Script;
pub use server::Server;
pub use stored_token::{StoredToken, TokenUser};
pub use transport::Transport;

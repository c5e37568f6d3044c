//! A client that waits: for scripts, and for services without an async runtime.
//!
//! The requests, the settings and the errors are those of the [async client](crate::Client); a call returns when it has its
//! answer.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let runtime = tokio::runtime::Runtime::new()?;
//! # let server = runtime.block_on(magicbell::testing::Server::start())?;
//! use magicbell::Client;
//! use magicbell::jwt::{CreateUserJwt, DiscardUserJwt, FetchProjectTokens};
//!
//! // On the real service: magicbell::blocking::Client::from_env()?
//! let client = Client::builder().token(server.token()).base_url(server.url()).build_blocking()?;
//!
//! let created = client.execute(CreateUserJwt::builder().external_id("user-42").expiry(3600).build())?;
//! client.execute(DiscardUserJwt::new(&created.token_id))?;
//!
//! for token in client.paginate(FetchProjectTokens::builder().limit(100).build()) {
//!     println!("{:?}", token?.id);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Many revocations, with one outcome an id:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let runtime = tokio::runtime::Runtime::new()?;
//! # let server = runtime.block_on(magicbell::testing::Server::start())?;
//! # let client = magicbell::Client::builder().token(server.token()).base_url(server.url()).build_blocking()?;
//! let leaked = server.add_user_tokens("hana", 50);
//! let report = client.jwt().discard_user_jwts(leaked).concurrency(8).run()?;
//! assert!(report.is_complete());
//!
//! for revocation in client.jwt().discard_user_jwts(server.add_user_tokens("omar", 50)).outcomes() {
//!     assert!(revocation?.outcome.is_revoked());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What has no method here is waited for by [`Client::wait`]: a plan, say, and its verification.
//!
//! # How it runs
//!
//! Each client has one thread, `magicbell`, which drives its sockets and timers, and which its clones share, as they share the
//! connections. A call itself runs on the thread that makes it: layers, credentials and ids are asked there, a panic of theirs
//! is the caller's, and limits on time hold although nobody is there to see to them. Any number of threads may call at once.
//!
//! - **In async code** a call would stop the thread that other tasks need, maybe the very one that it waits for. So it is refused
//!   before anything is sent, by an error of the kind [`Configuration`](crate::ErrorKind::Configuration): use the async client
//!   there, or [`tokio::task::spawn_blocking`], in which it works. That is known for tokio, but for what is in its
//!   `unconstrained`; elsewhere, a call that waits for its own thread ends with its limit on time.
//! - **Dropping** a client waits for nothing and panics nowhere, in async code neither. The thread ends with the last clone,
//!   iterator or call that needs it, and the connections with it.
//! - **After a fork** the child has no such thread. A call there is refused by an error of the same kind: make a new client.
//! - **Connections** live on the runtime where they were made. So don't use an async client side by side with the blocking one
//!   that was [made of it](Client::new), nor a clone that [`wait`](Client::wait) gave out.

mod call;
mod client;
mod driver;
mod iterators;
mod revocations;
mod service;

pub use call::Call;
pub use client::Client;
pub use iterators::{Outcomes, Paginated};
pub use revocations::Revocations;
pub use service::JwtService;

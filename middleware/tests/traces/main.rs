//! What a subscriber sees. It is a binary of its own, and its tests run one at a time: what a thread with another subscriber, or
//! none, comes to first can stay as that one wants it for a thread that has just got its own.

// Helpers outside of `#[test]` functions may unwrap too: a panic is how a test fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../integration/support.rs"]
#[allow(dead_code, reason = "the other binary uses the rest of it")]
mod support;

mod retry_events;
mod trace;

use tokio::sync::{Mutex, MutexGuard};
use tracing::Subscriber;
use tracing::subscriber::{DefaultGuard, set_default};

static ALONE: Mutex<()> = Mutex::const_new(());

/// While it is there, the subscriber is this thread's and no other test has one.
struct Subscribed {
    _default: DefaultGuard,
    _alone: MutexGuard<'static, ()>,
}

/// Makes a subscriber this thread's, once no other test has one.
async fn subscribe(subscriber: impl Subscriber + Send + Sync + 'static) -> Subscribed {
    let alone = ALONE.lock().await;
    Subscribed { _default: set_default(subscriber), _alone: alone }
}

//! By hand, and by the client.

use std::hint::black_box;
use std::time::Duration;

use magicbell::jwt::{CreateUserJwt, DiscardUserJwt, FetchUserTokens};
use magicbell::{Client, RateLimit, RotatingCredentials, bearer};
use tower::layer::util::Identity;

use super::by_hand::ByHand;
use super::in_memory::{ID, InMemory};
use super::{Run, each, now};

const TOKEN: &str = "a.project.token";

pub(crate) fn discard_by_hand() -> Run {
    let by_hand = ByHand::new(InMemory::discarded());
    each(move || drop(black_box(now(by_hand.discard(black_box(ID))))))
}

pub(crate) fn discard_by_hand_leanly() -> Run {
    let by_hand = ByHand::new(InMemory::discarded());
    each(move || drop(black_box(now(by_hand.discard_leanly(black_box(ID))))))
}

pub(crate) fn discard() -> Run {
    discard_by(Client::builder().token(TOKEN).transport(InMemory::discarded()).build().unwrap())
}

pub(crate) fn discard_with_settings() -> Run {
    let client = Client::builder().token(TOKEN).transport(InMemory::discarded()).build().unwrap();
    each(move || {
        let call = client.request(DiscardUserJwt::new(black_box(ID))).timeout(Duration::from_secs(5)).max_attempts(2);
        drop(black_box(now(call.send()).unwrap()));
    })
}

pub(crate) fn discard_with_concurrency_limit() -> Run {
    let builder = Client::builder().token(TOKEN).concurrency_limit(64);
    discard_by(builder.transport(InMemory::discarded()).build().unwrap())
}

/// So many a minute that nothing ever waits.
pub(crate) fn discard_with_rate_limit() -> Run {
    let builder = Client::builder().token(TOKEN).rate_limit(RateLimit::per_minute(u32::MAX, u32::MAX));
    discard_by(builder.transport(InMemory::discarded()).build().unwrap())
}

pub(crate) fn discard_with_credentials() -> Run {
    let builder = Client::builder().credentials(RotatingCredentials::new(bearer(TOKEN).unwrap()));
    discard_by(builder.transport(InMemory::discarded()).build().unwrap())
}

/// Layers that do nothing: what the slots cost.
pub(crate) fn discard_with_layers<const CALL: usize, const ATTEMPT: usize>() -> Run {
    let mut builder = Client::builder().token(TOKEN);
    for _ in 0..CALL {
        builder = builder.layer(Identity::new());
    }
    for _ in 0..ATTEMPT {
        builder = builder.attempt_layer(Identity::new());
    }
    discard_by(builder.transport(InMemory::discarded()).build().unwrap())
}

fn discard_by(client: Client) -> Run {
    each(move || drop(black_box(now(client.execute(DiscardUserJwt::new(black_box(ID)))).unwrap())))
}

pub(crate) fn create_by_hand() -> Run {
    let by_hand = ByHand::new(InMemory::created());
    each(move || drop(black_box(now(by_hand.create(black_box("user-42"))))))
}

pub(crate) fn create() -> Run {
    let client = Client::builder().token(TOKEN).transport(InMemory::created()).build().unwrap();
    let request = CreateUserJwt::builder().external_id("user-42").expiry(3600).name("inbox").build();
    each(move || drop(black_box(now(client.execute(black_box(&request))).unwrap())))
}

pub(crate) fn list_by_hand() -> Run {
    let by_hand = ByHand::new(InMemory::listed(100));
    each(move || drop(black_box(now(by_hand.list(black_box("u1"))))))
}

pub(crate) fn list() -> Run {
    let client = Client::builder().token(TOKEN).transport(InMemory::listed(100)).build().unwrap();
    let request = FetchUserTokens::builder().user_id("u1").limit(100).build();
    each(move || drop(black_box(now(client.execute(black_box(&request))).unwrap())))
}

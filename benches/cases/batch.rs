//! A batch of revocations, against a bare loop.

use magicbell::Client;
use magicbell::jwt::DiscardUserJwt;
use tokio::runtime::{Builder, Runtime};

use super::Run;
use super::in_memory::Discarding;

pub(crate) fn single_calls() -> Run {
    let (runtime, client) = (runtime(), client());
    Box::new(move |ids| {
        runtime.block_on(async {
            for id in self::ids(ids) {
                client.execute(DiscardUserJwt::new(id)).await.unwrap();
            }
        });
    })
}

pub(crate) fn in_flight<const CONCURRENCY: usize>() -> Run {
    let (runtime, client) = (runtime(), client());
    Box::new(move |ids| {
        let batch = client.jwt().discard_user_jwts(self::ids(ids)).concurrency(CONCURRENCY);
        let report = runtime.block_on(batch.run());
        assert!(report.failures.is_empty());
    })
}

/// Ids that differ: one that is in flight already would be sent once.
fn ids(count: u64) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("550e8400-e29b-41d4-a716-{number:012}"))
}

fn client() -> Client {
    Client::builder().token("a.project.token").transport(Discarding).build().unwrap()
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

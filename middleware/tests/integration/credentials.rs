//! Credentials that are fetched, when what they are fetched from is down.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use magicbell_middleware::auth::{Credentials as _, Fetched, FetchedCredentials, bearer};

/// Fetching before the end is there so that a fetch that fails has time to be made again.
#[tokio::test(start_paused = true)]
async fn a_value_that_still_holds_is_used_while_it_can_not_be_fetched_anew() {
    let fetches = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&fetches);
    let credentials = FetchedCredentials::new(move || {
        let is_first = counter.fetch_add(1, Ordering::Relaxed) == 0;
        async move {
            match is_first {
                true => Ok(Fetched::new(bearer("t0")?).valid_for(Duration::from_secs(100))),
                false => Err("the vault is down".into()),
            }
        }
    });
    assert_eq!(credentials.authorization().await.unwrap(), "Bearer t0");
    tokio::time::advance(Duration::from_secs(92)).await;
    let value = credentials.authorization().await;
    assert_eq!(fetches.load(Ordering::Relaxed), 2, "it is fetched before its end");
    assert_eq!(value.expect("it is valid for another 8 s"), "Bearer t0");
}

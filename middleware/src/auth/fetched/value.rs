//! What a fetch gave.

use std::time::Duration;

use http::HeaderValue;
use tokio::time::Instant;

use crate::auth::bearer::sensitive;

/// How long before its end a value is fetched anew, at most; a tenth of the time that it is valid for, if that is less.
const MARGIN: Duration = Duration::from_secs(60);

/// What a fetch gave: a value, and how long it is valid for.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), magicbell_middleware::BoxError> {
/// # use std::{sync::atomic::{AtomicU32, Ordering}, time::Duration};
/// # use magicbell_middleware::auth::{Credentials, Fetched, FetchedCredentials, bearer};
/// # static FETCHES: AtomicU32 = AtomicU32::new(0);
/// let credentials = FetchedCredentials::new(|| async {
///     FETCHES.fetch_add(1, Ordering::Relaxed);
///     Ok(Fetched::new(bearer("a.token")?).valid_for(Duration::from_secs(3600)))
/// });
/// for (seconds, fetches) in [(0, 1), (3500, 1), (50, 2)] {
///     tokio::time::advance(Duration::from_secs(seconds)).await;
///     credentials.authorization().await?;
///     assert_eq!(FETCHES.load(Ordering::Relaxed), fetches); // the second a little before the end of the first
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Fetched {
    pub(super) value: HeaderValue,
    fresh_until: Option<Instant>,
    valid_until: Option<Instant>,
}

impl Fetched {
    /// Takes a value that doesn't end; [`bearer`](crate::auth::bearer) makes one of a token.
    #[must_use]
    pub fn new(value: HeaderValue) -> Self {
        Self { value: sensitive(value), fresh_until: None, valid_until: None }
    }

    /// Says how long the value is valid for from now on. It is fetched anew before that: 60 s, or a tenth of it if that is less.
    #[must_use]
    pub fn valid_for(mut self, duration: Duration) -> Self {
        let now = Instant::now();
        self.fresh_until = now.checked_add(duration - MARGIN.min(duration / 10));
        self.valid_until = now.checked_add(duration);
        self
    }

    /// Says whether it need not be fetched anew yet.
    pub(super) fn is_fresh(&self) -> bool {
        self.fresh_until.is_none_or(|until| Instant::now() < until)
    }

    pub(super) fn is_valid(&self) -> bool {
        self.valid_until.is_none_or(|until| Instant::now() < until)
    }

    /// Takes it for fresh while somebody fetches it anew, for so long, and then for a tenth of the time that is left.
    pub(super) fn put_off(&mut self, fetching: Duration) {
        let Some(end) = self.valid_until else { return };
        let now = Instant::now();
        let pause = fetching + end.saturating_duration_since(now) / 10;
        self.fresh_until = now.checked_add(pause).map(|until| until.min(end));
    }
}

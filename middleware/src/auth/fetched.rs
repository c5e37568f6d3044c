//! Credentials that are fetched, and kept while they last.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};
use std::time::Duration;

use http::HeaderValue;
use sync_wrapper::SyncWrapper;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Credentials;
use super::bearer::sensitive;
use crate::BoxError;

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
    value: HeaderValue,
    fresh_until: Option<Instant>,
    valid_until: Option<Instant>,
}

impl Fetched {
    /// Takes a value that doesn't end; [`bearer`](super::bearer) makes one of a token.
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

    fn is_fresh(&self) -> bool {
        self.fresh_until.is_none_or(|until| Instant::now() < until)
    }

    fn is_valid(&self) -> bool {
        self.valid_until.is_none_or(|until| Instant::now() < until)
    }
}

/// Credentials that are fetched when they are first needed, kept while they last, and fetched anew before they end and after a
/// 401. However many attempts wait for a fetch, there is one. Clones share it.
///
/// Where a fetch fails, a value that is still valid is used on; without one, the attempt fails. The next one fetches again.
///
/// ```
/// use std::time::Duration;
/// use magicbell_middleware::auth::{Credentials, Fetched, FetchedCredentials, bearer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), magicbell_middleware::BoxError> {
/// let credentials = FetchedCredentials::new(|| async {
///     // … asks a vault …
///     Ok(Fetched::new(bearer("a.token")?).valid_for(Duration::from_secs(3600)))
/// });
/// assert_eq!(credentials.authorization().await?, "Bearer a.token");
/// # Ok(())
/// # }
/// ```
pub struct FetchedCredentials<F> {
    shared: Arc<Shared<F>>,
}

struct Shared<F> {
    fetch: F,
    /// Held while a fetch is under way, so that there is one.
    fetching: Mutex<()>,
    current: RwLock<Option<Fetched>>,
}

impl<F> FetchedCredentials<F> {
    /// Makes credentials of a function that fetches.
    pub fn new(fetch: F) -> Self {
        Self { shared: Arc::new(Shared { fetch, fetching: Mutex::new(()), current: RwLock::new(None) }) }
    }
}

impl<F> Shared<F> {
    fn fresh(&self) -> Option<HeaderValue> {
        self.kept(Fetched::is_fresh)
    }

    fn kept(&self, is_wanted: fn(&Fetched) -> bool) -> Option<HeaderValue> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().filter(|fetched| is_wanted(fetched)).map(|fetched| fetched.value.clone())
    }

    fn set(&self, fetched: Option<Fetched>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fetched;
    }
}

impl<F, R> Shared<F>
where
    F: Fn() -> R,
    R: Future<Output = Result<Fetched, BoxError>>,
{
    async fn fetched(&self) -> Result<HeaderValue, BoxError> {
        let _one_at_a_time = self.fetching.lock().await;
        // Somebody else may have fetched it while this one waited.
        if let Some(value) = self.fresh() {
            return Ok(value);
        }
        let fetched = match (self.fetch)().await {
            Ok(fetched) => fetched,
            // It is fetched before its end, so that a fetch that fails can be made again by then.
            Err(error) => return self.kept(Fetched::is_valid).ok_or(error),
        };
        let value = fetched.value.clone();
        self.set(Some(fetched));
        Ok(value)
    }
}

impl<F, R> Credentials for FetchedCredentials<F>
where
    F: Fn() -> R + Send + Sync + 'static,
    R: Future<Output = Result<Fetched, BoxError>> + Send + 'static,
{
    type Future = FetchedFuture;

    fn authorization(&self) -> FetchedFuture {
        if let Some(value) = self.shared.fresh() {
            return FetchedFuture(State::Kept(Some(value)));
        }
        let shared = Arc::clone(&self.shared);
        FetchedFuture(State::Fetching(SyncWrapper::new(Box::pin(async move { shared.fetched().await }))))
    }

    /// The refused value is given up, unless another has been fetched since.
    fn refused(&self, authorization: &HeaderValue) -> bool {
        let mut current = self.shared.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|fetched| fetched.value == *authorization) {
            *current = None;
        }
        true
    }
}

impl<F> Clone for FetchedCredentials<F> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<F> fmt::Debug for FetchedCredentials<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchedCredentials").finish_non_exhaustive()
    }
}

/// The future of [`FetchedCredentials`]: without a box while the value is kept.
pub struct FetchedFuture(State);

type Fetching = Pin<Box<dyn Future<Output = Result<HeaderValue, BoxError>> + Send>>;

enum State {
    Kept(Option<HeaderValue>),
    Fetching(SyncWrapper<Fetching>),
}

impl Future for FetchedFuture {
    type Output = Result<HeaderValue, BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Kept(value) => Poll::Ready(value.take().ok_or_else(|| "polled after completion".into())),
            State::Fetching(future) => future.get_mut().as_mut().poll(cx),
        }
    }
}

impl fmt::Debug for FetchedFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchedFuture").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::auth::bearer;

    type Fetch = Pin<Box<dyn Future<Output = Result<Fetched, BoxError>> + Send>>;

    /// Credentials whose tokens are numbered, valid for 100 s each, and take a second to fetch; and how many were fetched.
    fn numbered() -> (Arc<AtomicU32>, FetchedCredentials<impl Fn() -> Fetch + Send + Sync + 'static>) {
        let count = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&count);
        let credentials = FetchedCredentials::new(move || -> Fetch {
            let number = counter.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok(Fetched::new(bearer(&format!("t{number}"))?).valid_for(Duration::from_secs(100)))
            })
        });
        (count, credentials)
    }

    #[tokio::test(start_paused = true)]
    async fn however_many_wait_one_fetches() {
        let (count, credentials) = numbered();
        let waiting = (0..50).map(|_| tokio::spawn(credentials.authorization())).collect::<Vec<_>>();
        for value in waiting {
            assert_eq!(value.await.unwrap().unwrap(), "Bearer t0");
        }
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_fetched_anew_before_it_ends() {
        let (_, credentials) = numbered();
        assert_eq!(credentials.authorization().await.unwrap(), "Bearer t0");
        tokio::time::advance(Duration::from_secs(89)).await;
        assert_eq!(credentials.authorization().await.unwrap(), "Bearer t0");
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(credentials.authorization().await.unwrap(), "Bearer t1");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_value_is_given_up_and_a_newer_one_is_kept() {
        let (count, credentials) = numbered();
        let first = credentials.authorization().await.unwrap();
        assert!(credentials.refused(&first));
        assert_eq!(credentials.authorization().await.unwrap(), "Bearer t1");
        // A second call that was sent with the first value comes back late.
        assert!(credentials.refused(&first));
        assert_eq!(credentials.authorization().await.unwrap(), "Bearer t1");
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_fetch_that_is_dropped_leaves_room_for_the_next() {
        let (_, credentials) = numbered();
        let mut dropped = tokio_test::task::spawn(credentials.authorization());
        tokio_test::assert_pending!(dropped.poll());
        drop(dropped);
        assert_eq!(credentials.authorization().await.unwrap(), "Bearer t1");
    }

    #[tokio::test]
    async fn a_fetch_that_fails_is_not_kept() {
        let fail = AtomicU32::new(0);
        let credentials = FetchedCredentials::new(move || {
            let is_first = fail.fetch_add(1, Ordering::Relaxed) == 0;
            async move { if is_first { Err("sealed".into()) } else { Ok(Fetched::new(bearer("t")?)) } }
        });
        assert!(credentials.authorization().await.is_err());
        assert_eq!(credentials.authorization().await.unwrap(), "Bearer t");
    }
}

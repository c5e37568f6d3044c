//! Credentials that are fetched, and kept while they last.

mod kept;
mod value;

use std::fmt;
use std::pin::{Pin, pin};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::task::{Context, Poll};
use std::time::Duration;

use http::HeaderValue;
use sync_wrapper::SyncWrapper;
use tokio::sync::Mutex;
use tokio::time::timeout;

use self::kept::{Had, Kept};
use super::Credentials;
use crate::BoxError;

pub use self::value::Fetched;

/// How long an attempt waits for a fetch, at most, that it could do without.
const PATIENCE: Duration = Duration::from_secs(1);

/// Credentials that are fetched when they are first needed, kept while they last, and fetched anew before they end and after a
/// 401. However many attempts wait for a fetch, there is one, and they share what becomes of it. Clones share it.
///
/// Before the end of a value one attempt fetches it anew, and the others use it meanwhile. That one waits a second at most: where
/// the fetch takes longer, fails or is dropped, the value is used on while it is valid, and fetched again a little later, by another
/// attempt. Without a valid one, an attempt waits, and where the fetch fails it does too. The next one fetches again.
///
/// After a 401 the value is given up. Where the same one is fetched again, no attempt that met the 401 is sent again; and for 5 s
/// further 401s to it are final, without a fetch.
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
///
/// # Panics
///
/// The future of an attempt that fetches a value anew before its end, outside a tokio runtime whose time driver is enabled.
pub struct FetchedCredentials<F> {
    shared: Arc<Shared<F>>,
}

struct Shared<F> {
    fetch: F,
    /// Held while a fetch is under way, so that there is one. Where it is dropped, the next who waits makes another.
    fetching: Mutex<()>,
    kept: RwLock<Kept>,
}

impl<F> FetchedCredentials<F> {
    /// Makes credentials of a function that fetches.
    pub fn new(fetch: F) -> Self {
        Self { shared: Arc::new(Shared { fetch, fetching: Mutex::new(()), kept: RwLock::default() }) }
    }
}

impl<F> Shared<F> {
    fn read(&self) -> RwLockReadGuard<'_, Kept> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Kept> {
        self.kept.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks what can be had without a fetch, and how many had ended then.
    fn look(&self) -> (Had, u64) {
        let mut kept = self.write();
        (kept.look(), kept.ended())
    }
}

impl<F, R> Shared<F>
where
    F: Fn() -> R,
    R: Future<Output = Result<Fetched, BoxError>>,
{
    async fn authorization(&self) -> Result<HeaderValue, BoxError> {
        match self.look() {
            (Had::Value(value), _) => Ok(value),
            (Had::Ending(value), _) => self.fetched_anew(value).await,
            (Had::Nothing, ended) => self.fetched(ended).await,
        }
    }

    /// Waits for a fetch, or makes it.
    async fn fetched(&self, ended: u64) -> Result<HeaderValue, BoxError> {
        let _one_at_a_time = self.fetching.lock().await;
        // Somebody else's may have ended while this one waited.
        let given = self.read().given_since(ended);
        match given {
            Some(given) => given,
            None => {
                let result = (self.fetch)().await;
                self.write().end(result)
            }
        }
    }

    /// Fetches a value anew, but for no longer than it is worth while while there is another.
    async fn fetched_anew(&self, value: HeaderValue) -> Result<HeaderValue, BoxError> {
        let Ok(_one_at_a_time) = self.fetching.try_lock() else { return Ok(value) };
        let mut fetch = pin!((self.fetch)());
        let in_time = timeout(PATIENCE, fetch.as_mut()).await;
        let result = match in_time {
            Ok(result) => result,
            Err(_) => {
                let valid = self.read().valid();
                match valid {
                    Some(value) => return Ok(value),
                    None => fetch.await,
                }
            }
        };
        self.write().end(result)
    }
}

impl<F, R> Credentials for FetchedCredentials<F>
where
    F: Fn() -> R + Send + Sync + 'static,
    R: Future<Output = Result<Fetched, BoxError>> + Send + 'static,
{
    type Future = FetchedFuture;

    fn authorization(&self) -> FetchedFuture {
        if let Some(value) = self.shared.read().fresh() {
            return FetchedFuture(State::Kept(Some(value)));
        }
        let shared = Arc::clone(&self.shared);
        FetchedFuture(State::Fetching(SyncWrapper::new(Box::pin(async move { shared.authorization().await }))))
    }

    /// The refused value is given up, unless another has been fetched since, or the same one has just been fetched again.
    fn refused(&self, authorization: &HeaderValue) -> bool {
        self.shared.write().refuse(authorization)
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

//! How many requests a client sends at most.

use std::time::Duration;

use magicbell_middleware::pace::{Pace, Quota};

use crate::error::Error;

const MINUTE: Duration = Duration::from_secs(60);

/// How many requests a client sends at most in any minute: reads and writes apart. What is over it waits for its turn.
///
/// Clones share it, so that several clients of one project can keep one quota together.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use magicbell::testing::Server;
/// # let server = Server::start().await?;
/// # let (hana, omar) = (server.add_user_tokens("hana", 100), server.add_user_tokens("omar", 100));
/// # let start = tokio::time::Instant::now();
/// use magicbell::{Client, RateLimit};
///
/// let builder = || Client::builder().token(server.token()).base_url(server.url()).transport(server.transport());
/// // Half for these two, 100 writes a minute together; the other half stays with production.
/// let limit = RateLimit::published().share(0.5);
/// let job = builder().rate_limit(limit.clone()).build()?;
/// let another = builder().rate_limit(limit).build()?;
/// tokio::join!(job.jwt().discard_user_jwts(hana).run(), another.jwt().discard_user_jwts(omar).run());
/// assert!(start.elapsed().as_secs() > 100, "200 writes");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct RateLimit {
    reads: Quota,
    writes: Quota,
    pace: Pace,
    writes_a_minute: u32,
    problem: Option<&'static str>,
}

impl RateLimit {
    /// Keeps the service's published limits: 250 reads (GET, HEAD, OPTIONS) and 200 writes (the others) a minute for each
    /// project, by its public documentation. Enterprise customers can have more.
    #[must_use]
    pub fn published() -> Self {
        Self::per_minute(250, 200)
    }

    /// Keeps limits of your own, each at least 1.
    #[must_use]
    pub fn per_minute(reads: u32, writes: u32) -> Self {
        let problem = (reads == 0 || writes == 0).then_some("a rate limit must be at least 1 a minute");
        Self::new(Quota::per(reads, MINUTE), Quota::per(writes, MINUTE), writes, problem)
    }

    /// Takes a part of it, more than 0 and at most 1, and leaves the rest to others. The result is a limit of its own, not
    /// shared with the one that it was taken from.
    #[must_use]
    pub fn share(self, share: f64) -> Self {
        let is_share = share > 0.0 && share <= 1.0;
        let problem = (!is_share).then_some("a share of a rate limit must be more than 0 and at most 1");
        let writes_a_minute = (f64::from(self.writes_a_minute) * share) as u32;
        Self::new(self.reads.share(share), self.writes.share(share), writes_a_minute, self.problem.or(problem))
    }

    fn new(reads: Quota, writes: Quota, writes_a_minute: u32, problem: Option<&'static str>) -> Self {
        let writes_a_minute = writes_a_minute.max(1);
        Self { reads, writes, pace: Pace::new(reads, writes), writes_a_minute, problem }
    }

    /// Returns how many writes go in a minute once the twentieth that may go at once has gone: see [`Quota::per`].
    pub(crate) fn steady_writes_a_minute(&self) -> u32 {
        self.writes_a_minute - (self.writes_a_minute / 20).max(1) + 1
    }

    pub(crate) fn into_pace(self) -> Result<Pace, Error> {
        self.problem.map_or(Ok(self.pace), |problem| Err(Error::configuration(problem)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_share_or_no_limit_is_refused() {
        for limit in [
            RateLimit::published().share(0.0),
            RateLimit::published().share(-0.5),
            RateLimit::published().share(1.1),
            RateLimit::published().share(f64::NAN),
            RateLimit::per_minute(0, 1),
            RateLimit::per_minute(1, 0).share(0.5),
        ] {
            assert!(limit.into_pace().is_err());
        }
        assert!(RateLimit::published().share(1.0).into_pace().is_ok());
    }
}

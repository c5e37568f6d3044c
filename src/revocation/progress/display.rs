//! How far a batch has come, for a person.

use std::fmt;

use super::progress_type::MINUTE;
use super::{Estimate, Progress};
use crate::revocation::words::{Plain, Thousands};

/// Says in one line how far it has come: `1,200 of 10,000 (12 %), 200 in the last minute, about 44 min left (by the last minutes)`.
impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (done, total, elapsed) = (self.done(), self.total(), self.elapsed());
        let percent = (u128::from(done) * 100).checked_div(u128::from(total)).unwrap_or(100);
        write!(f, "{} of {} ({percent} %)", Thousands(done), Thousands(total))?;
        match self.history.window() {
            window if elapsed < window => {}
            MINUTE => write!(f, ", {} in the last minute", Thousands(self.recent()))?,
            window => write!(f, ", {} in the last {}", Thousands(self.recent()), Plain(window))?,
        }
        match self.estimate() {
            _ if self.left() == 0 => write!(f, ", {} in all", Plain(elapsed)),
            Some(Estimate { left, basis }) => write!(f, ", about {} left ({basis})", Plain(left)),
            None if done == 0 => Ok(()),
            None => f.write_str(", none for a while"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn it_reads_well() {
        let mut progress = Progress::new(2_000);
        for at in 0..200 {
            progress.record_at(seconds(f64::from(at) * 0.3), true);
        }
        tokio::time::advance(seconds(59.9)).await;
        assert_eq!(progress.to_string(), "200 of 2,000 (10 %), about 9 min left (by the published limit)");
        tokio::time::advance(seconds(0.1)).await;
        assert_eq!(
            progress.to_string(),
            "200 of 2,000 (10 %), 198 in the last minute, about 9 min left (by the last minutes)"
        );
        tokio::time::advance(seconds(600.0)).await;
        assert_eq!(progress.to_string(), "200 of 2,000 (10 %), 0 in the last minute, none for a while");
    }
}

//! What is known of a call that hasn't ended.

use std::time::Duration;

use http::uri::PathAndQuery;

use crate::Attempt;

/// What is known of a call that hasn't ended, told by its future: the one of [`Retry`](super::Retry), and those of the layers of this
/// crate that stand around it.
///
/// For a caller that gives a call up, or whose call ends in a panic, and who has put no [`CallContext`](crate::CallContext) into the
/// request, which costs an allocation.
pub trait InFlight {
    /// Returns what the attempts up to now met. One that is in flight is there too, with an unknown outcome.
    fn attempts(&self) -> Vec<Attempt>;

    /// Returns how long the call has taken since its first poll; no time before that.
    fn elapsed(&self) -> Duration;

    /// Returns the path and query that are asked for.
    fn path_and_query(&self) -> Option<&PathAndQuery>;
}

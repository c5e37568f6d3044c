//! A list that wasn't read, or didn't come to rest.

use std::fmt;

use crate::error::Error;

/// Why there is no plan, or no verification.
#[derive(Debug)]
#[non_exhaustive]
pub enum ListError<T> {
    /// A page could not be fetched, or the list can't be followed to its end.
    Failed(Error),
    /// No two passes over the list agreed. What was found is here all the same, so that nobody has to wait for quiet to revoke what
    /// is known; it may lack rows.
    Unsettled(Box<T>),
}

impl<T> ListError<T> {
    /// Returns what was found where no two passes agreed; `None` where the list could not be read.
    #[must_use]
    pub fn into_unsettled(self) -> Option<T> {
        match self {
            Self::Unsettled(found) => Some(*found),
            Self::Failed(_) => None,
        }
    }
}

impl<T> From<Error> for ListError<T> {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl<T> fmt::Display for ListError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(_) => f.write_str("the tokens can't be listed"),
            Self::Unsettled(_) => f.write_str("the list changed in every pass, so rows of it may have been skipped"),
        }
    }
}

impl<T: fmt::Debug> std::error::Error for ListError<T> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Failed(error) => Some(error),
            Self::Unsettled(_) => None,
        }
    }
}

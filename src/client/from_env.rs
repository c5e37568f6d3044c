//! A client from the environment.

use std::env::{self, VarError};

use super::Client;
use crate::error::Error;

impl Client {
    /// Makes a client from the environment: `MAGICBELL_PROJECT_TOKEN`, and `MAGICBELL_API_URL` for another base URL.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) where the token is not set, or one of the two can't be used.
    pub fn from_env() -> Result<Self, Error> {
        let token = variable("MAGICBELL_PROJECT_TOKEN")?
            .ok_or_else(|| Error::configuration("MAGICBELL_PROJECT_TOKEN is not set"))?;
        Self::builder().token(token).maybe_base_url(variable("MAGICBELL_API_URL")?).build()
    }
}

fn variable(name: &'static str) -> Result<Option<String>, Error> {
    match env::var(name) {
        Ok(value) if value.is_empty() => Err(Error::configuration(format!("{name} is set, and empty"))),
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        // Its own error would echo the value.
        Err(VarError::NotUnicode(_)) => Err(Error::configuration(format!("{name} is not UTF-8"))),
    }
}

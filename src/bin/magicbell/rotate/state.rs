//! How far a rotation has come, in a file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use magicbell::SecretToken;
use serde::{Deserialize, Serialize};

use crate::exit::Failure;
use crate::private_file;

/// How far a rotation has come. A token is made once this is written, and so is found by its name.
#[derive(Serialize, Deserialize)]
pub(super) struct State {
    pub(super) old_id: String,
    /// The new token's, and nobody else's.
    pub(super) name: String,
    /// The new token, once there is one.
    token: Option<String>,
}

impl State {
    pub(super) fn new(old_id: String, name: &str) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_nanos());
        Self { old_id, name: format!("{name} #{now:x}"), token: None }
    }

    pub(super) fn token(&self) -> Option<SecretToken> {
        self.token.as_deref().map(SecretToken::from)
    }

    pub(super) fn read(path: &Path) -> Result<Option<Self>, Failure> {
        match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|_| {
                // Its text may hold a token.
                Failure::bad_input(format_args!("{}: it is no rotation's", path.display()))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::file(path, &error)),
        }
    }

    /// Writes the first one. Where there is one by now, another rotation has begun.
    pub(super) fn create(&self, path: &Path) -> Result<(), Failure> {
        let written = private_file::create(path).and_then(|mut file| private_file::write(&mut file, &self.bytes()));
        written.map_err(|error| Failure::file(path, &error))
    }

    /// Keeps the token that was made.
    pub(super) fn keep(&mut self, token: &SecretToken, path: &Path) -> Result<(), Failure> {
        self.token = Some(token.expose_secret().to_owned());
        private_file::replace(path, &self.bytes()).map_err(|error| Failure::file(path, &error))
    }

    pub(super) fn remove(path: &Path) -> Result<(), Failure> {
        fs::remove_file(path).map_err(|error| Failure::file(path, &error))
    }

    fn bytes(&self) -> Vec<u8> {
        // Three texts: it can't fail.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// Where the state of a rotation is kept.
pub(super) fn path(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".rotation");
    name.into()
}

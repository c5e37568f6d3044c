//! Where requests go, and with which token.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgAction, Args};
use magicbell::{Client, RateLimit, RetryBudget, RetryPolicy, SecretToken, bearer};

use crate::exit::{Exit, Failure};
use crate::{traces, when};

const URL_VARIABLE: &str = "MAGICBELL_API_URL";
pub(crate) const TOKEN_VARIABLE: &str = "MAGICBELL_PROJECT_TOKEN";
/// The library's own default.
const BASE_URL: &str = "https://api.magicbell.com/v2";
/// The longest file that is read for a token.
const TOKEN_MAX: u64 = 64 * 1024;
/// How long an attempt may take at most.
const ATTEMPT: Duration = Duration::from_secs(10);
/// How many retries all calls together have in reserve: a batch meets many faults.
const RETRIES: u32 = 1_000;

/// Options of every command that sends something.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// Read the project token from a file
    #[arg(long, value_name = "FILE", conflicts_with = "token_stdin")]
    token_file: Option<PathBuf>,
    /// Read the project token from standard input
    #[arg(long)]
    pub(crate) token_stdin: bool,
    /// Where requests go [default: MAGICBELL_API_URL, or MagicBell's own]
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// How long a call may take, waits included
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = when::duration)]
    timeout: Duration,
    /// Connect through an HTTP proxy, which sees neither token nor ids [default: none, whatever the environment says]
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// Send at most so many writes a minute, and a quarter more reads [default: the published 200]
    #[arg(long, value_name = "N", default_value_t = 200, hide_default_value = true, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
    /// Take a part of the rate, and leave the rest to others
    #[arg(long, value_name = "PART", default_value_t = 1.0)]
    share: f64,
    /// Show calls and attempts on stderr; twice, waits too
    #[arg(short, long, action = ArgAction::Count)]
    verbose: u8,
}

impl Connection {
    /// Makes the client. Nothing is sent yet.
    pub(crate) fn client(&self, limit: RateLimit) -> Result<Client, Failure> {
        self.client_with(self.token()?, limit)
    }

    /// Makes a client for another token.
    pub(crate) fn client_with(&self, token: SecretToken, limit: RateLimit) -> Result<Client, Failure> {
        traces::show(self.verbose);
        let retry = RetryPolicy::builder().budget(RetryBudget::new(RETRIES)).build();
        let client = Client::builder()
            .token(token)
            .base_url(self.base_url())
            .timeout(self.timeout)
            .attempt_timeout(ATTEMPT.min(self.timeout))
            .retry(retry)
            .rate_limit(limit)
            .user_agent("magicbell-cli");
        Ok(client.maybe_proxy(self.proxy.as_deref()).build()?)
    }

    /// The limit that the client keeps. Its clones share it.
    pub(crate) fn rate_limit(&self) -> RateLimit {
        RateLimit::per_minute(self.rate.saturating_add(self.rate.div_ceil(4)), self.rate).share(self.share)
    }

    /// Where requests go. Once there is a client, it is known to hold no secret.
    pub(crate) fn base_url(&self) -> String {
        let variable = || std::env::var(URL_VARIABLE).ok().filter(|url| !url.is_empty());
        self.base_url.clone().or_else(variable).unwrap_or_else(|| BASE_URL.to_owned())
    }

    fn token(&self) -> Result<SecretToken, Failure> {
        let text = match &self.token_file {
            _ if self.token_stdin => {
                read(std::io::stdin().lock()).map_err(|error| unusable("standard input", error))?
            }
            Some(path) => {
                let read = fs::File::open(path).and_then(|file| {
                    warn_of_others(path, &file)?;
                    read(file)
                });
                read.map_err(|error| unusable(&path.display().to_string(), error))?
            }
            None => std::env::var(TOKEN_VARIABLE).unwrap_or_default().into(),
        };
        // A line's end, and nothing else: what is left must be a token as it is.
        let token = text.expose_secret();
        let token = token.strip_suffix('\n').map_or(token, |line| line.strip_suffix('\r').unwrap_or(line));
        if token.is_empty() {
            let message =
                "there is no project token: set MAGICBELL_PROJECT_TOKEN, or give --token-file or --token-stdin";
            return Err(Failure::new(Exit::BadCredentials, message));
        }
        bearer(token).map_err(|invalid| unusable("the project token", invalid))?;
        Ok(token.into())
    }
}

fn read(from: impl std::io::Read) -> std::io::Result<SecretToken> {
    let mut text = String::new();
    from.take(TOKEN_MAX).read_to_string(&mut text)?;
    Ok(text.into())
}

/// Says so where others than its owner can read a token's file.
#[cfg(unix)]
fn warn_of_others(path: &Path, file: &fs::File) -> std::io::Result<()> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata()?.permissions()) & 0o777;
    if mode & 0o077 != 0 {
        crate::exit::say(format_args!("magicbell: careful: others can read {} (mode {mode:o})", path.display()));
    }
    Ok(())
}

#[cfg(not(unix))]
fn warn_of_others(_: &Path, _: &fs::File) -> std::io::Result<()> {
    Ok(())
}

fn unusable(what: &str, error: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::BadCredentials, format!("{what}: {error}"))
}

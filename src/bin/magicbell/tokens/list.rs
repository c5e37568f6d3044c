//! `magicbell tokens list`

use std::fmt;
use std::io::Write as _;

use clap::Args;
use futures_util::{Stream, StreamExt as _};
use magicbell::jwt::{AccessToken, FetchProjectTokens, FetchUserTokens};
use magicbell::{Client, Error, Timestamp};

use crate::connection::Connection;
use crate::exit::{Exit, Failure, chain, say};
use crate::pause::Pause;
use crate::spinner::Spinner;
use crate::text::{Shown, json_line};

const PAGE_SIZE: u32 = 100;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  magicbell tokens list --project
  magicbell tokens list --user user-42 --json")]
pub(crate) struct List {
    #[command(flatten)]
    whose: Whose,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Whose {
    /// The project's tokens
    #[arg(long)]
    project: bool,
    /// A user's tokens
    #[arg(long, value_name = "ID")]
    user: Option<String>,
}

pub(crate) async fn run(list: List) -> Result<Exit, Failure> {
    let client = list.connection.client(list.connection.rate_limit())?;
    match list.whose.user {
        Some(user_id) => {
            let first = FetchUserTokens::builder().user_id(user_id).limit(PAGE_SIZE).build();
            print(&client, client.paginate(first), list.json).await
        }
        None => {
            let first = FetchProjectTokens::builder().limit(PAGE_SIZE).build();
            print(&client, client.paginate(first), list.json).await
        }
    }
}

/// Writes each row as it comes. One that can't be read is told, and the others come.
async fn print(
    client: &Client,
    mut tokens: impl Stream<Item = Result<AccessToken, Error>> + Unpin,
    json: bool,
) -> Result<Exit, Failure> {
    let mut out = std::io::stdout();
    let (mut count, mut failure) = (0_u64, None);
    let mut spinner = Spinner::new();
    if !json {
        writeln!(out, "{:<36}  {:<20}  {:<20}  NAME", "ID", "CREATED", "EXPIRES")?;
    }
    while let Some(token) = spinner.during(Listing(count, Pause::of_reads(client)), tokens.next()).await {
        // The rows may be on the same terminal.
        spinner.clear();
        match token {
            Ok(token) if json => out.write_all(json_line(&token).as_bytes())?,
            Ok(token) => writeln!(out, "{}", row(&token))?,
            Err(error) => {
                say(format_args!("magicbell: {}", chain(&error)));
                failure = Some(Failure::from(error));
                continue;
            }
        }
        count += 1;
    }
    spinner.clear();
    out.flush()?;
    say(Tokens(count));
    failure.map_or(Ok(Exit::Achieved), Err)
}

/// How many tokens have come, and why no more do.
struct Listing<'a>(u64, Pause<'a>);

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Tokens(self.0), self.1)
    }
}

struct Tokens(u64);

impl fmt::Display for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} token{}", self.0, if self.0 == 1 { "" } else { "s" })
    }
}

fn row(token: &AccessToken) -> String {
    let id = Shown(token.id.as_deref().unwrap_or("-")).to_string();
    let expires = token.expires_at.as_ref().map_or_else(|| "never".to_owned(), time);
    let name = Shown(token.name.as_deref().unwrap_or("-"));
    format!("{id:<36}  {:<20}  {expires:<20}  {name}", time(&token.created_at))
}

/// A time as the service wrote it, to the second where it is in UTC.
fn time(timestamp: &Timestamp) -> String {
    let text = timestamp.as_str();
    match text.split_once('.') {
        Some((seconds, fraction)) if timestamp.to_system_time().is_some() && fraction.ends_with('Z') => {
            format!("{}Z", Shown(seconds))
        }
        _ => Shown(text).to_string(),
    }
}

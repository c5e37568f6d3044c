//! `magicbell tokens create`

use std::fs::{self, File};
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use magicbell::jwt::{CreateProjectJwt, CreateTokenResponse, CreateUserJwt, DiscardProjectJwt, DiscardUserJwt, Expiry};
use magicbell::{Client, Error, Nullable, Outcome};

use crate::connection::Connection;
use crate::exit::{Exit, Failure, chain, say};
use crate::signals::Signals;
use crate::text::Shown;
use crate::{private_file, when};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  magicbell tokens create --project --name ci --expiry 30d --out ci.token
  magicbell tokens create --user --external-id user-42 --expiry 1h | deploy

The token is shown by the service this once. Where its answer can't be read, what arrived is saved and the path told.")]
pub(crate) struct Create {
    #[command(flatten)]
    kind: Kind,
    /// A name to find the token by; a project's token needs one
    #[arg(long, value_name = "NAME", required_if_eq("project", "true"))]
    name: Option<String>,
    /// The user's email address
    #[arg(long, value_name = "ADDRESS", conflicts_with = "project")]
    email: Option<String>,
    /// The user's id in your own database
    #[arg(long, value_name = "ID", conflicts_with = "project")]
    external_id: Option<String>,
    /// How long the token is valid: 30d, say. It doesn't end otherwise
    #[arg(long, value_name = "TIME", value_parser = when::duration)]
    expiry: Option<Duration>,
    /// Write the token to a new file that only its owner can read
    #[arg(long, value_name = "FILE", conflicts_with = "show")]
    out: Option<PathBuf>,
    /// Show the token on a terminal
    #[arg(long)]
    show: bool,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Kind {
    /// A token with access to the whole project
    #[arg(long)]
    project: bool,
    /// A token of one user
    #[arg(long)]
    user: bool,
}

pub(crate) async fn run(create: Create) -> Result<Exit, Failure> {
    if create.out.is_none() && !create.show && std::io::stdout().is_terminal() {
        return Err(Failure::bad_input("the token would be shown on the terminal: give --out FILE, or --show"));
    }
    let client = create.connection.client(create.connection.rate_limit())?;
    let mut signals = Signals::listen()?;
    // Before anything is sent: a token must have somewhere to go.
    let file = create.out.as_deref().map(|path| (path, private_file::create(path)));
    let file = match file {
        Some((path, file)) => Some((path, file.map_err(|error| Failure::file(path, &error))?)),
        None => None,
    };
    match signals.wait_for_answer(send(&client, &create)).await? {
        Ok(created) => hand_over(&client, &create, created, file).await,
        Err(error) => Err(rescue(&error, file)),
    }
}

async fn send(client: &Client, create: &Create) -> Result<CreateTokenResponse, Error> {
    let expiry = create.expiry.map_or(Nullable::Absent, |expiry| Nullable::Value(Expiry::from(expiry)));
    if create.kind.project {
        let name = create.name.clone().unwrap_or_default();
        return client.execute(CreateProjectJwt::builder().name(name).expiry(expiry).build()).await;
    }
    let request = CreateUserJwt::builder()
        .maybe_email(create.email.clone())
        .maybe_external_id(create.external_id.clone())
        .maybe_name(create.name.clone())
        .expiry(expiry)
        .build();
    client.execute(request).await
}

/// Writes the token to where it was to go. Where that fails, the token is discarded: nobody will ever have it.
async fn hand_over(
    client: &Client,
    create: &Create,
    created: CreateTokenResponse,
    file: Option<(&Path, File)>,
) -> Result<Exit, Failure> {
    let expires = created.expires_at.as_ref().map_or_else(|| "never".to_owned(), ToString::to_string);
    say(format_args!("created the token {}, which expires: {expires}", Shown(&created.token_id)));
    let line = format!("{}\n", created.token.expose_secret());
    let line = magicbell::SecretToken::from(line);
    let written = match file {
        Some((path, mut file)) => {
            let written = private_file::write(&mut file, line.expose_secret().as_bytes());
            written
                .map(|()| say(format_args!("it is in {}", path.display())))
                .map_err(|error| Failure::file(path, &error))
        }
        None => {
            let mut out = std::io::stdout();
            out.write_all(line.expose_secret().as_bytes()).and_then(|()| out.flush()).map_err(Failure::from)
        }
    };
    if let Err(failure) = written {
        discard(client, create, &created.token_id).await;
        return Err(failure);
    }
    Ok(Exit::Achieved)
}

async fn discard(client: &Client, create: &Create, token_id: &str) {
    let discarded = match create.kind.project {
        true => client.execute(DiscardProjectJwt::new(token_id)).await,
        false => client.execute(DiscardUserJwt::new(token_id)).await,
    };
    match discarded {
        Ok(_) => say("it can't be handed over, so it was discarded"),
        Err(error) => say(format_args!("it can't be handed over, and is live still: {}", chain(&error))),
    }
}

/// Saves what arrived of an answer that can't be read: the token may be in it. The file that waited for it is of no use otherwise.
fn rescue(error: &Error, file: Option<(&Path, File)>) -> Failure {
    let mut failure = Failure::of(error);
    let body = error.body().filter(|body| !body.is_empty() && error.status().is_some_and(|status| status.is_success()));
    let Some(body) = body else {
        if let Some((path, _)) = file {
            _ = fs::remove_file(path);
        }
        if error.outcome() == Outcome::Unknown {
            failure.add("a token may have been made: list the tokens, and revoke what nobody holds");
        }
        return failure;
    };
    let saved = match file {
        Some((path, mut file)) => private_file::write(&mut file, body).map(|()| path.to_owned()),
        None => private_file::save(body),
    };
    match saved {
        Ok(path) => failure.add(format_args!("the answer as it came is in {}: the token may be in it", path.display())),
        Err(error) => failure.add(format_args!("and the answer can't be saved: {error}")),
    }
    failure
}

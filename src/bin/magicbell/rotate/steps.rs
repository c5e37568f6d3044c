//! The steps of a rotation. Each can be done again.

use std::process::Stdio;

use magicbell::jwt::{CreateProjectJwt, DiscardProjectJwt, Expiry, FetchProjectTokens};
use magicbell::revocation::RevocationPlan;
use magicbell::{Client, Nullable, SecretToken};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::Rotate;
use super::state::{Begun, State};
use crate::exit::{Exit, Failure, say};
use crate::private_file;
use crate::text::Shown;

pub(super) struct Steps<'a> {
    rotate: &'a Rotate,
}

impl<'a> Steps<'a> {
    pub(super) fn new(rotate: &'a Rotate) -> Self {
        Self { rotate }
    }

    /// Finds out which token is the old one. Nothing is made unless that is known.
    pub(super) async fn begin(&self) -> Result<Begun, Failure> {
        let listed = list(&self.old()?).await?;
        let own = listed.own_token().map(|own| own.id.as_str());
        let old_id = match (&self.rotate.old_id, own) {
            (Some(given), Some(own)) if !given.eq_ignore_ascii_case(own) => {
                return Err(Failure::bad_input(format_args!("--old-id: the token in use is {}", Shown(own))));
            }
            (_, Some(own)) => own,
            (Some(given), None) => listed
                .ids()
                .find(|id| id.eq_ignore_ascii_case(given))
                .ok_or_else(|| Failure::bad_input("--old-id: the project has no such token"))?,
            (None, None) => return Err(Failure::bad_input("which token is in use isn't in it: give --old-id")),
        };
        Ok(Begun::new(old_id.to_owned(), &self.rotate.name))
    }

    /// Makes the new token. Where an earlier try may have made one that nobody holds, that is discarded first.
    pub(super) async fn make(
        &self,
        begun: &Begun,
        is_resumed: bool,
        state: &mut State,
    ) -> Result<SecretToken, Failure> {
        let client = self.old()?;
        if is_resumed {
            for orphan in list(&client).await?.tokens().iter().filter(|token| token.name.as_ref() == Some(&begun.name))
            {
                say(format_args!("discarding {}, which was made and never arrived", Shown(&orphan.id)));
                client.execute(DiscardProjectJwt::new(&orphan.id)).await?;
            }
        }
        let expiry = self.rotate.expiry.map_or(Nullable::Absent, |expiry| Nullable::Value(Expiry::from(expiry)));
        let request = CreateProjectJwt::builder().name(&begun.name).expiry(expiry).build();
        let created = client.execute(request).await?;
        state.keep(&created.token)?;
        say(format_args!("made the token {}", Shown(&created.token_id)));
        Ok(created.token)
    }

    /// Proves that the new token works, and hands it over.
    pub(super) async fn hand_over(&self, new: &SecretToken) -> Result<(), Failure> {
        self.new_client(new)?.execute(FetchProjectTokens::builder().limit(1).build()).await?;
        let line = SecretToken::from(format!("{}\n", new.expose_secret()));
        let out = &self.rotate.out;
        private_file::replace(out, line.expose_secret().as_bytes()).map_err(|error| Failure::file(out, &error))?;
        say(format_args!("it works, and is in {}", out.display()));
        match &self.rotate.hand_to {
            Some(command) => hand_to(command, &line).await,
            None => Ok(()),
        }
    }

    /// Discards the old token, by the new one: if that doesn't work any more, nothing is lost.
    pub(super) async fn discard_old(&self, new: &SecretToken, old_id: &str) -> Result<(), Failure> {
        match self.new_client(new)?.execute(DiscardProjectJwt::new(old_id)).await {
            Ok(_) => say(format_args!("discarded the old token, {}", Shown(old_id))),
            Err(error) if error.is_not_found() && error.has_api_envelope() => {
                say(format_args!("the old token, {}, is gone already", Shown(old_id)));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn old(&self) -> Result<Client, Failure> {
        self.rotate.connection.client(self.rotate.connection.rate_limit())
    }

    fn new_client(&self, token: &SecretToken) -> Result<Client, Failure> {
        let connection = &self.rotate.connection;
        connection.client_with(token.clone(), connection.rate_limit())
    }
}

/// Lists the project's tokens until two passes agree: one that is missed would be lost, or found out too late.
async fn list(client: &Client) -> Result<RevocationPlan, Failure> {
    Ok(client.jwt().select_project_tokens().plan().await?)
}

/// Runs a command with the token on its standard input.
async fn hand_to(command: &str, line: &SecretToken) -> Result<(), Failure> {
    let failed = |problem: String| Failure::new(Exit::Failed, format!("the command of --hand-to: {problem}"));
    let io_failed = |error: std::io::Error| failed(error.to_string());
    let (shell, option) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut command = {
        let mut shell = Command::new(shell);
        shell.arg(option).arg(command).stdin(Stdio::piped());
        shell
    };
    let mut child = command.spawn().map_err(io_failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A command that doesn't read it all may still do its work.
        _ = stdin.write_all(line.expose_secret().as_bytes()).await;
    }
    let status = child.wait().await.map_err(io_failed)?;
    if status.success() { Ok(()) } else { Err(failed(format!("it ended with {status}, so the old token stays"))) }
}

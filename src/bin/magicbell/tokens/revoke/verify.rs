//! Looks afterwards whether they are gone.

use std::collections::HashSet;
use std::sync::Arc;

use magicbell::Client;
use magicbell::revocation::{ListError, StopReason, Verification};

use super::batch::Ran;
use super::plan::{Kind, Narrowing, Plan};
use crate::exit::{chain, say};
use crate::pause::Pause;
use crate::signals::Signals;
use crate::spinner::Spinner;
use crate::text::Shown;

/// What is known afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verified {
    /// None is listed any more.
    Clean,
    /// None is listed any more, but others are that would have been revoked too.
    MadeMeanwhile,
    /// Some are listed still, or may be.
    Survivors,
    /// It can't be looked up.
    Not,
    /// Ctrl-C.
    Stopped,
}

/// Lists again, where the plan says which list, and nobody has asked to stop.
pub(super) async fn verify(client: &Client, plan: &Plan, ran: &Ran, signals: &mut Signals) -> Verified {
    if matches!(ran.report.stopped, Some(StopReason::Requested | StopReason::Unauthorized)) {
        say("not verified: it was stopped");
        return Verified::Not;
    }
    tokio::select! {
        verified = look(client, plan) => verified,
        () = signals.next() => {
            say("not verified: stopped");
            Verified::Stopped
        }
    }
}

async fn look(client: &Client, plan: &Plan) -> Verified {
    if plan.may_lack_some() {
        say("CAREFUL: the plan may have lacked tokens; plan again");
    }
    match plan {
        Plan::Listed { plan: listed, kept, narrowing, .. } => match listing(client, listed.verify(client)).await {
            Ok(verification) => tell(verification, kept.as_deref(), narrowing),
            Err(ListError::Unsettled(verification)) => tell(*verification, kept.as_deref(), narrowing),
            Err(error) => not_verified(error, listed.own_token().is_some() && kept.is_none()),
        },
        Plan::Ids { kind: Kind::User, .. } => {
            say("not verified: users' tokens are listed by user, and ids don't say whose they are");
            Verified::Not
        }
        Plan::Ids { kind: Kind::Project, ids, .. } => look_for(client, ids).await,
    }
}

fn tell(mut verification: Verification, kept: Option<&str>, narrowing: &Narrowing) -> Verified {
    if let Some(kept) = kept {
        verification.survivors.retain(|token| token.id != kept);
        verification.planned -= 1;
    }
    say(format_args!("{verification}"));
    let made = verification.created_during.iter().filter(|token| narrowing.takes(token)).count();
    if made > 0 {
        say(format_args!(
            "CAREFUL: {made} of those that were made meanwhile are live, and would be revoked too: plan again"
        ));
    }
    match (verification.is_clean(), made) {
        (true, 0) => Verified::Clean,
        (true, _) => Verified::MadeMeanwhile,
        (false, _) => Verified::Survivors,
    }
}

/// Lists, and shows that it does.
async fn listing<T>(client: &Client, list: impl IntoFuture<Output = T>) -> T {
    Spinner::new().during(format_args!("verifying{}", Pause::of_reads(client)), list.into_future()).await
}

/// Looks for project tokens by their ids.
async fn look_for(client: &Client, ids: &[String]) -> Verified {
    let wanted = ids.iter().map(|id| id.to_ascii_lowercase()).collect::<HashSet<_>>();
    let wanted = Arc::new(wanted);
    let is_wanted = move |row: &magicbell::jwt::AccessToken| {
        row.id.as_ref().is_some_and(|id| wanted.contains(&id.to_ascii_lowercase()))
    };
    let found = client.jwt().select_project_tokens().matching(is_wanted);
    let (found, agreed) = match listing(client, found.plan()).await {
        Ok(found) => (found, true),
        Err(ListError::Unsettled(found)) => (*found, false),
        Err(error) => return not_verified(error, false),
    };
    for id in found.ids().take(10) {
        say(format_args!("still listed: {}", Shown(id)));
    }
    say(format_args!("{} of the {} still listed", found.len(), ids.len()));
    if agreed && found.is_empty() && found.unreadable() == 0 { Verified::Clean } else { Verified::Survivors }
}

fn not_verified<T>(error: ListError<T>, own_is_gone: bool) -> Verified {
    match error {
        ListError::Failed(error) if own_is_gone && error.is_unauthorized() => {
            say("not verified: the token that this command uses is revoked too");
            return Verified::Not;
        }
        ListError::Failed(error) => say(format_args!("not verified: {}", chain(&error))),
        error => say(format_args!("not verified: {error}")),
    }
    Verified::Survivors
}

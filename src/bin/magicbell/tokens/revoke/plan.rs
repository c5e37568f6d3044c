//! What is going to be revoked.

use std::collections::HashSet;
use std::time::SystemTime;

use magicbell::revocation::{ListError, Progress, RevocationPlan, SelectedToken};
use magicbell::{Client, RateLimit};

use crate::exit::{Failure, say};
use crate::glob::Glob;
use crate::ids::Ids;
use crate::pause::Pause;
use crate::spinner::Spinner;
use crate::text::Shown;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    User,
    Project,
}

/// What the options ask for.
pub(super) enum Wanted {
    Ids { kind: Kind, ids: Ids, except: HashSet<String> },
    Listed { user_id: Option<String>, narrowing: Narrowing },
}

/// Which of a list.
pub(super) struct Narrowing {
    pub(super) created_before: Option<SystemTime>,
    pub(super) name_matches: Option<Glob>,
    pub(super) except: HashSet<String>,
}

impl Narrowing {
    /// Says whether a token is one of those that are meant; where that can't be told, it is.
    pub(super) fn takes(&self, token: &SelectedToken) -> bool {
        let is_late = self
            .created_before
            .is_some_and(|time| token.created_at.to_system_time().is_some_and(|created| created >= time));
        let has_name = |glob: &Glob| token.name.as_deref().is_some_and(|name| glob.matches(name));
        !is_late && self.name_matches.as_ref().is_none_or(has_name)
    }
}

/// What is going to be revoked.
pub(super) enum Plan {
    /// What a list has.
    Listed {
        plan: Box<RevocationPlan>,
        /// The token that this command uses, where it is among them and is kept.
        kept: Option<String>,
        /// Whether the list came to rest: otherwise rows of it may be missing.
        is_settled: bool,
        narrowing: Narrowing,
    },
    /// Ids that were given: nothing else is known of them.
    Ids { kind: Kind, ids: Vec<String>, repeated: usize, excepted: usize },
}

impl Plan {
    pub(super) async fn make(client: &Client, wanted: Wanted, include_own: bool) -> Result<Self, Failure> {
        match wanted {
            Wanted::Ids { kind, ids: Ids { ids, repeated, .. }, except } => {
                let given = ids.len();
                let ids = ids.into_iter().filter(|id| !except.contains(&id.to_ascii_lowercase())).collect::<Vec<_>>();
                Ok(Self::Ids { kind, repeated, excepted: given - ids.len(), ids })
            }
            Wanted::Listed { user_id, narrowing } => {
                let (plan, is_settled) = list(client, user_id, &narrowing).await?;
                let kept = plan.own_token().filter(|_| !include_own).map(|own| own.id.clone());
                Ok(Self::Listed { plan: Box::new(plan), kept, is_settled, narrowing })
            }
        }
    }

    /// How many tokens will be revoked.
    pub(super) fn count(&self) -> u64 {
        let count = match self {
            Self::Listed { plan, kept, .. } => plan.len() - usize::from(kept.is_some()),
            Self::Ids { ids, .. } => ids.len(),
        };
        count as u64
    }

    /// Whether tokens that are meant may be missing.
    pub(super) fn may_lack_some(&self) -> bool {
        matches!(self, Self::Listed { is_settled: false, .. })
    }

    /// Whether it is all of a project, or a part of that which nobody has named.
    pub(super) fn is_project_wide(&self) -> bool {
        matches!(self, Self::Listed { plan, .. } if plan.user_id().is_none())
    }

    /// Whether an id is that of the token that this command uses, and is kept.
    pub(super) fn keeps(&self, token_id: &str) -> bool {
        matches!(self, Self::Listed { kept: Some(kept), .. } if kept == token_id)
    }

    /// Shows on stderr what is going to be done.
    pub(super) fn show(&self, base_url: &str, limit: &RateLimit) {
        match self {
            Self::Listed { plan, kept, .. } => {
                say(format_args!("{plan}"));
                if let Some(kept) = kept {
                    let (kept, left) = (Shown(kept), self.count());
                    say(format_args!(
                        "  KEPT: {kept}, which this command uses, unless --include-own is given: {left} to revoke"
                    ));
                }
            }
            Self::Ids { kind, ids, repeated, excepted } => {
                let kind = if *kind == Kind::User { "user" } else { "project" };
                say(format_args!("{} {kind} tokens to revoke, by their ids", ids.len()));
                for (what, count) in [("given again and left out", *repeated), ("excepted", *excepted)] {
                    if count > 0 {
                        say(format_args!("  {what}: {count}"));
                    }
                }
            }
        }
        say(format_args!("  at {}", Shown(base_url)));
        if let Some(estimate) = Progress::new(self.count()).rate_limit(limit).estimate() {
            say(format_args!("  it will take {estimate}"));
        }
    }
}

/// Lists until two passes agree. Where none do, what was seen is the plan, and says so.
async fn list(
    client: &Client,
    user_id: Option<String>,
    narrowing: &Narrowing,
) -> Result<(RevocationPlan, bool), Failure> {
    let jwt = client.jwt();
    let mut selection = match user_id {
        Some(user_id) => jwt.select_user_tokens(user_id),
        None => jwt.select_project_tokens(),
    };
    if let Some(time) = narrowing.created_before {
        selection = selection.created_before(time);
    }
    if let Some(glob) = narrowing.name_matches.clone() {
        selection = selection.matching(move |row| row.name.as_deref().is_some_and(|name| glob.matches(name)));
    }
    let mut spinner = Spinner::new();
    let planned = spinner
        .during(
            format_args!("listing, until two passes agree{}", Pause::of_reads(client)),
            selection.except(&narrowing.except).plan(),
        )
        .await;
    spinner.clear();
    match planned {
        Ok(plan) => Ok((plan, true)),
        Err(ListError::Unsettled(seen)) => Ok((*seen, false)),
        Err(error) => Err(error.into()),
    }
}

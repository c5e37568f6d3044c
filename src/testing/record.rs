//! One token that the server keeps, and whose it is.

use std::sync::Arc;
use std::time::SystemTime;

use uuid::Uuid;

use super::stored_token::{StoredToken, TokenUser};

/// The name of a project token that a test seeded.
const SEEDED_NAME: &str = "Seeded";

/// A token without its text.
pub(super) struct Record {
    pub(super) id: Uuid,
    pub(super) name: Option<String>,
    pub(super) created_at: SystemTime,
    pub(super) expires_at: Option<SystemTime>,
    pub(super) discarded_at: Option<SystemTime>,
    /// `None` for a project token.
    pub(super) user: Option<Arc<TokenUser>>,
}

/// Whose tokens a list shows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owner<'a> {
    Project,
    User(&'a str),
}

/// The two kinds of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Project,
    User,
}

impl Record {
    /// A token that never expires.
    pub(super) fn new(name: Option<String>, user: Option<Arc<TokenUser>>, now: SystemTime) -> Self {
        Self { id: Uuid::new_v4(), name, created_at: now, expires_at: None, discarded_at: None, user }
    }

    pub(super) fn is_active(&self, now: SystemTime) -> bool {
        self.discarded_at.is_none() && self.expires_at.is_none_or(|expires_at| now < expires_at)
    }

    pub(super) fn kind(&self) -> Kind {
        if self.user.is_some() { Kind::User } else { Kind::Project }
    }

    pub(super) fn belongs_to(&self, owner: Owner<'_>) -> bool {
        match (owner, &self.user) {
            (Owner::Project, None) => true,
            (Owner::User(user_id), Some(user)) => user.user_id() == Some(user_id),
            _ => false,
        }
    }

    pub(super) fn stored(&self) -> StoredToken {
        StoredToken {
            token_id: self.id.to_string(),
            name: self.name.clone(),
            user: self.user.as_deref().cloned(),
            created_at: self.created_at,
            expires_at: self.expires_at,
            discarded_at: self.discarded_at,
        }
    }
}

impl Owner<'_> {
    /// The name and the user of seeded tokens.
    pub(super) fn seeds(self) -> (Option<String>, Option<Arc<TokenUser>>) {
        match self {
            Self::Project => (Some(SEEDED_NAME.to_owned()), None),
            Self::User(user_id) => {
                let user = TokenUser { email: None, external_id: Some(user_id.to_owned()) };
                (None, Some(Arc::new(user)))
            }
        }
    }
}

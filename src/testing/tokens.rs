//! Keeps tokens: made, looked up and discarded, each in constant or logarithmic time.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::SystemTime;

use uuid::Uuid;

use super::mint;
use super::record::{Kind, Owner, Record};
use super::stored_token::{StoredToken, TokenUser};
use super::validation::NewToken;

/// All tokens ever made, and what finds them.
#[derive(Default)]
pub(super) struct Tokens {
    records: Vec<Record>,
    by_id: HashMap<Uuid, usize>,
    /// The project tokens that authenticate, by their text.
    by_text: HashMap<String, usize>,
    project: BTreeSet<usize>,
    users: HashMap<String, BTreeSet<usize>>,
}

impl Tokens {
    /// Makes a token and returns it with its text.
    pub(super) fn create(&mut self, new: NewToken, now: SystemTime) -> (&Record, String) {
        let NewToken { name, user, expires_at } = new;
        let is_project_token = user.is_none();
        let record = Record { expires_at, ..Record::new(name, user.map(Arc::new), now) };
        let text = mint::token(record.id);
        let index = self.push(record);
        if is_project_token {
            self.by_text.insert(text.clone(), index);
        }
        (&self.records[index], text)
    }

    /// Makes `count` tokens that nobody holds and returns their ids.
    pub(super) fn seed(&mut self, owner: Owner<'_>, count: usize, now: SystemTime) -> Vec<String> {
        self.records.reserve(count);
        self.by_id.reserve(count);
        let (name, user) = owner.seeds();
        let indexes = (0..count).map(|_| self.push(Record::new(name.clone(), user.clone(), now)));
        let indexes: Vec<_> = indexes.collect();
        indexes.into_iter().map(|index| self.records[index].id.to_string()).collect()
    }

    /// True where the text is that of a project token that is neither discarded nor expired.
    pub(super) fn authenticates(&self, text: &str, now: SystemTime) -> bool {
        let record = self.by_text.get(text).map(|&index| &self.records[index]);
        record.is_some_and(|record| record.is_active(now))
    }

    /// Discards a token; `None` where there is no such token of this kind, or no longer.
    pub(super) fn discard(&mut self, kind: Kind, id: &str, now: SystemTime) -> Option<()> {
        let index = self.index(id)?;
        let record = &mut self.records[index];
        if record.kind() != kind || record.discarded_at.is_some() {
            return None;
        }
        record.discarded_at = Some(now);
        let user = record.user.clone();
        if let Some(listed) = self.listed(user.as_deref()) {
            listed.remove(&index);
        }
        Some(())
    }

    /// Whether a token was discarded; `None` where there is no such token.
    pub(super) fn is_discarded(&self, id: &str) -> Option<bool> {
        self.index(id).map(|index| self.records[index].discarded_at.is_some())
    }

    /// Every token of the owner, oldest first, the discarded and expired ones too.
    pub(super) fn all(&self, owner: Owner<'_>) -> Vec<StoredToken> {
        self.records.iter().filter(|record| record.belongs_to(owner)).map(Record::stored).collect()
    }

    /// The positions of the owner's tokens that aren't discarded, oldest first.
    pub(super) fn undiscarded(&self, owner: Owner<'_>) -> Option<&BTreeSet<usize>> {
        match owner {
            Owner::Project => Some(&self.project),
            Owner::User(user_id) => self.users.get(user_id),
        }
    }

    /// The position of a token of this owner, discarded or not.
    pub(super) fn position(&self, owner: Owner<'_>, id: &str) -> Option<usize> {
        self.index(id).filter(|&index| self.records[index].belongs_to(owner))
    }

    /// The token at a position that this store gave out.
    pub(super) fn at(&self, position: usize) -> &Record {
        &self.records[position]
    }

    /// Ids are compared as text: a UUID written in another way is another id.
    fn index(&self, id: &str) -> Option<usize> {
        let parsed = Uuid::try_parse(id).ok()?;
        let same_text = parsed.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == id;
        if same_text { self.by_id.get(&parsed).copied() } else { None }
    }

    fn push(&mut self, record: Record) -> usize {
        let index = self.records.len();
        if let Some(listed) = self.listed(record.user.as_deref()) {
            listed.insert(index);
        }
        self.by_id.insert(record.id, index);
        self.records.push(record);
        index
    }

    /// The positions where a token is listed; `None` for a user without an id.
    fn listed(&mut self, user: Option<&TokenUser>) -> Option<&mut BTreeSet<usize>> {
        match user {
            None => Some(&mut self.project),
            Some(user) => user.user_id().map(|id| self.users.entry(id.to_owned()).or_default()),
        }
    }
}

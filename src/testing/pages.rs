//! Lists active tokens a page at a time, oldest first.

use std::collections::BTreeSet;
use std::time::SystemTime;

use http::StatusCode;
use serde::Serialize;

use super::answer::{self, Answer, Problem};
use super::clock;
use super::page_query::PageQuery;
use super::record::{Owner, Record};
use super::tokens::Tokens;

/// What a list is made from.
pub(super) struct Listing<'a> {
    pub(super) tokens: &'a Tokens,
    pub(super) owner: Owner<'a>,
    /// The raw path, for the links.
    pub(super) path: &'a str,
    pub(super) default_page_size: usize,
    pub(super) now: SystemTime,
}

/// An `AccessTokenCollection`.
#[derive(Serialize)]
struct Collection<'a> {
    data: Vec<AccessToken<'a>>,
    links: Links,
}

#[derive(Serialize)]
struct AccessToken<'a> {
    id: String,
    name: Option<&'a str>,
    created_at: String,
    /// Left out where there is none: MagicBell's TypeScript client refuses a `null` here.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    discarded_at: Option<String>,
}

/// Relative URLs; `next` and `prev` only where that page has a token.
#[derive(Serialize)]
struct Links {
    first: String,
    next: Option<String>,
    prev: Option<String>,
}

/// The positions between two cursors, neither of which is included.
struct Between {
    after: Option<usize>,
    before: Option<usize>,
}

impl Listing<'_> {
    /// Answers with the page, or with 422 where a cursor isn't the id of a token of this list.
    ///
    /// A discarded token's id is still a cursor, so a list can be discarded while it is read.
    /// With both cursors, the page begins after the first.
    pub(super) fn page(&self, query: &PageQuery) -> Answer {
        let between = match self.between(query) {
            Ok(between) => between,
            Err(problem) => return answer::unprocessable(&[problem]),
        };
        let positions = self.select(query, &between);
        let data = positions.iter().map(|&position| self.tokens.at(position).into()).collect();
        answer::json(StatusCode::OK, &Collection { data, links: self.links(query, &positions) })
    }

    fn between(&self, query: &PageQuery) -> Result<Between, Problem> {
        let after = self.cursor("starting_after", query.starting_after.as_deref())?;
        let before = self.cursor("ending_before", query.ending_before.as_deref())?;
        Ok(Between { after, before })
    }

    fn cursor(&self, field: &'static str, id: Option<&str>) -> Result<Option<usize>, Problem> {
        let Some(id) = id else { return Ok(None) };
        let position = self.tokens.position(self.owner, id);
        let unknown = || Problem::of_field(field, "unknown_cursor", format!("{field} is not a token of this list"));
        position.map(Some).ok_or_else(unknown)
    }

    fn select(&self, query: &PageQuery, between: &Between) -> Vec<usize> {
        let limit = query.limit.unwrap_or(self.default_page_size);
        if between.after.is_some() || between.before.is_none() {
            return self.active(between).take(limit).collect();
        }
        let mut positions: Vec<_> = self.active(between).rev().take(limit).collect();
        positions.reverse();
        positions
    }

    fn active(&self, between: &Between) -> impl DoubleEndedIterator<Item = usize> {
        let undiscarded = self.tokens.undiscarded(self.owner);
        let positions = undiscarded.into_iter().flat_map(|positions| between.range(positions));
        positions.filter(|&position| self.tokens.at(position).is_active(self.now))
    }

    fn links(&self, query: &PageQuery, positions: &[usize]) -> Links {
        let before = |&first: &usize| self.active(&Between { after: None, before: Some(first) }).next().map(|_| first);
        let after = |&last: &usize| self.active(&Between { after: Some(last), before: None }).next().map(|_| last);
        Links {
            first: self.link(query, None),
            next: positions.last().and_then(after).map(|last| self.link(query, Some(("starting_after", last)))),
            prev: positions.first().and_then(before).map(|first| self.link(query, Some(("ending_before", first)))),
        }
    }

    fn link(&self, query: &PageQuery, cursor: Option<(&str, usize)>) -> String {
        let limit = query.limit.map(|limit| format!("limit={limit}"));
        let cursor = cursor.map(|(name, position)| format!("{name}={}", self.tokens.at(position).id));
        let parameters: Vec<_> = limit.into_iter().chain(cursor).collect();
        let mark = if parameters.is_empty() { "" } else { "?" };
        format!("{}{mark}{}", self.path, parameters.join("&"))
    }
}

impl Between {
    /// The positions in the range; none where the cursors are in the wrong order.
    fn range<'a>(&self, positions: &'a BTreeSet<usize>) -> impl DoubleEndedIterator<Item = usize> + use<'a> {
        let start = self.after.map_or(0, |after| after + 1);
        let end = self.before.unwrap_or(usize::MAX).max(start);
        positions.range(start..end).copied()
    }
}

impl<'a> From<&'a Record> for AccessToken<'a> {
    fn from(record: &'a Record) -> Self {
        Self {
            id: record.id.to_string(),
            name: record.name.as_deref(),
            created_at: clock::rfc3339(record.created_at),
            expires_at: record.expires_at.map(clock::rfc3339),
            discarded_at: record.discarded_at.map(clock::rfc3339),
        }
    }
}

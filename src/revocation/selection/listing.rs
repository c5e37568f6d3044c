//! One pass over every page of a list.

use std::collections::HashSet;

use super::SelectedToken;
use super::choice::Sorted;
use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::{DecodeError, Error};
use crate::jwt::{AccessToken, FetchProjectTokens, FetchUserTokens};
use crate::pagination::{MAX_BARREN_PAGES, Paginate, no_end};

/// How many tokens a page has, unless said otherwise.
const PAGE_SIZE: u32 = 100;

/// Which list.
#[derive(Debug, Clone)]
pub(super) struct List {
    /// Whose tokens; `None` for the project's.
    pub(super) user_id: Option<String>,
    pub(super) page_size: u32,
}

impl List {
    pub(super) fn new(user_id: Option<String>) -> Self {
        Self { user_id, page_size: PAGE_SIZE }
    }

    /// Reads every page, and sorts each row.
    pub(super) async fn pass(
        &self,
        client: &Client,
        own_ids: &[String],
        sort: impl Fn(&AccessToken) -> Sorted,
    ) -> Result<Pass, Error> {
        let mut pass = Pass::default();
        match &self.user_id {
            Some(user_id) => {
                let first = FetchUserTokens::builder().user_id(user_id).limit(self.page_size).build();
                pass.read(client, first, own_ids, sort).await?;
            }
            None => {
                let first = FetchProjectTokens::builder().limit(self.page_size).build();
                pass.read(client, first, own_ids, sort).await?;
            }
        }
        Ok(pass)
    }
}

/// What a pass found.
#[derive(Debug, Default)]
pub(super) struct Pass {
    pub(super) chosen: Vec<SelectedToken>,
    pub(super) aside: Vec<SelectedToken>,
    /// The ids of all rows, chosen or not.
    pub(super) ids: HashSet<Box<str>>,
    /// How many rows can't be read, or have no id.
    pub(super) unreadable: u64,
}

impl Pass {
    /// Reads a list from its first page on: what [`Client::paginate`] does, but that it tells a row that can't be read from a page
    /// that can't be fetched, and waits a quota out.
    async fn read<E>(
        &mut self,
        client: &Client,
        first: E,
        own_ids: &[String],
        sort: impl Fn(&AccessToken) -> Sorted,
    ) -> Result<(), Error>
    where
        E: Paginate<Item = AccessToken>,
    {
        let mut cursors = HashSet::new();
        let mut barren_pages = 0;
        let mut call = client.request(&first).patient().send();
        loop {
            let page = E::page(call.await?.into_data());
            let before = self.ids.len();
            for row in page.items {
                self.take(row, own_ids, &sort);
            }
            barren_pages = if self.ids.len() > before { 0 } else { barren_pages + 1 };
            let cursor = match page.next {
                None => return Ok(()),
                Some(_) if barren_pages >= MAX_BARREN_PAGES => Err(no_end()),
                Some(cursor) => cursor.and_then(|cursor| match cursors.insert(cursor.clone()) {
                    true => Ok(cursor),
                    false => Err(DecodeError::new("the list repeats a cursor, so it would never end")),
                }),
            };
            let cursor = cursor.map_err(|error| Error::item(<E as Endpoint>::OPERATION.name(), error))?;
            call = client.request(first.with_cursor(cursor)).patient().send();
        }
    }

    fn take(
        &mut self,
        row: Result<AccessToken, DecodeError>,
        own_ids: &[String],
        sort: &impl Fn(&AccessToken) -> Sorted,
    ) {
        let has_id = |row: &AccessToken| row.id.as_ref().is_some_and(|id| !id.is_empty());
        let Some(mut row) = row.ok().filter(has_id) else {
            self.unreadable += 1;
            return;
        };
        let sorted = if is_discarded(&row) { Sorted::Left } else { sort(&row) };
        let id = row.id.take().unwrap_or_default();
        // A row may have shifted onto the next page.
        if !self.ids.insert(id.as_str().into()) {
            return;
        }
        let is_own = own_ids.iter().any(|own| own.eq_ignore_ascii_case(&id));
        match sorted {
            Sorted::Chosen => self.chosen.push(SelectedToken::new(id, row, is_own)),
            Sorted::Aside => self.aside.push(SelectedToken::new(id, row, is_own)),
            Sorted::Left => {}
        }
    }

    /// Says whether this pass, the later one, proves that the earlier one skipped no row, and chose the same.
    ///
    /// A row can only be skipped where one before it, which had been read, vanished and let the others move up. Such a one would
    /// be in the earlier pass and not in this one. Rows that came up meanwhile prove nothing and do no harm, unless they are
    /// chosen.
    pub(super) fn confirms(&self, earlier: &Self) -> bool {
        let chosen = |pass: &Self| pass.chosen.iter().map(|token| token.id.clone()).collect::<HashSet<_>>();
        earlier.ids.is_subset(&self.ids) && earlier.unreadable <= self.unreadable && chosen(earlier) == chosen(self)
    }
}

/// Says whether a row is that of a token that is gone: lists are of active ones, but a row can say otherwise. A time that can't be
/// read says nothing: the token is taken as live.
fn is_discarded(row: &AccessToken) -> bool {
    row.discarded_at.as_ref().is_some_and(|discarded_at| discarded_at.to_system_time().is_some())
}

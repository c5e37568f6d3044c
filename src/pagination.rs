//! Every page of a list, one item at a time.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::client::{Client, Execute};
use crate::endpoint::Endpoint;
use crate::error::{DecodeError, Error};
use crate::jwt::{AccessToken, AccessTokenCollection, FetchProjectTokens, FetchUserTokens, Links};

/// How many pages in a row may have nothing new.
pub(crate) const MAX_BARREN_PAGES: u32 = 100;

/// A list that comes in pages.
///
/// It is implemented by [`FetchProjectTokens`] and [`FetchUserTokens`]; implement it for a list of your own to have
/// [`Client::paginate`] read it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use futures_util::TryStreamExt;
/// use magicbell::pagination::{Page, Paginate};
/// # use magicbell::{Endpoint, Operation, Query, testing::Server};
/// # use serde_json::json;
/// # #[derive(serde::Deserialize)]
/// # struct User { id: String }
/// # #[derive(serde::Deserialize)]
/// # struct Users { users: Vec<User>, next: Option<String> }
/// # struct FetchUsers { after: Option<String> }
/// # impl Endpoint for FetchUsers {
/// #     type Response = Users;
/// #     const OPERATION: Operation = Operation::get("fetch_users", "/users");
/// #     fn query(&self, query: &mut Query<'_>) { query.append_some("after", self.after.as_deref()); }
/// # }
///
/// impl Paginate for FetchUsers {
///     type Item = User;
///
///     fn with_cursor(&self, cursor: String) -> Self {
///         Self { after: Some(cursor) }
///     }
///     fn page(page: Users) -> Page<User> {
///         Page { items: page.users.into_iter().map(Ok).collect(), next: page.next.map(Ok) }
///     }
///     fn id(user: &User) -> Option<&str> {
///         Some(&user.id)
///     }
/// }
/// # let server = Server::start().await?;
/// # server.on::<FetchUsers>()
/// #     .answers(json!({ "users": [{ "id": "hana" }], "next": "a cursor" }))
/// #     .answers(json!({ "users": [{ "id": "omar" }] }));
/// let users = server.client().paginate(FetchUsers { after: None }).try_collect::<Vec<_>>().await?;
/// assert_eq!(users.len(), 2);
/// # assert_eq!(server.received::<FetchUsers>()[1].query_parameter("after").as_deref(), Some("a cursor"));
/// # Ok(())
/// # }
/// ```
pub trait Paginate: Endpoint {
    /// What a page has many of.
    type Item: Send + 'static;

    /// Takes the end out of the first request, where it has one: the items from the one of this id on aren't listed. `None`, as by
    /// default, lists to the end.
    fn take_end(&mut self) -> Option<String> {
        None
    }

    /// Returns the request for the page after a cursor, with the same limit.
    fn with_cursor(&self, cursor: String) -> Self;

    /// Takes a page apart.
    fn page(page: Self::Response) -> Page<Self::Item>;

    /// Returns what tells an item from the others: one that comes a second time is left out, since pages shift while items are
    /// added and removed. `None` keeps it.
    fn id(item: &Self::Item) -> Option<&str>;
}

/// A page, taken apart.
///
/// ```
/// use magicbell::jwt::{AccessTokenCollection, FetchProjectTokens};
/// use magicbell::pagination::Paginate;
///
/// // A next page that can't be asked for is an error, and not the end of the list.
/// let json = r#"{"data":[{"id":"1","created_at":"2026-01-01T00:00:00Z"}],"links":{"next":"/elsewhere"}}"#;
/// let page = FetchProjectTokens::page(serde_json::from_str::<AccessTokenCollection>(json)?);
/// assert_eq!(page.items.len(), 1);
/// assert!(page.next.is_some_and(|next| next.is_err()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug)]
pub struct Page<T> {
    /// The page's items. One that can't be read is an error among the others.
    pub items: Vec<Result<T, DecodeError>>,
    /// The cursor of the next page, or why there is none although the page speaks of one; `None` on the last page.
    pub next: Option<Result<String, DecodeError>>,
}

impl<T> Page<T> {
    /// Makes a page of its items and its links: where a link leads on and there is no cursor in it, the list ends with an error
    /// rather than too soon.
    ///
    /// ```
    /// use magicbell::{jwt::Links, pagination::Page};
    ///
    /// let links: Links = serde_json::from_str(r#"{"next": "/users?starting_after=7"}"#)?;
    /// assert_eq!(Page::new([1, 2], &links).next.unwrap()?, "7");
    /// let links: Links = serde_json::from_str(r#"{"next": "/users?page=2"}"#)?;
    /// assert!(Page::new([1, 2], &links).next.unwrap().is_err());
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(items: impl IntoIterator<Item = T>, links: &Links) -> Self {
        let leads_on = links.next.as_ref().is_some_and(|next| !next.is_empty());
        let missing = || leads_on.then(|| Err(DecodeError::new("the next page's link has no cursor in it")));
        Self { items: items.into_iter().map(Ok).collect(), next: links.next_cursor().map(Ok).or_else(missing) }
    }
}

impl Client {
    /// Reads every page of a list, one item at a time, as they are asked for.
    ///
    /// An item that can't be read is an `Err`, and the stream goes on. A page that can't be fetched is an `Err` and the end; so
    /// is a cursor that comes a second time, a link without a cursor, and the hundredth page in a row with nothing new, so that a list that was cut short is never taken for
    /// a whole one. With `ending_before`, the list is read from its beginning and ends before that token; where it never comes,
    /// the end is an `Err` too. Requests go to the base URL alone, whatever a link says. An item whose id came before is left out; for
    /// that, the ids are remembered, about 70 bytes each for a UUID.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use futures_util::TryStreamExt;
    /// use magicbell::{jwt::FetchProjectTokens, testing::Server};
    ///
    /// let server = Server::start().await?;
    /// server.add_project_tokens(250);
    /// let mut tokens = server.client().paginate(FetchProjectTokens::builder().limit(100).build());
    /// let mut count = 0;
    /// while let Some(token) = tokens.try_next().await? {
    ///     assert!(token.id.is_some());
    ///     count += 1;
    /// }
    /// assert_eq!(count, 251);
    /// # Ok(())
    /// # }
    /// ```
    pub fn paginate<E: Paginate>(&self, mut first: E) -> Paginated<E> {
        Paginated {
            client: self.clone(),
            end: first.take_end(),
            first,
            next: Next::First,
            items: VecDeque::new(),
            cursors: HashSet::new(),
            ids: HashSet::new(),
            barren_pages: 0,
        }
    }
}

/// The stream of [`Client::paginate`].
///
/// Dropping it cancels what is in flight.
///
/// A page is fetched when an item of it is asked for, and no sooner:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use futures_util::{StreamExt, TryStreamExt};
/// use magicbell::{jwt::FetchProjectTokens, testing::Server};
///
/// let server = Server::start().await?;
/// server.add_project_tokens(1_000);
/// let tokens = server.client().paginate(FetchProjectTokens::builder().limit(100).build());
/// let first = tokens.take(100).try_collect::<Vec<_>>().await?;
/// assert_eq!(first.len(), 100);
/// server.assert_received::<FetchProjectTokens>(1);
/// # Ok(())
/// # }
/// ```
#[must_use = "streams do nothing unless polled"]
pub struct Paginated<E: Paginate> {
    client: Client,
    first: E,
    /// The id from which on nothing is listed.
    end: Option<String>,
    next: Next<E::Response>,
    items: VecDeque<Result<E::Item, DecodeError>>,
    cursors: HashSet<String>,
    ids: HashSet<Box<str>>,
    /// How many pages in a row have had nothing new, the one that is being read included.
    barren_pages: u32,
}

enum Next<T> {
    First,
    After(String),
    Fetching(Pin<Box<Execute<T>>>),
    Broken(DecodeError),
    End,
}

impl<E> Stream for Paginated<E>
where
    E: Paginate + Unpin,
    E::Item: Unpin,
{
    type Item = Result<E::Item, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            while let Some(item) = this.items.pop_front() {
                match item {
                    Ok(item) if this.is_end(&item) => {
                        this.items.clear();
                        this.next = Next::End;
                    }
                    Ok(item) if this.is_new(&item) => return Poll::Ready(Some(Ok(item))),
                    Ok(_) => {}
                    Err(error) => return Poll::Ready(Some(Err(Error::item(E::OPERATION.name(), error)))),
                }
            }
            match std::mem::replace(&mut this.next, Next::End) {
                Next::First => this.next = Next::Fetching(Box::pin(this.client.execute(&this.first))),
                Next::After(_) if this.barren_pages >= MAX_BARREN_PAGES => {
                    this.next = Next::Broken(no_end());
                }
                Next::After(cursor) => {
                    let request = this.first.with_cursor(cursor);
                    this.next = Next::Fetching(Box::pin(this.client.execute(request)));
                }
                Next::Fetching(mut fetching) => match fetching.as_mut().poll(cx) {
                    Poll::Ready(Ok(page)) => this.take(E::page(page)),
                    Poll::Ready(Err(error)) => {
                        this.end = None;
                        return Poll::Ready(Some(Err(error)));
                    }
                    Poll::Pending => {
                        this.next = Next::Fetching(fetching);
                        return Poll::Pending;
                    }
                },
                Next::Broken(error) => {
                    this.end = None;
                    return Poll::Ready(Some(Err(Error::item(E::OPERATION.name(), error))));
                }
                Next::End => match this.end.take() {
                    None => return Poll::Ready(None),
                    Some(_) => {
                        this.next = Next::Broken(DecodeError::new("the list ended before the item to end before"))
                    }
                },
            }
        }
    }
}

impl<E: Paginate> Paginated<E> {
    fn is_end(&mut self, item: &E::Item) -> bool {
        self.end.take_if(|end| E::id(item) == Some(end)).is_some()
    }

    fn is_new(&mut self, item: &E::Item) -> bool {
        // Rows whose id is empty can't be told apart, and are there all the same; a list of them alone may never end.
        if E::id(item) == Some("") {
            return true;
        }
        let is_new = E::id(item).is_none_or(|id| self.ids.insert(id.into()));
        if is_new {
            self.barren_pages = 0;
        }
        is_new
    }

    fn take(&mut self, page: Page<E::Item>) {
        self.items = page.items.into();
        self.barren_pages += 1;
        self.next = match page.next {
            None => Next::End,
            Some(Ok(cursor)) if self.cursors.insert(cursor.clone()) => Next::After(cursor),
            Some(Ok(_)) => Next::Broken(DecodeError::new("the list repeats a cursor, so it would never end")),
            Some(Err(error)) => Next::Broken(error),
        };
    }
}

/// Says that a list has had too many pages in a row with nothing new.
pub(crate) fn no_end() -> DecodeError {
    DecodeError::new(format!("{MAX_BARREN_PAGES} pages in a row had nothing new, so it may never end"))
}

impl<E: Paginate> fmt::Debug for Paginated<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paginated")
            .field("operation", &E::OPERATION.name())
            .field("pages", &self.cursors.len())
            .finish_non_exhaustive()
    }
}

fn take_apart(page: AccessTokenCollection) -> Page<AccessToken> {
    let malformed = page.malformed.into_iter().map(|row| Err(row.error));
    Page { items: page.data.into_iter().map(Ok).chain(malformed).collect(), ..Page::new([], &page.links) }
}

macro_rules! paginate_tokens {
    ($($request:ident)*) => {$(
        impl Paginate for $request {
            type Item = AccessToken;

            fn take_end(&mut self) -> Option<String> {
                self.ending_before.take()
            }

            fn with_cursor(&self, cursor: String) -> Self {
                Self { starting_after: Some(cursor), ..self.clone() }
            }

            fn page(page: AccessTokenCollection) -> Page<AccessToken> {
                take_apart(page)
            }

            fn id(token: &AccessToken) -> Option<&str> {
                token.id.as_deref()
            }
        }
    )*};
}

paginate_tokens!(FetchProjectTokens FetchUserTokens);

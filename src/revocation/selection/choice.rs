//! Which rows of a list are meant.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use crate::jwt::AccessToken;

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sorted {
    /// It is meant.
    Chosen,
    /// It isn't, and is kept to be reported.
    Aside,
    /// It isn't.
    Left,
}

type Predicate = Arc<dyn Fn(&AccessToken) -> bool + Send + Sync>;

/// Which rows are meant: those that meet all of this.
#[derive(Clone, Default)]
pub(super) struct Choice {
    pub(super) before: Option<SystemTime>,
    pub(super) since: Option<SystemTime>,
    /// Any of them; all names where there is none.
    pub(super) names: Vec<String>,
    /// In lower case.
    pub(super) except: HashSet<String>,
    pub(super) matching: Vec<Predicate>,
}

impl Choice {
    /// Sorts a row by all that is known of it. One whose time would decide and can't be read is put aside.
    pub(super) fn sort(&self, row: &AccessToken) -> Sorted {
        let is_named = self.names.is_empty() || self.names.iter().any(|name| row.name.as_ref() == Some(name));
        if !is_named || self.is_excepted(row) || !self.matching.iter().all(|matches| matches(row)) {
            return Sorted::Left;
        }
        if self.before.is_none() && self.since.is_none() {
            return Sorted::Chosen;
        }
        match row.created_at.to_system_time() {
            None => Sorted::Aside,
            Some(created) if self.is_in_time(created) => Sorted::Chosen,
            Some(_) => Sorted::Left,
        }
    }

    fn is_excepted(&self, row: &AccessToken) -> bool {
        // To be asked for each row of a long list, so without an allocation where there is nothing to compare.
        let is_among = |id: &String| self.except.contains(&id.to_ascii_lowercase());
        !self.except.is_empty() && row.id.as_ref().is_some_and(is_among)
    }

    fn is_in_time(&self, created: SystemTime) -> bool {
        self.before.is_none_or(|before| created < before) && self.since.is_none_or(|since| created >= since)
    }
}

impl fmt::Debug for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Choice")
            .field("before", &self.before)
            .field("since", &self.since)
            .field("names", &self.names)
            .field("except", &self.except)
            .field("matching", &self.matching.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn row(name: Option<&str>, created_at: &str) -> AccessToken {
        let name = name.map(str::to_owned);
        AccessToken { name, created_at: created_at.into(), ..AccessToken::default() }
    }

    fn at(seconds: u64) -> Option<SystemTime> {
        Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
    }

    #[test]
    fn a_time_is_before_or_since_and_never_guessed() {
        let choice = Choice { before: at(1_609_459_200), since: at(1_609_459_100), ..Choice::default() };
        let sort = |created_at| choice.sort(&row(None, created_at));
        assert_eq!(sort("2020-12-31T23:59:59Z"), Sorted::Chosen);
        assert_eq!(sort("2021-01-01T01:59:59+02:00"), Sorted::Chosen);
        assert_eq!(sort("2020-12-31T23:58:20Z"), Sorted::Chosen, "since is inclusive");
        assert_eq!(sort("2021-01-01T00:00:00Z"), Sorted::Left, "before is exclusive");
        assert_eq!(sort("2020-12-31T23:58:19Z"), Sorted::Left);
        for odd in ["", "yesterday", "1609459199", "2020-12-31"] {
            assert_eq!(sort(odd), Sorted::Aside, "{odd}");
        }
        assert_eq!(Choice::default().sort(&row(None, "yesterday")), Sorted::Chosen, "no time was asked about");
    }

    #[test]
    fn a_name_is_the_whole_name() {
        let choice = Choice { names: vec!["ci".into(), "cd".into()], ..Choice::default() };
        for (name, sorted) in [(Some("ci"), Sorted::Chosen), (Some("cd"), Sorted::Chosen), (Some("CI"), Sorted::Left)] {
            assert_eq!(choice.sort(&row(name, "x")), sorted);
        }
        assert_eq!(choice.sort(&row(None, "x")), Sorted::Left);
    }

    #[test]
    fn an_exception_holds_in_either_case_and_before_anything_else() {
        let choice = Choice { except: HashSet::from(["a-1".into()]), before: at(0), ..Choice::default() };
        let with_id = |id: &str| AccessToken { id: Some(id.to_owned()), ..row(None, "odd") };
        assert_eq!(choice.sort(&with_id("A-1")), Sorted::Left);
        assert_eq!(choice.sort(&with_id("a-2")), Sorted::Aside);
    }
}

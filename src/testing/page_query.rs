//! Reads the query of the two lists.

use super::answer::{self, Problem, Refusal};

/// The page that a request asks for; the cursors are token ids.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PageQuery {
    pub(super) limit: Option<usize>,
    pub(super) starting_after: Option<String>,
    pub(super) ending_before: Option<String>,
}

impl PageQuery {
    /// Reads a raw query. A parameter without a value counts as absent; of several with the same
    /// name, the first with a value counts; others are passed over.
    ///
    /// # Errors
    ///
    /// 422 where the limit isn't a whole number, or is less than 1.
    pub(super) fn parse(query: &str, max_page_size: usize) -> Result<Self, Refusal> {
        let mut page = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.is_empty()) {
            match name.as_ref() {
                "limit" if page.limit.is_none() => page.limit = Some(limit(&value)?.min(max_page_size)),
                "starting_after" => _ = page.starting_after.get_or_insert_with(|| value.into_owned()),
                "ending_before" => _ = page.ending_before.get_or_insert_with(|| value.into_owned()),
                _ => {}
            }
        }
        Ok(page)
    }
}

/// A limit too long for a number is only a large one, and is clamped like any other.
fn limit(value: &str) -> Result<usize, Refusal> {
    if !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refused("not_an_integer", "limit must be an integer"));
    }
    match value.parse().unwrap_or(usize::MAX) {
        0 => Err(refused("too_small", "limit must be at least 1")),
        limit => Ok(limit),
    }
}

fn refused(code: &'static str, message: &str) -> Refusal {
    answer::unprocessable(&[Problem::of_field("limit", code, message)]).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<PageQuery, u16> {
        PageQuery::parse(query, 100).map_err(|answer| answer.status().as_u16())
    }

    #[test]
    fn an_empty_value_is_an_absent_one() {
        assert_eq!(parse("limit=&starting_after=&ending_before"), Ok(PageQuery::default()));
    }

    #[test]
    fn a_limit_is_a_whole_number_from_one() {
        assert_eq!(parse("limit=7").map(|page| page.limit), Ok(Some(7)));
        for query in ["limit=undefined", "limit=0", "limit=-1", "limit=1.5", "limit=%2B5", "limit=+5"] {
            assert_eq!(parse(query), Err(422), "{query}");
        }
    }

    #[test]
    fn a_limit_above_the_maximum_is_clamped() {
        assert_eq!(parse("limit=101").map(|page| page.limit), Ok(Some(100)));
        assert_eq!(parse("limit=99999999999999999999999").map(|page| page.limit), Ok(Some(100)));
    }

    #[test]
    fn cursors_are_decoded_and_other_names_passed_over() {
        let page = parse("starting_after=a%2Db&page%5Bsize%5D=3&ending_before=c");
        let expected = PageQuery { limit: None, starting_after: Some("a-b".into()), ending_before: Some("c".into()) };
        assert_eq!(page, Ok(expected));
    }
}

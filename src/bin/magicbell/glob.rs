//! Names by a pattern.

/// A pattern for a whole name: `*` stands for any text, `?` for one character, all others for themselves.
#[derive(Debug, Clone)]
pub(crate) struct Glob(Vec<char>);

impl Glob {
    #[expect(clippy::unnecessary_wraps, reason = "clap wants a Result")]
    pub(crate) fn parse(pattern: &str) -> Result<Self, String> {
        Ok(Self(pattern.chars().collect()))
    }

    /// Says whether a name matches. It goes back to the last `*` alone, so the time it takes is bounded by the product of the
    /// lengths.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let name = name.chars().collect::<Vec<_>>();
        let (mut at, mut in_name) = (0, 0);
        let mut last_star = None;
        while in_name < name.len() {
            match self.0.get(at) {
                Some('*') => {
                    last_star = Some((at, in_name));
                    at += 1;
                }
                Some(char) if *char == '?' || *char == name[in_name] => (at, in_name) = (at + 1, in_name + 1),
                _ => {
                    let Some((star, taken)) = last_star else { return false };
                    last_star = Some((star, taken + 1));
                    (at, in_name) = (star + 1, taken + 1);
                }
            }
        }
        self.0[at..].iter().all(|char| *char == '*')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_for_the_whole_name() {
        let matches = |pattern: &str, name| Glob::parse(pattern).unwrap().matches(name);
        for (pattern, name) in [
            ("ci", "ci"),
            ("ci-*", "ci-"),
            ("*", ""),
            ("*-ci-*", "a-ci-ci-b"),
            ("c?", "cé"),
            ("a*b*c", "abbcbc"),
            ("", ""),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("ci", "ci-1"), ("ci", "CI"), ("?", ""), ("a*b", "abc"), ("[a]", "a"), ("", "a"), ("c?", "c")]
        {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        let pattern = "*a".repeat(500) + "b";
        assert!(!Glob::parse(&pattern).unwrap().matches(&"a".repeat(5_000)));
    }
}

//! Numbers, times and texts of the service, for a person to read.

use std::fmt;
use std::time::Duration;

/// The longest name or id of the service's that is shown.
const LONGEST: usize = 64;

/// A number with its thousands apart: `10,000`.
pub(super) struct Thousands(pub(super) u64);

impl fmt::Display for Thousands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let mut text = String::with_capacity(digits.len() + digits.len() / 3);
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        f.pad(&text)
    }
}

/// A time in its two largest units: `3 h 20 min`, `12 s`, `0.4 s`.
pub(super) struct Plain(pub(super) Duration);

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let units = [("d", seconds / 86_400), ("h", seconds / 3_600 % 24), ("min", seconds / 60 % 60)];
        match units {
            [(_, 0), (_, 0), (_, 0)] if seconds < 10 => write!(f, "{:.1} s", self.0.as_secs_f64()),
            [(_, 0), (_, 0), (_, 0)] => write!(f, "{seconds} s"),
            [(_, 0), (_, 0), (min, minutes)] => pair(f, minutes, min, seconds % 60, "s"),
            [(_, 0), (h, hours), (min, minutes)] => pair(f, hours, h, minutes, min),
            [(d, days), (h, hours), _] => pair(f, days, d, hours, h),
        }
    }
}

fn pair(f: &mut fmt::Formatter<'_>, large: u64, unit: &str, small: u64, small_unit: &str) -> fmt::Result {
    match small {
        0 => write!(f, "{large} {unit}"),
        _ => write!(f, "{large} {unit} {small} {small_unit}"),
    }
}

/// A number and its noun: `1 token`, `2 tokens`.
pub(super) struct Count(pub(super) u64, pub(super) &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.0 == 1 { "" } else { "s" };
        write!(f, "{} {}{plural}", Thousands(self.0), self.1)
    }
}

/// Text of the service's or the caller's, with anything that could steer a terminal escaped, and cut.
pub(super) struct Shown<'a>(pub(super) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0.chars();
        for char in left.by_ref().take(LONGEST) {
            if is_bidirectional(char) {
                write!(f, "{}", char.escape_unicode())?;
            } else {
                write!(f, "{}", char.escape_debug())?;
            }
        }
        if left.next().is_some() { f.write_str("…") } else { Ok(()) }
    }
}

/// Says whether a character reorders the text around it.
fn is_bidirectional(char: char) -> bool {
    matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What stands for an id that is a token: somebody's list held the tokens themselves.
const A_TOKEN: &str = "[a token, not an id]";

/// An id as it may be shown: a JWT that was given in its place isn't.
pub(super) fn shown_id(id: &str) -> &str {
    if looks_like_a_jwt(id) { A_TOKEN } else { id }
}

fn looks_like_a_jwt(id: &str) -> bool {
    id.trim_start().trim_start_matches("Bearer ").starts_with("eyJ") && id.contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(Thousands(number).to_string(), text);
        }
        assert_eq!(format!("{:>7}", Thousands(1_000)), "  1,000");
    }

    #[test]
    fn a_time_has_at_most_two_units() {
        let plain = |seconds| Plain(Duration::from_secs_f64(seconds)).to_string();
        assert_eq!(plain(0.44), "0.4 s");
        assert_eq!(plain(59.9), "59 s");
        assert_eq!(plain(60.0), "1 min");
        assert_eq!(plain(12_000.0), "3 h 20 min");
        assert_eq!(plain(86_400.0 * 84.0 + 3_600.0), "84 d 1 h");
        assert!(!Plain(Duration::MAX).to_string().is_empty());
    }

    #[test]
    fn a_text_can_not_steer_a_terminal_or_fill_it() {
        assert_eq!(Shown("a\u{1b}[2J\n").to_string(), r"a\u{1b}[2J\n");
        assert_eq!(Shown("\u{202e}x").to_string(), r"\u{202e}x");
        assert_eq!(Shown(&"x".repeat(100)).to_string().chars().count(), LONGEST + 1);
    }

    #[test]
    fn a_token_that_was_given_for_an_id_is_not_shown() {
        assert_eq!(shown_id("eyJhbGciOiJub25lIn0.e30."), A_TOKEN);
        assert_eq!(shown_id("Bearer eyJhbGciOiJub25lIn0.e30."), A_TOKEN);
        assert_eq!(shown_id("eyJ"), "eyJ");
    }
}

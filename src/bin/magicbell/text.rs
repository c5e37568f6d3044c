//! Text of the service's, for a terminal: nothing of it may steer that.

use std::fmt::{self, Write as _};

use serde::Serialize;

/// The longest name that is shown.
const LONGEST: usize = 64;

/// Text of the service's or the caller's, escaped and cut.
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0.chars();
        for char in left.by_ref().take(LONGEST) {
            if steers(char) { write!(f, "{}", char.escape_unicode())? } else { f.write_char(char)? }
        }
        if left.next().is_some() { f.write_char('…') } else { Ok(()) }
    }
}

/// One line of JSON. What JSON itself lets through is escaped too: a terminal may obey it.
pub(crate) fn json_line(value: &impl Serialize) -> String {
    // What is written here can't fail: no maps with odd keys, and no writer.
    let json = serde_json::to_string(value).unwrap_or_default();
    let mut line = String::with_capacity(json.len() + 1);
    for char in json.chars() {
        if steers(char) {
            _ = write!(line, "\\u{:04x}", u32::from(char));
        } else {
            line.push(char);
        }
    }
    line.push('\n');
    line
}

/// Says whether a character steers a terminal, or reorders the text around it. All of these are in the basic plane.
fn steers(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_is_left() {
        assert_eq!(Shown("a\u{1b}[2J\u{9b}\u{202e}").to_string(), r"a\u{1b}[2J\u{9b}\u{202e}");
        assert_eq!(Shown("Grüße 🔔").to_string(), "Grüße 🔔");
        assert_eq!(Shown(&"x".repeat(100)).to_string().chars().count(), LONGEST + 1);
    }

    #[test]
    fn a_line_of_json_is_the_same_json() {
        let text = "a\u{1b}[2J\u{9b}\u{202e}\u{7f}\"\\é";
        let line = json_line(&text);
        assert!(line.ends_with('\n') && !line.trim_end().chars().any(steers), "{line:?}");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
    }
}

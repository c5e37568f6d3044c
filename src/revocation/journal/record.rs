//! The lines of a journal.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::memory::End;
use crate::revocation::classify::Doubt;
use crate::revocation::{Revocation, RevocationOutcome};
use crate::timestamp::Timestamp;

/// What the first line of every journal begins with.
pub(super) const START: &str = r#"{"magicbell_journal":"#;
/// The version of the format.
pub(super) const VERSION: u32 = 1;

const MAYBE: &str = "maybe";
const PRESUMED: &str = "presumed";

/// The first line: what the batch is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    // First, so that a journal is known by its first bytes.
    pub(super) magicbell_journal: u32,
    pub(super) base_url: String,
    /// `user` or `project`.
    pub(super) kind: String,
    /// What the caller calls the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) project: Option<String>,
    /// What the client's token calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) token_project: Option<String>,
}

/// Any other line: an id that is going to be sent, or what became of one.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
    intent: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
    outcome: Option<Cow<'a, str>>,
    /// Not of an id that couldn't be sent: who knows what it was.
    #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
    id: Option<Cow<'a, str>>,
    /// Which input it was of that run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    index: Option<u64>,
    /// Whether it may have been revoked, where the outcome doesn't say: `maybe`, or `presumed` where a
    /// 404 after it is no wonder.
    #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
    doubt: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
    discarded_at: Option<Cow<'a, str>>,
}

/// What a line says.
#[derive(Debug)]
pub(super) enum Said<'a> {
    Intent(Cow<'a, str>),
    Ended(Cow<'a, str>, End),
    /// An id that couldn't be sent had its outcome.
    Invalid,
}

impl<'a> Line<'a> {
    pub(super) fn intent(token_id: &'a str) -> Self {
        Self { intent: Some(token_id.into()), ..Self::empty() }
    }

    pub(super) fn ended(revocation: &'a Revocation) -> Self {
        let line =
            Self { outcome: Some(revocation.outcome.as_str().into()), index: Some(revocation.index), ..Self::empty() };
        if revocation.outcome == RevocationOutcome::InvalidId {
            return line;
        }
        let doubt = match revocation.doubt() {
            Doubt::None => None,
            Doubt::Maybe => Some(MAYBE),
            Doubt::Presumed => Some(PRESUMED),
        };
        Self {
            id: Some((&*revocation.token_id).into()),
            doubt: doubt.map(Cow::from),
            attempts: Some(revocation.attempts),
            status: revocation.status.map(|status| status.as_u16()),
            discarded_at: revocation.discarded_at.as_ref().map(Timestamp::as_str).filter(is_a_time).map(Cow::from),
            ..line
        }
    }

    fn empty() -> Self {
        Self {
            intent: None,
            outcome: None,
            id: None,
            index: None,
            doubt: None,
            attempts: None,
            status: None,
            discarded_at: None,
        }
    }

    /// Reads a line, without its end.
    pub(super) fn read(line: &'a [u8]) -> Result<Said<'a>, &'static str> {
        // An array would be taken for an object, field by field.
        if !line.starts_with(b"{") {
            return Err("it is no JSON object");
        }
        let line = serde_json::from_slice::<Self>(line).map_err(|_| "it is not of this format")?;
        match line {
            Self { intent: Some(id), outcome: None, id: None, .. } => Ok(Said::Intent(id)),
            Self { intent: None, outcome: Some(outcome), id, doubt, attempts, status, .. } => {
                let doubt = match doubt.as_deref() {
                    None => Doubt::None,
                    Some(MAYBE) => Doubt::Maybe,
                    Some(PRESUMED) => Doubt::Presumed,
                    Some(_) => return Err("its doubt is of no kind that is known"),
                };
                let outcome = RevocationOutcome::ALL.into_iter().find(|known| known.as_str() == outcome);
                match (outcome, id) {
                    (Some(RevocationOutcome::InvalidId), None) => Ok(Said::Invalid),
                    (Some(outcome), Some(id)) => {
                        Ok(Said::Ended(id, End { outcome, doubt, status, attempts: attempts.unwrap_or(0) }))
                    }
                    _ => Err("it has no outcome that is known, or no id"),
                }
            }
            _ => Err("it is neither an intent nor an outcome"),
        }
    }
}

/// Says whether a text of the service's may be a time: anything else could be an echo of what nobody may keep.
fn is_a_time(text: &&str) -> bool {
    let is_part = |byte: u8| {
        byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b'.' | b'+' | b' ' | b'T' | b't' | b'Z' | b'z')
    };
    text.len() <= 40 && text.bytes().all(is_part)
}

/// Writes a line and its end.
pub(super) fn write(line: &impl Serialize, buffer: &mut Vec<u8>) {
    let start = buffer.len();
    // Into memory, with keys that are strings: it can't fail.
    if serde_json::to_writer(&mut *buffer, line).is_ok() {
        buffer.push(b'\n');
    } else {
        buffer.truncate(start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_begins_as_every_journal_does() {
        let mut buffer = Vec::new();
        let header = Header {
            magicbell_journal: VERSION,
            base_url: "https://api.example.com/v2".into(),
            kind: "user".into(),
            project: None,
            token_project: None,
        };
        write(&header, &mut buffer);
        assert!(buffer.starts_with(START.as_bytes()));
        assert_eq!(serde_json::from_slice::<Header>(&buffer).unwrap(), header);
    }

    #[test]
    fn an_id_is_read_as_it_was_written() {
        for id in ["550e8400-e29b-41d4-a716-446655440000", "a\"b\\c", "é\u{2028}\u{1f600}", ""] {
            let mut buffer = Vec::new();
            write(&Line::intent(id), &mut buffer);
            assert_eq!(buffer.iter().filter(|byte| **byte == b'\n').count(), 1);
            let Ok(Said::Intent(read)) = Line::read(buffer.trim_ascii_end()) else { panic!("{id:?}") };
            assert_eq!(read, id);
        }
    }

    #[test]
    fn an_id_that_can_not_be_sent_is_not_written() {
        let mut buffer = Vec::new();
        write(&Line::ended(&Revocation::new(7, "secret\n".into(), RevocationOutcome::InvalidId)), &mut buffer);
        assert_eq!(buffer, b"{\"outcome\":\"invalid_id\",\"index\":7}\n");
        assert!(matches!(Line::read(buffer.trim_ascii_end()), Ok(Said::Invalid)));
    }

    #[test]
    fn what_is_of_another_format_is_refused() {
        for line in [
            "",
            "x",
            "{}",
            "[\"id\"]",
            "{\"intent\":\"a\",\"outcome\":\"revoked\"}",
            "{\"intent\":7}",
            "{\"outcome\":\"revoked\"}",
            "{\"outcome\":\"gone\",\"id\":\"a\"}",
            "{\"outcome\":\"invalid_id\",\"id\":\"a\"}extra",
            "{\"intent\":\"a\",\"more\":1}",
            "{\"intent\":\"a\"}{\"intent\":\"b\"}",
        ] {
            assert!(Line::read(line.as_bytes()).is_err(), "{line}");
        }
        assert!(Line::read(b"{\"intent\":\"\xff\"}").is_err());
    }
}

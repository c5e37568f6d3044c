//! Reads a journal, a line at a time.

use std::io::{BufRead, BufReader, Read};

use super::JournalError;
use super::memory::Memory;
use super::record::{Header, Line, START, Said, VERSION};

/// The longest line that is read, in bytes. No id that can be sent makes one that long.
const LONGEST: u64 = 1 << 20;

/// What a journal says.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// `None` where nothing is written yet.
    pub(super) header: Option<Header>,
    pub(super) memory: Memory,
    /// Where the last whole line ends: what follows was being written when the writer died.
    pub(super) end: u64,
}

/// Reads all lines. The last one doesn't count where its end is missing, whatever it is.
pub(super) fn read(file: impl Read) -> Result<Contents, JournalError> {
    let mut lines = Lines { reader: BufReader::with_capacity(1 << 16, file), line: Vec::new(), number: 0 };
    let mut contents = Contents::default();
    while let Some(line) = lines.next()? {
        contents.end += line.len() as u64 + 1;
        let problem = match contents.header {
            None => header(line).map(|header| contents.header = Some(header)),
            Some(_) => Line::read(line).map(|said| learn(&mut contents.memory, said)),
        };
        problem.map_err(|problem| JournalError::unreadable(lines.number, problem))?;
    }
    if contents.header.is_none() && !is_part_of_a_header(&lines.line) {
        return Err(JournalError::unreadable(1, "this file is no journal"));
    }
    contents.memory.close();
    Ok(contents)
}

struct Lines<R> {
    reader: BufReader<R>,
    /// The line that was read last; after all of them, what is there of another.
    line: Vec<u8>,
    number: u64,
}

impl<R: Read> Lines<R> {
    /// Reads a whole line, and returns it without its end; `None` where there is none left.
    fn next(&mut self) -> Result<Option<&[u8]>, JournalError> {
        self.line.clear();
        self.number += 1;
        let mut part = self.reader.by_ref().take(LONGEST);
        part.read_until(b'\n', &mut self.line).map_err(|error| JournalError::io("the journal can't be read", error))?;
        match self.line.strip_suffix(b"\n") {
            Some(line) => Ok(Some(line)),
            None if self.line.len() as u64 == LONGEST => Err(JournalError::unreadable(self.number, "it is too long")),
            None => Ok(None),
        }
    }
}

fn header(line: &[u8]) -> Result<Header, &'static str> {
    if !line.starts_with(START.as_bytes()) {
        return Err("this file is no journal");
    }
    let version = line[START.len()..].split(|byte| !byte.is_ascii_digit()).next();
    if version != Some(VERSION.to_string().as_bytes()) {
        return Err("it is of another version of the format");
    }
    serde_json::from_slice(line).map_err(|_| "it is not of this format")
}

/// Says whether a file without a whole line may be a journal whose writer died at once. Any other file is left alone.
fn is_part_of_a_header(bytes: &[u8]) -> bool {
    bytes.starts_with(START.as_bytes()) || START.as_bytes().starts_with(bytes)
}

fn learn(memory: &mut Memory, said: Said<'_>) {
    match said {
        Said::Intent(id) => memory.intend(&id),
        Said::Ended(id, end) => memory.end(&id, end),
        Said::Invalid => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = r#"{"magicbell_journal":1,"base_url":"https://api.example.com","kind":"user"}"#;

    #[test]
    fn a_last_line_without_its_end_does_not_count_even_if_it_can_be_read() {
        let whole = format!("{HEADER}\n{{\"intent\":\"a\"}}\n");
        for torn in ["", "{", r#"{"intent":"b"}"#, "{\"intent\":\"\u{e9}", "\0\0\0"] {
            for cut in 0..=torn.len() {
                let text = [whole.as_bytes(), &torn.as_bytes()[..cut]].concat();
                let contents = read(&text[..]).unwrap();
                assert_eq!((contents.end, contents.memory.unknown()), (whole.len() as u64, 1), "{torn}");
            }
        }
    }

    #[test]
    fn a_header_without_its_end_is_none() {
        for cut in 0..=HEADER.len() {
            let contents = read(&HEADER.as_bytes()[..cut]).unwrap();
            assert_eq!((contents.end, contents.header), (0, None));
        }
    }

    #[test]
    fn a_broken_line_is_named() {
        for broken in ["", "{\"intent\":\"a", "null", "\u{0}"] {
            let text = format!("{HEADER}\n{{\"intent\":\"a\"}}\n{broken}\n{{\"intent\":\"b\"}}\n");
            let error = read(text.as_bytes()).unwrap_err();
            assert_eq!(error.line(), Some(3), "{broken:?}");
            assert!(error.to_string().starts_with("line 3 "), "{error}");
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_an_end_is_that_of_a_line() {
        let whole = format!("{HEADER}\n{{\"intent\":\"a\"}}\n{{\"outcome\":\"revoked\",\"id\":\"a\",\"index\":0}}\n");
        let mut seed = 7_u64;
        let mut below = |end: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as usize % end
        };
        for _ in 0..20_000 {
            let mut bytes = whole.clone().into_bytes();
            for _ in 0..=below(3) {
                let at = below(bytes.len());
                bytes[at] = below(256) as u8;
            }
            bytes.truncate(below(bytes.len() + 1));
            if let Ok(Contents { end, .. }) = read(&bytes[..]) {
                assert!(end == 0 || bytes[end as usize - 1] == b'\n', "{bytes:?}");
            }
        }
    }

    #[test]
    fn what_is_no_journal_is_refused() {
        for text in ["hello", "hello\n", "{\"intent\":\"a\"}\n", "\n", "{\"magicbell_journal\":2}\n", "\u{feff}{\"mag"]
        {
            assert_eq!(read(text.as_bytes()).unwrap_err().line(), Some(1), "{text:?}");
        }
        assert!(read(std::io::repeat(0)).is_err(), "a line without an end is not read for ever");
    }
}

//! What is known of the ids of a journal.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};

use crate::revocation::RevocationOutcome;
use crate::revocation::classify::Doubt;

/// What is known of the ids of a journal. Of an id it keeps 16 bytes that no other id has, and 8 of what became of it.
#[derive(Debug, Default)]
pub(super) struct Memory {
    hashers: [RandomState; 2],
    known: HashMap<Key, Known, BuildHasherDefault<AsItIs>>,
}

/// Two independent hashes, with keys that nobody knows: that two of a billion ids share them is less likely than one in 10^20.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key(u64, u64);

/// What is known of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::revocation) struct Known {
    state: State,
    /// 0 where none arrived.
    status: u16,
    attempts: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It isn't sent again.
    Settled(RevocationOutcome),
    /// It was sent, and whether it was revoked isn't known.
    Doubtful(Doubt),
    /// It may have been sent: nothing is written of what became of it, or not yet. What was in doubt before that.
    Open(Doubt),
}

/// How an id ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    pub(super) outcome: RevocationOutcome,
    /// Whether it may have been revoked, where the outcome doesn't say.
    pub(super) doubt: Doubt,
    pub(super) status: Option<u16>,
    pub(super) attempts: u32,
}

impl Memory {
    /// Learns that an id is going to be sent.
    pub(super) fn intend(&mut self, token_id: &str) {
        let key = self.key(token_id);
        let before = match self.known.get(&key).map(|known| known.state) {
            Some(State::Settled(_)) => return,
            Some(State::Doubtful(doubt)) => doubt,
            // Its end is nowhere.
            Some(State::Open(_)) => Doubt::Presumed,
            None => Doubt::None,
        };
        self.known.insert(key, Known { state: State::Open(before), status: 0, attempts: 0 });
    }

    /// Learns what became of an id.
    pub(super) fn end(&mut self, token_id: &str, end: End) {
        let key = self.key(token_id);
        let before = match self.known.get(&key).map(|known| known.state) {
            Some(State::Settled(_)) => return,
            Some(State::Doubtful(doubt) | State::Open(doubt)) => doubt,
            None => Doubt::None,
        };
        let state = match end.outcome {
            RevocationOutcome::Revoked | RevocationOutcome::AlreadyRevoked | RevocationOutcome::NotFound => {
                State::Settled(end.outcome)
            }
            // Nothing was sent this time, it was refused, or it is in doubt.
            _ => match before.max(end.doubt) {
                Doubt::None => {
                    self.known.remove(&key);
                    return;
                }
                doubt => State::Doubtful(doubt),
            },
        };
        self.known.insert(key, Known { state, status: end.status.unwrap_or(0), attempts: end.attempts });
    }

    /// Takes it that all writers up to now are gone: what one was going to send, it may have sent.
    pub(super) fn close(&mut self) {
        let open = self.known.values_mut().filter(|known| matches!(known.state, State::Open(_)));
        open.for_each(|known| known.state = State::Doubtful(Doubt::Presumed));
    }

    /// Returns what is known of an id, where it has been sent or may have been.
    pub(super) fn get(&self, token_id: &str) -> Option<Known> {
        self.known.get(&self.key(token_id)).copied()
    }

    /// Returns how many ids are settled.
    pub(super) fn settled(&self) -> usize {
        self.known.values().filter(|known| known.settled().is_some()).count()
    }

    /// Returns how many ids may have been revoked, and aren't known to be.
    pub(super) fn unknown(&self) -> usize {
        self.known.len() - self.settled()
    }

    fn key(&self, token_id: &str) -> Key {
        let [first, second] = &self.hashers;
        Key(first.hash_one(token_id), second.hash_one(token_id))
    }
}

impl Known {
    /// Returns what became of the id, where it needn't be sent again.
    pub(in crate::revocation) fn settled(self) -> Option<RevocationOutcome> {
        match self.state {
            State::Settled(outcome) => Some(outcome),
            State::Doubtful(_) | State::Open(_) => None,
        }
    }

    /// Returns what is in doubt, where it isn't settled.
    pub(in crate::revocation) fn doubt(self) -> Doubt {
        match self.state {
            State::Settled(_) => Doubt::None,
            State::Doubtful(doubt) => doubt,
            State::Open(_) => Doubt::Presumed,
        }
    }

    pub(in crate::revocation) fn attempts(self) -> u32 {
        self.attempts
    }

    pub(in crate::revocation) fn status(self) -> Option<u16> {
        (self.status != 0).then_some(self.status)
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0);
    }
}

/// A hasher for what is a hash already.
#[derive(Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use RevocationOutcome::*;

    use super::*;

    fn end(outcome: RevocationOutcome) -> End {
        End {
            outcome,
            doubt: if matches!(outcome, Unknown | Unverified) { Doubt::Maybe } else { Doubt::None },
            status: Some(404),
            attempts: 2,
        }
    }

    /// What is known of an id after a sequence of lines: `None` for an intent, an outcome otherwise.
    fn after(lines: &[Option<RevocationOutcome>]) -> Option<Option<RevocationOutcome>> {
        let mut memory = Memory::default();
        for line in lines {
            match line {
                None => memory.intend("id"),
                Some(outcome) => memory.end("id", end(*outcome)),
            }
        }
        memory.get("id").map(Known::settled)
    }

    #[test]
    fn what_is_settled_stays_so() {
        for outcome in [Revoked, AlreadyRevoked, NotFound] {
            assert_eq!(after(&[None, Some(outcome)]), Some(Some(outcome)));
            assert_eq!(after(&[None, Some(outcome), None]), Some(Some(outcome)));
            assert_eq!(after(&[None, Some(Unknown), None, Some(outcome)]), Some(Some(outcome)));
        }
    }

    #[test]
    fn what_was_sent_without_a_known_end_may_have_been_revoked() {
        for lines in [&[None][..], &[None, None], &[None, Some(Unknown)], &[None, Some(Unverified)]] {
            assert_eq!(after(lines), Some(None), "{lines:?}");
        }
    }

    #[test]
    fn what_was_refused_or_never_sent_is_as_if_it_had_not_been_there() {
        for outcome in [Refused, NotAttempted] {
            assert_eq!(after(&[None, Some(outcome)]), None);
        }
    }

    #[test]
    fn what_has_no_answer_as_it_was_never_sent_is_as_if_it_had_not_been_there() {
        let mut memory = Memory::default();
        memory.intend("id");
        memory.end("id", End { doubt: Doubt::None, ..end(Unknown) });
        assert_eq!(memory.get("id"), None);
    }

    #[test]
    fn what_was_not_sent_this_time_may_have_been_revoked_the_time_before() {
        for first in [&[None][..], &[None, Some(Unknown)]] {
            let lines = [first, &[None, Some(NotAttempted)]].concat();
            assert_eq!(after(&lines), Some(None), "{lines:?}");
        }
    }

    #[test]
    fn the_greater_doubt_stays() {
        let doubt = |lines: &[Option<Doubt>]| {
            let mut memory = Memory::default();
            for line in lines {
                match line {
                    None => memory.intend("id"),
                    Some(doubt) => memory.end("id", End { doubt: *doubt, ..end(Unknown) }),
                }
            }
            memory.close();
            memory.get("id").map_or(Doubt::None, Known::doubt)
        };
        assert_eq!(doubt(&[None]), Doubt::Presumed, "no end is written");
        assert_eq!(doubt(&[None, Some(Doubt::Maybe)]), Doubt::Maybe);
        assert_eq!(doubt(&[None, Some(Doubt::Presumed), None, Some(Doubt::Maybe)]), Doubt::Presumed);
        assert_eq!(doubt(&[None, Some(Doubt::Maybe), None, Some(Doubt::None)]), Doubt::Maybe);
        assert_eq!(doubt(&[None, None, Some(Doubt::None)]), Doubt::Presumed, "the first has no end");
    }

    #[test]
    fn an_entry_has_24_bytes() {
        assert_eq!(size_of::<(Key, Known)>(), 24);
    }

    #[test]
    fn ids_are_counted() {
        let mut memory = Memory::default();
        (0..100).for_each(|number| memory.intend(&number.to_string()));
        (0..60).for_each(|number| memory.end(&number.to_string(), end(Revoked)));
        assert_eq!((memory.settled(), memory.unknown()), (60, 40));
    }
}

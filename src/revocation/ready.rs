//! Outcomes that wait to be handed out.

use std::collections::VecDeque;
use std::vec;

use super::Revocation;

/// Outcomes that wait to be handed out. That of an id that was given more than once is there once, and is copied for each further
/// input when it is that one's turn.
#[derive(Debug, Default)]
pub(super) struct Ready {
    queue: VecDeque<Revocation>,
    /// Empty, and so without an allocation, unless an id was given more than once.
    shared: VecDeque<Shared>,
    len: usize,
}

/// An outcome, and the inputs that have it too.
#[derive(Debug)]
struct Shared {
    outcome: Revocation,
    others: vec::IntoIter<u64>,
}

impl Ready {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn push(&mut self, revocation: Revocation) {
        self.len += 1;
        self.queue.push_back(revocation);
    }

    /// Adds an outcome that other inputs have too. They get it after the first one, which alone has the error.
    pub(super) fn push_shared(&mut self, revocation: Revocation, others: Vec<u64>) {
        if !others.is_empty() {
            self.len += others.len();
            self.shared.push_back(Shared { outcome: revocation.share(revocation.index), others: others.into_iter() });
        }
        self.push(revocation);
    }

    /// Takes an outcome out. What is shared comes after the rest: nothing else is added meanwhile but what is read already.
    pub(super) fn pop(&mut self) -> Option<Revocation> {
        let revocation = self.queue.pop_front().or_else(|| self.pop_shared())?;
        self.len -= 1;
        Some(revocation)
    }

    fn pop_shared(&mut self) -> Option<Revocation> {
        let shared = self.shared.front_mut()?;
        let index = shared.others.next()?;
        if !shared.others.as_slice().is_empty() {
            return Some(shared.outcome.share(index));
        }
        let last = self.shared.pop_front()?;
        Some(Revocation { index, ..last.outcome })
    }

    /// Returns the outcome that was added last.
    pub(super) fn last(&self) -> Option<&Revocation> {
        self.queue.back()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revocation::RevocationOutcome;

    #[test]
    fn the_first_input_comes_before_those_that_share_its_outcome() {
        let mut ready = Ready::default();
        let revocation = |index, id: &str| Revocation::new(index, id.to_owned(), RevocationOutcome::Revoked);
        ready.push_shared(revocation(3, "a"), vec![5, 4, 9]);
        ready.push_shared(revocation(6, "b"), vec![7]);
        ready.push_shared(revocation(8, "c"), Vec::new());
        let mut found = Vec::new();
        for left in (0..7).rev() {
            let Revocation { index, token_id, is_shared, .. } = ready.pop().unwrap();
            assert_eq!((ready.len(), ready.is_empty()), (left, left == 0));
            found.push((index, token_id, is_shared));
        }
        assert!(ready.pop().is_none());
        let expected = [
            (3, "a", false),
            (6, "b", false),
            (8, "c", false),
            (5, "a", true),
            (4, "a", true),
            (9, "a", true),
            (7, "b", true),
        ];
        assert!(found.iter().map(|(index, id, is_shared)| (*index, &**id, *is_shared)).eq(expected), "{found:?}");
    }
}

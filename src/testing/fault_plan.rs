//! Decides which request meets which fault.

use std::collections::VecDeque;

use http::Method;

use super::fault::Fault;
use super::random::Random;

/// The faults to come: queued ones, and ones that chance decides.
#[derive(Default)]
pub(super) struct FaultPlan {
    queued: VecDeque<Fault>,
    random: Vec<RandomFault>,
}

struct RandomFault {
    random: Random,
    one_in: u32,
    fault: Fault,
}

impl FaultPlan {
    pub(super) fn queue(&mut self, fault: Fault) {
        if !fault.is_used_up() {
            self.queued.push_back(fault);
        }
    }

    pub(super) fn add_random(&mut self, seed: u64, one_in: u32, fault: Fault) {
        self.random.push(RandomFault { random: Random::from_seed(seed), one_in, fault });
    }

    pub(super) fn clear(&mut self) {
        self.queued.clear();
        self.random.clear();
    }

    /// The fault for a request: the first queued one that matches, otherwise the first that chance gives it.
    pub(super) fn next(&mut self, known: Option<&str>, method: &Method, path: &str) -> Option<Fault> {
        let is_for = |fault: &Fault| fault.is_for(known, method, path);
        self.next_queued(is_for).or_else(|| self.next_random(is_for))
    }

    /// A line about each queued fault that is left over; those for `always` never are.
    pub(super) fn unused(&self) -> Vec<String> {
        let line = |fault: &Fault| {
            let (operation, left) = (fault.operation().unwrap_or("any request"), fault.remaining()?);
            Some(format!("{operation}, by fail_next: {fault}, {left} times more"))
        };
        self.queued.iter().filter_map(line).collect()
    }

    fn next_queued(&mut self, is_for: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let index = self.queued.iter().position(is_for)?;
        let fault = self.queued.get_mut(index)?;
        fault.use_once();
        let taken = fault.clone();
        if fault.is_used_up() {
            self.queued.remove(index);
        }
        Some(taken)
    }

    fn next_random(&mut self, is_for: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let matching = self.random.iter_mut().filter(|random| is_for(&random.fault));
        matching.filter_map(RandomFault::roll).next()
    }
}

impl RandomFault {
    fn roll(&mut self) -> Option<Fault> {
        self.random.one_in(self.one_in).then(|| self.fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statuses(plan: &mut FaultPlan, operations: &[&'static str]) -> Vec<bool> {
        operations.iter().map(|operation| plan.next(Some(operation), &Method::GET, "/v2").is_some()).collect()
    }

    #[test]
    fn a_queued_fault_waits_for_its_operation_and_lets_others_pass() {
        let mut plan = FaultPlan::default();
        plan.queue(Fault::stall().on("a"));
        plan.queue(Fault::reset());
        assert_eq!(statuses(&mut plan, &["b", "b", "a", "a"]), [true, false, true, false]);
    }

    #[test]
    fn times_and_always_say_how_often() {
        let mut plan = FaultPlan::default();
        plan.queue(Fault::stall().times(0));
        plan.queue(Fault::stall().times(2));
        assert_eq!(statuses(&mut plan, &["a", "a", "a"]), [true, true, false]);
        plan.queue(Fault::stall().always());
        assert_eq!(statuses(&mut plan, &["a"; 20]), [true; 20]);
        plan.clear();
        assert_eq!(statuses(&mut plan, &["a"]), [false]);
    }

    #[test]
    fn the_same_seed_gives_the_same_faults() {
        let run = |seed| {
            let mut plan = FaultPlan::default();
            plan.add_random(seed, 3, Fault::stall());
            statuses(&mut plan, &["a"; 60])
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        assert!(run(1).contains(&true) && run(1).contains(&false));
    }
}

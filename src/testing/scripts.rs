//! Keeps the scripts, and finds the step for a request.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use http::Method;
use magicbell_middleware::Operation;

use super::answer::{Answer, Refusal};
use super::fault::Fault;
use super::received_request::{Known, ReceivedRequest};
use super::template::{self, Template};

type Condition = Box<dyn Fn(&ReceivedRequest) -> bool + Send>;

/// Makes an answer from a request.
pub(super) type Responder = Arc<dyn Fn(&ReceivedRequest) -> Answer + Send + Sync>;

/// The scripts, oldest first.
#[derive(Default)]
pub(super) struct Scripts {
    scripts: Vec<Entry>,
}

struct Entry {
    operation: Operation,
    begun_at: &'static Location<'static>,
    conditions: Vec<Condition>,
    steps: Vec<Step>,
}

/// What happens to some requests.
pub(super) struct Step {
    reply: Reply,
    what: String,
    /// How many requests it is for; `None` for all.
    times: Option<usize>,
    used: usize,
}

/// What a request meets.
#[derive(Clone)]
pub(super) enum Reply {
    Fault(Box<Fault>),
    Answer(Responder),
    Refusal(Refusal),
}

impl Reply {
    pub(super) fn answer(make: impl Fn(&ReceivedRequest) -> Answer + Send + Sync + 'static) -> Self {
        Self::Answer(Arc::new(make))
    }
}

impl Scripts {
    /// Begins a script and returns its number.
    pub(super) fn begin(&mut self, operation: Operation, begun_at: &'static Location<'static>) -> usize {
        self.scripts.push(Entry { operation, begun_at, conditions: Vec::new(), steps: Vec::new() });
        self.scripts.len() - 1
    }

    pub(super) fn add_condition(&mut self, index: usize, condition: Condition) {
        if let Some(entry) = self.scripts.get_mut(index) {
            entry.conditions.push(condition);
        }
    }

    pub(super) fn add_step(&mut self, index: usize, step: Step) {
        if let Some(entry) = self.scripts.get_mut(index) {
            entry.steps.push(step);
        }
    }

    /// Says how often a script's last step is taken; false where it has none.
    pub(super) fn repeat_last(&mut self, index: usize, times: Option<usize>) -> bool {
        let step = self.scripts.get_mut(index).and_then(|entry| entry.steps.last_mut());
        step.map(|step| step.times = times).is_some()
    }

    pub(super) fn clear(&mut self) {
        self.scripts.iter_mut().for_each(|entry| entry.steps.clear());
    }

    /// The operation that a script is for, of a request for none that the service has.
    pub(super) fn known(&self, method: &Method, path: &str) -> Option<Known> {
        let entry = self.scripts.iter().find(|entry| template::is_for(&entry.operation, method, path))?;
        Some(Known { name: entry.operation.name(), template: Template(entry.operation.path()) })
    }

    pub(super) fn are_empty(&self) -> bool {
        self.scripts.is_empty()
    }

    /// What the request meets: the next step of the first script that has one left for it.
    ///
    /// Before an answer, the request has to be admitted; where it isn't, no step is used.
    pub(super) fn next(
        &mut self,
        request: &mut ReceivedRequest,
        admit: impl FnOnce() -> Result<(), Refusal>,
    ) -> Option<Reply> {
        let step = self.scripts.iter_mut().find_map(|entry| entry.next_for(request))?;
        if matches!(step.reply, Reply::Answer(_))
            && let Err(refusal) = admit()
        {
            return Some(Reply::Refusal(refusal));
        }
        step.used += 1;
        Some(step.reply.clone())
    }

    /// A line about each step that wasn't taken as often as it was meant to be.
    pub(super) fn unused(&self) -> Vec<String> {
        let steps = self.scripts.iter().flat_map(|entry| entry.steps.iter().map(move |step| (entry, step)));
        steps.filter(|(_, step)| step.is_left_over()).map(|(entry, step)| format!("{entry}: {step}")).collect()
    }
}

impl Entry {
    fn next_for(&mut self, request: &mut ReceivedRequest) -> Option<&mut Step> {
        if !template::is_for(&self.operation, &request.method, request.path()) {
            return None;
        }
        let step = self.steps.iter_mut().find(|step| step.is_left())?;
        request.set_template(Template(self.operation.path()));
        self.conditions.iter().all(|condition| condition(request)).then_some(step)
    }
}

impl Step {
    pub(super) fn once(reply: Reply, what: String) -> Self {
        Self { reply, what, times: Some(1), used: 0 }
    }

    pub(super) fn fault(fault: Fault) -> Self {
        Self { what: fault.to_string(), times: fault.remaining(), used: 0, reply: Reply::Fault(Box::new(fault)) }
    }

    fn is_left(&self) -> bool {
        self.times.is_none_or(|times| self.used < times)
    }

    fn is_left_over(&self) -> bool {
        self.times.is_some() && self.is_left()
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, scripted at {}", self.operation.name(), self.begun_at)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, taken {} of {} times", self.what, self.used, self.times.unwrap_or(self.used))
    }
}

//! What a call knows of itself, and decides from it.

mod end;
mod next_attempt;
mod refused;
mod request;

use std::sync::Arc;
use std::time::Duration;

use http::uri::PathAndQuery;
use http::{Extensions, Request, Response, StatusCode};
use tokio::time::Instant;

use self::next_attempt::Again;
use self::request::{Named, has_key};
use super::{AttemptResult, RetryLayer, RetryPolicy, Verdict, events, retry_after};
use crate::clock::{CallTime, Moment};
use crate::pace::{HeldBack, Pace, Ticket};
use crate::timeout::{Limit, TimeoutError};
use crate::{Attempt, Body, BoxError, CallContext, Operation, Outcome, Safety};

/// What a call knows of itself.
pub(super) struct Call<B> {
    /// What each attempt sends a clone of.
    request: Request<B>,
    /// What the request's one extension is made of, while the attempt in flight has it.
    operation: Option<Named>,
    safety: Safety,
    context: Option<CallContext>,
    layer: Arc<RetryLayer>,
    /// When it was first polled; `None` before that.
    start: Option<Instant>,
    deadline: Option<Instant>,
    /// Its place in the pace's queue, for the next attempt.
    ticket: Ticket,
    /// Whether time has passed since the last look at the clock.
    waited: bool,
    /// When the attempt began, or the last look at the clock before it.
    attempt_start: Option<Instant>,
    attempts: Vec<Attempt>,
    /// Where the context's record has the attempt in flight.
    place: Option<u32>,
    /// Whether an attempt has begun, and not ended.
    is_in_flight: bool,
    /// Whether an attempt was made since the credentials were renewed.
    renewed: bool,
    /// The 401 before that attempt, for the case that the credentials give the same again.
    refused: Option<Box<Attempted>>,
    /// Whether the next attempt has been paid for.
    is_paid: bool,
    /// A success whose body was lost, of something that mustn't be: if no other attempt brings it again, it is what is known.
    kept: Option<Box<Attempted>>,
}

/// How an attempt ended.
type Attempted = Result<Response<Body>, BoxError>;

impl<B> Call<B> {
    // Inline, since it is large, and so built in its place.
    #[inline(always)]
    pub(super) fn new(request: Request<B>, context: Option<CallContext>, layer: Arc<RetryLayer>) -> Self {
        Self {
            safety: Operation::safety_of(&request),
            context,
            request,
            operation: None,
            layer,
            start: None,
            deadline: None,
            ticket: Ticket::default(),
            waited: true,
            attempt_start: None,
            attempts: Vec::new(),
            place: None,
            is_in_flight: false,
            renewed: false,
            refused: None,
            is_paid: false,
            kept: None,
        }
    }

    /// Returns what the attempts up to now met.
    pub(super) fn attempts(&self) -> Vec<Attempt> {
        let in_flight = self.is_in_flight.then(in_flight);
        self.attempts.iter().cloned().chain(in_flight).collect()
    }

    /// Returns how long it has taken since its first poll.
    pub(super) fn elapsed(&self) -> Duration {
        self.start.map_or(Duration::ZERO, |start| start.elapsed())
    }

    pub(super) fn path_and_query(&self) -> Option<&PathAndQuery> {
        self.request.uri().path_and_query()
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Returns when the attempt in flight began, and the call's time.
    pub(super) fn moment(&self) -> Option<Moment> {
        self.attempt_start.map(|now| Moment { now, call: self.time() })
    }

    /// Returns the call's time, where it is limited and has begun.
    fn time(&self) -> Option<CallTime> {
        self.start.zip(self.deadline).map(|(start, deadline)| CallTime { start, deadline })
    }

    /// Says whether the attempt in flight ends before the call's time is up, by a limit of its own. Timers are late at times, by
    /// much less than a second.
    pub(super) fn attempt_ends_in_time(&self) -> bool {
        let end = || {
            let limit = self.layer.attempt_timeout()?.checked_add(Duration::from_secs(1))?;
            self.attempt_start?.checked_add(limit)
        };
        self.deadline.zip(end()).is_some_and(|(deadline, end)| end < deadline)
    }

    /// Notes that time may have passed.
    pub(super) fn has_waited(&mut self) {
        self.waited = true;
    }

    /// Says whether time may have passed since the last look at the clock, and with it everything else.
    pub(super) fn may_have_waited(&self) -> bool {
        self.waited
    }

    /// Asks whether the next attempt has to wait, and until when. A wait past the deadline is an error at once, for the call to
    /// [`fail`](Self::fail) with.
    pub(super) fn admit(&mut self) -> Result<Option<Instant>, BoxError> {
        let now = self.look_at_the_clock();
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            return Err(self.timeout_error().into());
        }
        let until = self.layer.parts().1.delay(self.safety, &mut self.ticket, self.deadline);
        let Some(until) = until else { return Ok(None) };
        let wait = until.saturating_duration_since(Instant::now());
        if self.deadline.is_some_and(|deadline| until >= deadline) {
            return Err(HeldBack::new(wait).into());
        }
        events::held_back(wait);
        Ok(Some(until))
    }

    /// Returns the time, as it was when the call last had to wait; the first time begins the call.
    fn look_at_the_clock(&mut self) -> Instant {
        if let (Some(last), false) = (self.attempt_start, self.waited) {
            return last;
        }
        let now = Instant::now();
        if self.start.is_none() {
            self.start = Some(now);
            let own = self.context.as_ref().and_then(|context| context.begin(now.into_std()));
            let timeout = self.layer.parts().2;
            self.deadline = own.map(Instant::from_std).or_else(|| now.checked_add(timeout?));
        }
        self.waited = false;
        self.attempt_start = Some(now);
        now
    }

    /// Takes up an attempt: the request to send.
    pub(super) fn begin(&mut self) -> Request<B>
    where
        B: Clone,
    {
        if let Some(context) = &self.context {
            self.place = context.add_attempt(in_flight);
        }
        self.ticket = Ticket::default();
        self.is_paid = false;
        self.is_in_flight = true;
        // Most requests have no extensions, and then nothing is left to be done to the clone.
        if self.attempts.is_empty() && self.request.extensions().is_empty() {
            return self.request.clone();
        }
        self.request_with_extensions()
    }

    /// Decides what follows an attempt, and writes it down. Returns when another one follows; where none does, the result is what
    /// the call ends with.
    pub(super) fn judge(&mut self, result: &mut Attempted) -> Option<Instant> {
        self.is_in_flight = false;
        let attempt = AttemptResult {
            method: self.request.method(),
            uri: self.request.uri(),
            safety: self.safety,
            has_idempotency_key: has_key(self.request.headers()),
            result: result.as_ref(),
        };
        let status = attempt.status();
        if let (Some(status), Some(headers)) = (status, attempt.headers()) {
            self.pace().observe(self.safety, status, headers, self.policy().max_retry_after());
        }
        let verdict = self.policy().judge(&attempt);
        if result.is_ok() && is_success(status) && verdict == Verdict::Final {
            self.policy().budget().deposit();
            if self.attempts.is_empty() {
                if let (Some(context), Some(place), Some(status)) = (&self.context, self.place.take(), status) {
                    context.end_attempt(place, Attempt::answered(status, self.attempt_elapsed()));
                }
                return None;
            }
        }
        let asked = attempt.headers().and_then(retry_after);
        let again = self.next_attempt(verdict, asked);
        let record = Attempt {
            outcome: attempt.outcome(),
            status,
            cause: attempt.error().map(|error| error.to_string().into()),
            elapsed: self.attempt_elapsed(),
            delay: again.as_ref().map(|again| again.delay),
        };
        if let Some(Again { delay, .. }) = again {
            events::retrying(&record, self.number(), delay);
        }
        self.renewed |= verdict == Verdict::Renewed;
        self.is_paid = again.as_ref().is_some_and(|again| again.is_paid);
        self.record(record);
        let is_lost = is_success(status) && self.safety == Safety::NonIdempotent;
        self.let_a_401_stand(result);
        match again {
            Some(_) if verdict == Verdict::Renewed => self.keep_refused(take(result)),
            Some(_) if is_lost => self.kept = Some(Box::new(take(result))),
            Some(_) => {}
            None => *result = self.conclude(take(result)),
        }
        again.map(|again| again.until)
    }

    /// Returns which attempt is in flight, or would be next; counted from 1.
    fn number(&self) -> u32 {
        u32::try_from(self.attempts.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    fn record(&mut self, attempt: Attempt) {
        if let Some(context) = &self.context {
            let place = self.place.take();
            match place {
                Some(place) => context.end_attempt(place, attempt.clone()),
                None => _ = context.add_attempt(|| attempt.clone()),
            }
        }
        self.attempts.push(attempt);
    }

    fn attempt_elapsed(&self) -> Duration {
        self.attempt_start.map_or(Duration::ZERO, |start| start.elapsed())
    }

    fn timeout_error(&self) -> TimeoutError {
        TimeoutError::new(Limit::Operation, self.time().map(CallTime::length).unwrap_or_default())
    }
}

impl<B> Call<B> {
    fn policy(&self) -> &RetryPolicy {
        self.context.as_ref().and_then(CallContext::policy).unwrap_or_else(|| self.layer.parts().0)
    }

    fn pace(&self) -> &Pace {
        self.layer.parts().1
    }

    /// Leaves the turn that it waits for to others, and takes back what it has paid for the attempt.
    fn give_back(&mut self) {
        if std::mem::take(&mut self.is_paid) {
            self.policy().budget().refund();
        }
        self.layer.parts().1.give_back(self.safety, &mut self.ticket);
    }
}

impl<B> Drop for Call<B> {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// Takes a result out of its place.
fn take(result: &mut Attempted) -> Attempted {
    std::mem::replace(result, Ok(Response::default()))
}

/// Takes the context out of a request, so that no attempt has to clone it.
#[inline]
pub(super) fn take_context<B>(request: &mut Request<B>) -> Option<CallContext> {
    if request.extensions().is_empty() {
        return None;
    }
    let context = request.extensions_mut().remove();
    if request.extensions().is_empty() {
        // An empty map is cloned with each attempt too; none costs nothing.
        *request.extensions_mut() = Extensions::new();
    }
    context
}

fn in_flight() -> Attempt {
    Attempt::failed(Outcome::Unknown, "in flight", Duration::ZERO)
}

fn is_success(status: Option<StatusCode>) -> bool {
    status.is_some_and(|status| status.is_success())
}

//! Revokes, and shows how far it has come.

use std::time::Duration;

use futures_util::StreamExt as _;
use magicbell::revocation::{
    Journal, OwnToken, Progress, RevocationOutcome, RevocationReport, RevocationStream, Revocations, StopHandle,
};
use magicbell::{Client, RateLimit};

use super::bar::Bar;
use super::confirm::with_causes;
use super::outcomes::Outcomes;
use super::plan::{Kind, Plan};
use crate::exit::{Failure, say};
use crate::pause::Pause;
use crate::signals::Signals;

/// How many failures are kept for the report; all are counted.
const KEPT: usize = 1_000;
const TICK: Duration = Duration::from_millis(500);

type PlannedIds = magicbell::revocation::Ids<std::vec::IntoIter<String>>;

pub(super) struct Settings {
    pub(super) concurrency: u16,
    pub(super) own_token: OwnToken,
    pub(super) journal: Option<Journal>,
    pub(super) limit: RateLimit,
}

/// What came of it.
pub(super) struct Ran {
    pub(super) report: RevocationReport,
    /// Whether the lines of the outcomes can't be written any more.
    pub(super) lines_failed: bool,
}

pub(super) async fn run(
    client: &Client,
    plan: &Plan,
    settings: Settings,
    outcomes: Outcomes,
    signals: &mut Signals,
) -> Result<Ran, Failure> {
    let batch = revocations(client, plan).concurrency(settings.concurrency.into()).own_token(settings.own_token);
    let has_journal = settings.journal.is_some();
    let batch = match settings.journal {
        Some(journal) => batch.journal(journal).map_err(|error| Failure::bad_input(with_causes(&error)))?,
        None => batch,
    };
    let watch = Watch {
        client,
        stop: batch.stop_handle(),
        progress: Progress::new(plan.count()).rate_limit(&settings.limit),
        report: RevocationReport::keeping(KEPT),
        bar: Bar::new(),
        outcomes,
        lines_failed: false,
    };
    let mut stream = batch.stream();
    let mut watch = watch.follow(plan, &mut stream, signals).await;
    watch.bar.clear();
    watch.report.finish(&stream);
    say(format_args!("{:#}", watch.report));
    if let Some(error) = &watch.report.journal_error {
        say(format_args!("the journal: {}", with_causes(error)));
    }
    let left = watch.report.count(RevocationOutcome::NotAttempted);
    if watch.report.stopped.is_some() && left > 0 {
        let how = if has_journal { "the same command with --resume goes on" } else { "give the ids again to go on" };
        say(format_args!("{left} were not attempted: {how}"));
    }
    Ok(Ran { report: watch.report, lines_failed: watch.lines_failed })
}

fn revocations(client: &Client, plan: &Plan) -> Revocations<PlannedIds> {
    match plan {
        Plan::Listed { plan, .. } => plan.revocations(client),
        Plan::Ids { kind: Kind::User, ids, .. } => client.jwt().discard_user_jwts(ids.clone()),
        Plan::Ids { kind: Kind::Project, ids, .. } => client.jwt().discard_project_jwts(ids.clone()),
    }
}

struct Watch<'a> {
    client: &'a Client,
    stop: StopHandle,
    progress: Progress,
    report: RevocationReport,
    bar: Bar,
    outcomes: Outcomes,
    lines_failed: bool,
}

impl Watch<'_> {
    /// Takes the outcomes as they come, to the last.
    async fn follow(mut self, plan: &Plan, stream: &mut RevocationStream<PlannedIds>, signals: &mut Signals) -> Self {
        let mut tick = tokio::time::interval(TICK);
        let mut signalled = 0;
        loop {
            tokio::select! {
                outcome = stream.next() => match outcome {
                    Some(revocation) => self.take(plan, revocation),
                    None => return self,
                },
                () = signals.next() => {
                    signalled += 1;
                    self.stop.stop();
                    self.bar.say(&match signalled {
                        1 => format!(
                            "stopping: of {} in flight, what was sent may end, and the others aren't sent; Ctrl-C again ends it at once",
                            stream.in_flight()
                        ),
                        _ => "ended".to_owned(),
                    });
                }
                // Also while nothing comes: a pause is part of the time left.
                _ = tick.tick() => {
                    self.bar.tick(&self.progress, self.report.rate_limited(), Pause::of_writes(self.client));
                }
            }
        }
    }

    fn take(&mut self, plan: &Plan, revocation: magicbell::revocation::Revocation) {
        if self.outcomes.is_terminal() {
            self.bar.clear();
        }
        if !self.lines_failed
            && let Err(error) = self.outcomes.write(&revocation)
        {
            // What can't be told must not be done.
            self.lines_failed = true;
            self.stop.stop();
            self.bar.say(&format!("stopping: the outcomes can't be written: {error}"));
        }
        if revocation.outcome == RevocationOutcome::NotAttempted && plan.keeps(&revocation.token_id) {
            return;
        }
        self.progress.record(&revocation);
        self.report.record(revocation);
    }
}

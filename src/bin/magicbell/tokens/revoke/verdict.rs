//! The exit code of a run.

use magicbell::revocation::{RevocationOutcome, StopReason};

use super::batch::Ran;
use super::plan::Plan;
use super::verify::Verified;
use crate::exit::Exit;

/// The most severe of what happened.
pub(super) fn verdict(plan: &Plan, ran: &Ran, verified: Verified) -> Exit {
    let count = |outcome| ran.report.count(outcome);
    match ran.report.stopped {
        Some(StopReason::Unauthorized) => return Exit::BadCredentials,
        Some(StopReason::JournalFailed) => return Exit::Failed,
        _ if ran.lines_failed => return Exit::Failed,
        Some(StopReason::Requested) => return Exit::Stopped,
        _ if verified == Verified::Stopped => return Exit::Stopped,
        _ => {}
    }
    if verified == Verified::Survivors || plan.may_lack_some() {
        return Exit::Unknown;
    }
    // None of them is listed any more, whatever was answered.
    match verified {
        Verified::Clean if ran.report.stopped.is_none() => return Exit::Achieved,
        Verified::MadeMeanwhile if ran.report.stopped.is_none() => return Exit::MadeMeanwhile,
        _ => {}
    }
    if count(RevocationOutcome::Unknown) + count(RevocationOutcome::Unverified) > 0 {
        return Exit::Unknown;
    }
    if ran.report.is_complete() { Exit::Achieved } else { Exit::NotRevoked }
}

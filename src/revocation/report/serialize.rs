//! The report, for a program: names that stay, and no text of an answer.

use std::time::Duration;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::failure_group::{FailureGroup, request_id, snake_case};
use super::report_type::RevocationReport;
use crate::error::Error;
use crate::revocation::words::shown_id;
use crate::revocation::{JournalError, Revocation, RevocationOutcome};

/// As an object: `total`, `complete`, `counts` with each outcome, `presumed`, `from_journal`, `stopped`, `journal_error`, `elapsed_ms`,
/// `tried`, `per_minute`, `attempts`, `rate_limited`, `failure_groups`, `failures` and `failures_left_out`. Fields may be added.
///
/// Of an error there is its kind, its status and the id of its request, never its text: that may be the service's, or a layer's.
impl Serialize for RevocationReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("total", &self.total())?;
        map.serialize_entry("complete", &self.is_complete())?;
        map.serialize_entry("counts", &Counts(self))?;
        map.serialize_entry("presumed", &self.presumed())?;
        map.serialize_entry("from_journal", &self.from_journal())?;
        map.serialize_entry("stopped", &self.stopped.map(snake_case))?;
        map.serialize_entry("journal_error", &self.journal_error.as_ref().map(JournalError::kind).map(snake_case))?;
        map.serialize_entry("elapsed_ms", &millis(self.elapsed))?;
        map.serialize_entry("tried", &self.tried())?;
        map.serialize_entry("per_minute", &((self.per_second() * 600.0).round() / 10.0))?;
        map.serialize_entry("attempts", &self.attempts())?;
        map.serialize_entry("rate_limited", &self.rate_limited())?;
        map.serialize_entry("failure_groups", self.failure_groups())?;
        map.serialize_entry("failures", &Failures(&self.failures))?;
        map.serialize_entry("failures_left_out", &self.failures_left_out())?;
        map.end()
    }
}

struct Counts<'a>(&'a RevocationReport);

impl Serialize for Counts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(RevocationOutcome::ALL.map(|outcome| (outcome.as_str(), self.0.count(outcome))))
    }
}

impl Serialize for FailureGroup {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("outcome", self.outcome.as_str())?;
        map.serialize_entry("error", &self.kind.map(snake_case))?;
        map.serialize_entry("status", &self.status.map(|status| status.as_u16()))?;
        map.serialize_entry("count", &self.count)?;
        map.serialize_entry("token_id", shown_id(&self.token_id))?;
        map.serialize_entry("request_id", &self.request_id)?;
        map.end()
    }
}

struct Failures<'a>(&'a [Revocation]);

impl Serialize for Failures<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0)
    }
}

/// As an object: `index`, `token_id`, `outcome`, `error`, `status`, `request_id`, `attempts`, `rate_limited`, `elapsed_ms` and
/// `from_journal`. Fields may be added.
///
/// No text of an answer is in it, and a token that was given in place of an id isn't either.
impl Serialize for Revocation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("index", &self.index)?;
        map.serialize_entry("token_id", shown_id(&self.token_id))?;
        map.serialize_entry("outcome", self.outcome.as_str())?;
        map.serialize_entry("error", &self.error.as_ref().map(Error::kind).map(snake_case))?;
        map.serialize_entry("status", &self.status.map(|status| status.as_u16()))?;
        map.serialize_entry("request_id", &request_id(self))?;
        map.serialize_entry("attempts", &self.attempts)?;
        map.serialize_entry("rate_limited", &self.rate_limited)?;
        map.serialize_entry("elapsed_ms", &millis(self.elapsed))?;
        map.serialize_entry("from_journal", &self.from_journal)?;
        map.end()
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, StatusCode};

    use super::*;
    use crate::revocation::StopReason;

    /// A run made by hand: revoked, refused, shared, never tried, and a token in place of an id.
    fn by_hand() -> RevocationReport {
        let mut report = RevocationReport::keeping(3);
        let mut record = |index, id: &str, outcome, attempts, status: Option<StatusCode>| {
            let mut revocation = Revocation::new(index, id.to_owned(), outcome);
            (revocation.attempts, revocation.status, revocation.elapsed) = (attempts, status, Duration::from_millis(7));
            revocation.rate_limited = attempts / 2;
            revocation.request_id = status.map(|_| HeaderValue::from_static("r-1"));
            revocation.is_shared = index == 2;
            report.record(revocation);
        };
        record(0, "a", RevocationOutcome::Revoked, 2, Some(StatusCode::OK));
        record(1, "b", RevocationOutcome::Unknown, 3, Some(StatusCode::SERVICE_UNAVAILABLE));
        record(2, "b", RevocationOutcome::Unknown, 3, Some(StatusCode::SERVICE_UNAVAILABLE));
        record(3, "eyJhbGciOiJub25lIn0.e30.", RevocationOutcome::InvalidId, 0, None);
        record(4, "c", RevocationOutcome::NotAttempted, 0, None);
        let told = Revocation {
            from_journal: true,
            attempts: 4,
            ..Revocation::new(5, "d".into(), RevocationOutcome::Revoked)
        };
        report.record(told);
        report.stopped = Some(StopReason::AllNotFound);
        report.journal_error = Some(JournalError::in_use());
        report.elapsed = Duration::from_millis(1_500);
        report
    }

    #[test]
    fn the_json_of_a_report_is_stable() {
        let expected = concat!(
            r#"{"total":6,"complete":false,"#,
            r#""counts":{"revoked":2,"already_revoked":0,"not_found":0,"refused":0,"unknown":2,"unverified":0,"#,
            r#""invalid_id":1,"not_attempted":1},"presumed":0,"from_journal":1,"#,
            r#""stopped":"all_not_found","journal_error":"in_use","elapsed_ms":1500,"tried":3,"per_minute":120.0,"attempts":5,"rate_limited":2,"#,
            r#""failure_groups":["#,
            r#"{"outcome":"unknown","error":null,"status":503,"count":2,"token_id":"b","request_id":"r-1"},"#,
            r#"{"outcome":"invalid_id","error":null,"status":null,"count":1,"token_id":"[a token, not an id]","#,
            r#""request_id":null},"#,
            r#"{"outcome":"not_attempted","error":null,"status":null,"count":1,"token_id":"c","request_id":null}],"#,
            r#""failures":["#,
            r#"{"index":1,"token_id":"b","outcome":"unknown","error":null,"status":503,"request_id":"r-1","attempts":3,"#,
            r#""rate_limited":1,"elapsed_ms":7,"from_journal":false},"#,
            r#"{"index":2,"token_id":"b","outcome":"unknown","error":null,"status":503,"request_id":"r-1","attempts":3,"#,
            r#""rate_limited":1,"elapsed_ms":7,"from_journal":false},"#,
            r#"{"index":3,"token_id":"[a token, not an id]","outcome":"invalid_id","error":null,"status":null,"#,
            r#""request_id":null,"attempts":0,"rate_limited":0,"elapsed_ms":7,"from_journal":false}],"#,
            r#""failures_left_out":1}"#,
        );
        assert_eq!(serde_json::to_string(&by_hand()).unwrap(), expected);
    }

    #[test]
    fn a_report_has_one_line_and_can_have_several() {
        let report = by_hand();
        assert_eq!(
            report.to_string(),
            "6 ids in 1.5s: 2 revoked 2 unknown 1 invalid_id 1 not_attempted; stopped: the first ids were all not found: \
             wrong project, or the other kind of token?"
        );
        let expected = "6 ids in 1.5 s: 2.0 a second, 120 a minute\n         2  revoked\n         2  unknown\n         1  \
                        invalid_id\n         1  not_attempted\n5 requests, 2 of them answered 429\n1 told by the journal, and not sent\nstopped: the first ids \
                        were all not found: wrong project, or the other kind of token?\n4 failures:\n         2  unknown, \
                        503; first b, request r-1\n         1  invalid_id; first [a token, not an id]\n         1  \
                        not_attempted; first c\n1 counted and not kept";
        assert_eq!(format!("{report:#}"), expected);
    }

    #[test]
    fn an_echoed_token_is_no_request_id() {
        let mut revocation = Revocation::new(0, "a".to_owned(), RevocationOutcome::Refused);
        for echoed in ["eyJhbGciOiJub25lIn0.e30.", &"x".repeat(65)] {
            revocation.request_id = HeaderValue::from_str(echoed).ok();
            assert_eq!(request_id(&revocation), None);
        }
    }
}

//! Failures that are alike.

use std::fmt::{self, Debug};

use http::StatusCode;

use crate::error::{Error, ErrorKind};
use crate::revocation::words::{Shown, shown_id};
use crate::revocation::{Revocation, RevocationOutcome};

/// Failures that are alike: how many there are, and the first of them, to look into or to ask the service's support about.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use magicbell::testing::{Fault, Server};
///
/// let server = Server::start().await?;
/// let client = server.client();
/// server.fail_next(Fault::status(403).times(3));
/// let report = client.jwt().discard_user_jwts(server.add_user_tokens("hana", 10)).run().await;
///
/// // What to write to the service's support.
/// let [group] = report.failure_groups() else { panic!("{report:#}") };
/// assert_eq!((group.count, group.status.map(|status| status.as_u16())), (3, Some(403)));
/// assert!(group.to_string().contains(group.request_id.as_deref().ok_or("it sent none")?));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailureGroup {
    /// What became of these ids.
    pub outcome: RevocationOutcome,
    /// What kind of thing went wrong; `None` where nothing was sent, or where a layer panicked.
    pub kind: Option<ErrorKind>,
    /// The last status, where one arrived.
    pub status: Option<StatusCode>,
    /// How many there are.
    pub count: u64,
    /// The first one's id, as it was given.
    pub token_id: String,
    /// The service's own id of the first one's last request, where it sent one.
    pub request_id: Option<String>,
    /// Whether only inputs that shared another one's request are in it yet: that one's error says the kind.
    pub(super) is_kind_open: bool,
}

impl FailureGroup {
    /// Counts a failure into its group, or begins one.
    pub(super) fn count(groups: &mut Vec<Self>, failure: &Revocation) {
        let kind = failure.error.as_ref().map(Error::kind);
        // An input that shares another one's request shares its error too, of which there is only one.
        let is_alike = |group: &&mut Self| {
            (group.outcome, group.status) == (failure.outcome, failure.status)
                && (group.kind == kind || failure.is_shared || group.is_kind_open)
        };
        match groups.iter_mut().find(is_alike) {
            Some(group) => {
                group.count += 1;
                if group.is_kind_open && !failure.is_shared {
                    (group.kind, group.is_kind_open) = (kind, false);
                }
            }
            None => groups.push(Self {
                outcome: failure.outcome,
                kind,
                status: failure.status,
                count: 1,
                token_id: failure.token_id.clone(),
                request_id: request_id(failure).map(str::to_owned),
                is_kind_open: failure.is_shared,
            }),
        }
    }
}

/// The longest id of a request that is passed on: what is longer may be a token that the service, or something in front of it,
/// echoes.
const LONGEST_REQUEST_ID: usize = 64;

pub(super) fn request_id(failure: &Revocation) -> Option<&str> {
    failure.request_id().filter(|id| id.len() <= LONGEST_REQUEST_ID && !id.contains("eyJ"))
}

/// The name of a variant without fields in `snake_case`, as JSON has it.
pub(super) fn snake_case(variant: impl Debug) -> String {
    let mut name = String::new();
    for char in format!("{variant:?}").chars().take_while(char::is_ascii_alphanumeric) {
        if char.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(char.to_ascii_lowercase());
    }
    name
}

/// Says what is alike in one line: `unknown, api, 503; first 550e…, request 7f…`.
impl fmt::Display for FailureGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.outcome)?;
        if let Some(kind) = self.kind {
            write!(f, ", {}", snake_case(kind))?;
        }
        if let Some(status) = self.status {
            write!(f, ", {}", status.as_u16())?;
        }
        write!(f, "; first {}", Shown(shown_id(&self.token_id)))?;
        match &self.request_id {
            Some(request_id) => write!(f, ", request {}", Shown(request_id)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revocation::StopReason;

    #[test]
    fn names_are_in_snake_case() {
        assert_eq!(snake_case(ErrorKind::UnexpectedStatus), "unexpected_status");
        assert_eq!(snake_case(ErrorKind::Api), "api");
        assert_eq!(snake_case(StopReason::AllNotFound), "all_not_found");
        assert_eq!(snake_case(Some(ErrorKind::Api)), "some", "no field of a variant is shown");
    }
}

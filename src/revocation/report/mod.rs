//! What became of all of them.

mod display;
mod failure_group;
mod report_type;
mod serialize;

pub use failure_group::FailureGroup;
pub use report_type::RevocationReport;

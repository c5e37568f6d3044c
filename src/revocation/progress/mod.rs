//! How far a batch has come, and how long it will take yet.

mod display;
mod estimate;
mod history;
mod progress_type;

pub use estimate::{Basis, Estimate};
pub use progress_type::Progress;

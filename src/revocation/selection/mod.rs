//! Which tokens: chosen from a list that has come to rest, planned before anything is sent, and looked for afterwards.

mod choice;
mod list_error;
mod listing;
mod plan;
mod plan_display;
mod selected_token;
mod selection_type;
mod settling;
mod verification;
mod verify;

pub use list_error::ListError;
pub use plan::RevocationPlan;
pub use selected_token::SelectedToken;
pub use selection_type::Selection;
pub use verification::Verification;
pub use verify::Verify;

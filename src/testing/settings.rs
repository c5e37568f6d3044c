//! What the builder decides, once and for all.

use super::rate_limit::RateLimit;

/// The settings of a server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) rate_limit: Option<RateLimit>,
    pub(super) honour_idempotency_keys: bool,
    pub(super) max_page_size: usize,
    pub(super) default_page_size: usize,
}

impl Settings {
    /// With a default page size that is within the maximum.
    pub(super) fn consistent(mut self) -> Self {
        self.default_page_size = self.default_page_size.min(self.max_page_size);
        self
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self { rate_limit: None, honour_idempotency_keys: true, max_page_size: 100, default_page_size: 20 }
    }
}

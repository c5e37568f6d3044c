#![doc = include_str!("guide.md")]

#[doc = include_str!("production.md")]
pub mod production {}

#[doc = include_str!("security.md")]
pub mod security {}

#[doc = include_str!("migrating_from_go.md")]
pub mod migrating_from_go {}

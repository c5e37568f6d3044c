#![doc = include_str!("guide.md")]
#![doc = ""]
// A module that a feature brings is on docs.rs where it isn't here.
#![cfg_attr(feature = "testing", doc = "[`testing`]: mod@crate::testing")]
#![cfg_attr(feature = "testing", doc = "[`testing::Server`]: crate::testing::Server")]
#![cfg_attr(not(feature = "testing"), doc = "[`testing`]: https://docs.rs/magicbell/latest/magicbell/testing/")]
#![cfg_attr(
    not(feature = "testing"),
    doc = "[`testing::Server`]: https://docs.rs/magicbell/latest/magicbell/testing/struct.Server.html"
)]

#[doc = include_str!("production.md")]
pub mod production {}

#[doc = include_str!("security.md")]
#[doc = ""]
#[cfg_attr(feature = "testing", doc = "[`testing::assert_hidden`]: crate::testing::assert_hidden")]
#[cfg_attr(
    not(feature = "testing"),
    doc = "[`testing::assert_hidden`]: https://docs.rs/magicbell/latest/magicbell/testing/fn.assert_hidden.html"
)]
pub mod security {}

#[doc = include_str!("migrating_from_go.md")]
pub mod migrating_from_go {}

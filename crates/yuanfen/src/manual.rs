//! The manual: how Yuanfen is built and how it is used, kept beside the code so that it is versioned, linked and
//! tested with it.

#[doc = include_str!("../docs/architecture.md")]
pub mod architecture {}

#[doc = include_str!("../docs/errors.md")]
pub mod errors {}

#[doc = include_str!("../docs/signing.md")]
pub mod signing {}

#[doc = include_str!("../docs/notifications.md")]
pub mod notifications {}

#[doc = include_str!("../docs/operations.md")]
pub mod operations {}

#[doc = include_str!("../docs/when-to-ask.md")]
pub mod when_to_ask {}

#[doc = include_str!("../docs/access.md")]
pub mod access {}

#[doc = include_str!("../docs/mini-program.md")]
pub mod mini_program {}

#[doc = include_str!("../docs/sandbox.md")]
pub mod sandbox {}

#[doc = include_str!("../docs/vectors.md")]
pub mod vectors {}

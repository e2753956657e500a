#![doc = include_str!("../README.md")]

mod account;
pub mod codes;
mod fees;
mod finding;
mod message;
pub mod notify;
pub mod ops;
mod pages;
mod provider;
pub mod settle;
mod spellings;
#[cfg(any(test, feature = "test-util"))]
pub mod test_util;

pub use account::{Account, PRODUCTION_BASE, SetupError, TEST_BASE};
pub use fees::Fees;
pub use message::Message;
pub use provider::Reply;
pub use yuanfen_core::PrepayId;
pub use yuanfen_envelope::{CallbackBody, CallbackRules, EmptyValues};
pub use yuanfen_sign::legacy::RsaDigest;

#![doc = include_str!("../README.md")]

mod account;
pub mod codes;
mod finding;
mod message;
pub mod notify;
pub mod ops;
mod pages;
mod provider;
pub mod settle;
mod sign;
#[cfg(any(test, feature = "test-util"))]
pub mod test_util;

pub use account::{Account, AmountSpelling, PaidCodes, SetupError};
pub use message::Message;
pub use pages::{FrontReturn, OpenidPage};
pub use provider::Reply;
pub use sign::SCHEME;

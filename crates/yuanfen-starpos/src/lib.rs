#![doc = include_str!("../README.md")]

mod account;
mod charset;
pub mod codes;
mod finding;
mod message;
pub mod notify;
pub mod ops;
mod pay_params;
mod provider;
pub mod settle;
mod sign;
#[cfg(any(test, feature = "test-util"))]
pub mod test_util;

pub use account::{Account, PRODUCTION_BASE, PayMode, SetupError};
pub use charset::BodyEncoding;
pub use message::{Message, SignedAs};
pub use pay_params::PageParams;
pub use provider::Reply;
pub use sign::{RULES, SCHEME};
/// The authorization step in front of a payment, from `yuanfen-wechat-web`.
pub use yuanfen_wechat_web::{Authorize, Scope, State};

#![doc = include_str!("../README.md")]

mod account;
pub mod codes;
mod message;
pub mod notify;
pub mod ops;
mod pay_params;
mod provider;
pub mod settle;
mod sign;
#[cfg(any(test, feature = "test-util"))]
pub mod test_util;
mod trade;

pub use account::{Account, DEFAULT_BASE, SetupError};
pub use message::Message;
pub use pay_params::{BridgeParams, ChooseWxPayParams};
pub use provider::Reply;
pub use sign::{RULES, SignType};
pub use trade::{Coupon, CouponType, TradeState, TradeType};
pub use yuanfen_core::PrepayId;

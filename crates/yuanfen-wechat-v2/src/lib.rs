#![doc = include_str!("../README.md")]

mod account;
pub mod bill;
pub mod codes;
mod finding;
mod message;
mod native_link;
pub mod notify;
pub mod ops;
mod pay_params;
mod payer;
mod provider;
mod query;
mod scene;
pub mod settle;
mod sign;
mod sub_merchant;
#[cfg(any(test, feature = "test-util"))]
pub mod test_util;
mod till;
mod trade;

pub use account::{Account, BACKUP_BASE, DEFAULT_BASE, SetupError};
pub use bill::{BillCheck, BillFile, BillText, bill_ready_at};
pub use message::Message;
pub use native_link::{ScanAnswer, ScannedProduct};
pub use pay_params::{AppParams, BridgeParams, ChooseWxPayParams, MiniProgramParams};
pub use payer::{Payer, PayerApp};
pub use provider::Reply;
pub use scene::{H5Scene, StoreScene};
pub use sign::{RULES, SignType};
pub use sub_merchant::SubMerchant;
pub use trade::{Coupon, CouponType, TradeState, TradeType};
pub use yuanfen_core::PrepayId;

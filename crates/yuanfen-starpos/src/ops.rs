//! The calls, one file each.

mod pay_official_account;
mod query_official_account;
mod query_order;
mod query_refund;
mod refund;

pub use pay_official_account::{PayOfficialAccount, Payer, StartedPay};
pub use query_official_account::{OfficialAccount, QueryOfficialAccount};
pub use query_order::{OrderKey, QueriedOrder, QueryOrder};
pub use query_refund::{QueriedRefund, QueryRefund, RefundKey};
pub use refund::{Refund, RefundedPayment};

use yuanfen_core::RouteInfo;

/// Every call of this crate.
#[must_use]
pub fn routes() -> Vec<RouteInfo> {
    vec![
        RouteInfo::of::<QueryOfficialAccount>(),
        RouteInfo::of::<PayOfficialAccount>(),
        RouteInfo::of::<QueryOrder>(),
        RouteInfo::of::<Refund>(),
        RouteInfo::of::<QueryRefund>(),
    ]
}

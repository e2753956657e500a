//! The calls, one file each.

mod micropay;
mod place_order;
mod query_order;
mod query_refund;
mod refund;
mod reverse_order;

pub use micropay::{AuthCode, Micropay, PaidOrder};
pub(crate) use place_order::claim_common;
pub use place_order::{PlaceOrder, PlacedOrder};
pub use query_order::{OrderKey, QueriedOrder, QueryOrder};
pub use query_refund::{QueriedRefunds, QueryRefund, RefundChannel, RefundKey, RefundRecord};
pub use refund::{AcceptedRefund, Refund, RefundAccount, RefundedCoupon};
pub use reverse_order::{Recall, ReverseOrder, ReversedOrder};

use yuanfen_core::RouteInfo;

/// Every call of this crate.
#[must_use]
pub fn routes() -> Vec<RouteInfo> {
    vec![
        RouteInfo::of::<PlaceOrder>(),
        RouteInfo::of::<QueryOrder>(),
        RouteInfo::of::<Refund>(),
        RouteInfo::of::<QueryRefund>(),
        RouteInfo::of::<Micropay>(),
        RouteInfo::of::<ReverseOrder>(),
    ]
}

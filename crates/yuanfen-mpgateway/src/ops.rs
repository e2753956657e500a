//! The calls, one file each.

mod cancel_order;
mod query_order;
mod submit_order;

pub use cancel_order::{CancelOrder, CanceledOrder};
pub use query_order::{OrderKey, QueriedOrder, QueryOrder};
pub use submit_order::{Action, NextStep, SubmitOrder, SubmittedOrder};

use yuanfen_core::RouteInfo;

/// Every call of this crate.
#[must_use]
pub fn routes() -> Vec<RouteInfo> {
    vec![
        RouteInfo::of::<SubmitOrder>(),
        RouteInfo::of::<QueryOrder>(),
        RouteInfo::of::<CancelOrder>(),
    ]
}

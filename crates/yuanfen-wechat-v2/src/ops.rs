//! The calls, one file each.

mod place_order;
mod query_order;

pub(crate) use place_order::claim_common;
pub use place_order::{PlaceOrder, PlacedOrder};
pub use query_order::{OrderKey, QueriedOrder, QueryOrder};

use yuanfen_core::RouteInfo;

/// Every call of this crate.
#[must_use]
pub fn routes() -> Vec<RouteInfo> {
    vec![RouteInfo::of::<PlaceOrder>(), RouteInfo::of::<QueryOrder>()]
}

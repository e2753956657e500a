//! The calls, one file each.

mod pay_wechat_page;
mod query_order;

pub use pay_wechat_page::{PayWechatPage, Place, PrepaidPage};
pub use query_order::{
    AlipayStatus, BestPayStatus, JdStatus, OrderKey, OrderState, QueriedOrder, QueryOrder, WechatState,
};

use yuanfen_core::RouteInfo;

/// Every call of this crate.
#[must_use]
pub fn routes() -> Vec<RouteInfo> {
    vec![RouteInfo::of::<PayWechatPage>(), RouteInfo::of::<QueryOrder>()]
}

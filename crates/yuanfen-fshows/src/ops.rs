//! The calls, one file each.

mod pay_wechat_page;
mod query_order;
mod query_refund;
mod refund;

pub use pay_wechat_page::{PayWechatPage, Place, PrepaidPage};
pub use query_order::{
    AlipayStatus, BestPayStatus, JdStatus, OrderKey, OrderState, QueriedOrder, QueryOrder, WechatState,
};
pub use query_refund::{QueryRefund, RefundKey};
pub use refund::{Refund, RefundRecord, RefundStatus};

use yuanfen_core::RouteInfo;

/// Every call of this crate.
#[must_use]
pub fn routes() -> Vec<RouteInfo> {
    vec![
        RouteInfo::of::<PayWechatPage>(),
        RouteInfo::of::<QueryOrder>(),
        RouteInfo::of::<Refund>(),
        RouteInfo::of::<QueryRefund>(),
    ]
}

//! The calls, one file each.

mod close_order;
mod download_fund_flow_bill;
mod download_trade_bill;
mod exchange_auth_code;
mod micropay;
mod place_order;
mod query_comments;
mod query_order;
mod query_refund;
mod query_refund_v2;
mod refund;
mod refund_v2;
mod report;
mod reverse_order;
mod shorten_link;

pub use close_order::{CloseOrder, ClosedOrder};
pub use download_fund_flow_bill::{AccountType, DownloadFundFlowBill};
pub use download_trade_bill::{BillType, DownloadTradeBill};
pub use exchange_auth_code::{ExchangeAuthCode, ExchangedAuthCode};
pub use micropay::{AuthCode, Micropay, PaidOrder};
pub(crate) use place_order::claim_common;
pub use place_order::{PlaceOrder, PlacedOrder};
pub use query_comments::{Comment, Comments, QueryComments};
pub use query_order::{OrderKey, QueriedOrder, QueryOrder};
pub use query_refund::{QueriedRefunds, QueryRefund, RefundChannel, RefundKey, RefundRecord};
pub use query_refund_v2::QueryRefundV2;
pub use refund::{AcceptedRefund, Refund, RefundAccount, RefundedCoupon};
pub use refund_v2::RefundV2;
pub use report::{CallReport, Report, ReportContent, Reported};
pub use reverse_order::{Recall, ReverseOrder, ReversedOrder};
pub use shorten_link::{ShortenLink, ShortenedLink};

use yuanfen_core::RouteInfo;

/// Every call of this crate.
#[must_use]
pub fn routes() -> Vec<RouteInfo> {
    vec![
        RouteInfo::of::<PlaceOrder>(),
        RouteInfo::of::<QueryOrder>(),
        RouteInfo::of::<CloseOrder>(),
        RouteInfo::of::<Refund>(),
        RouteInfo::of::<RefundV2>(),
        RouteInfo::of::<QueryRefund>(),
        RouteInfo::of::<QueryRefundV2>(),
        RouteInfo::of::<Micropay>(),
        RouteInfo::of::<ReverseOrder>(),
        RouteInfo::of::<DownloadTradeBill>(),
        RouteInfo::of::<DownloadFundFlowBill>(),
        RouteInfo::of::<ExchangeAuthCode>(),
        RouteInfo::of::<ShortenLink>(),
        RouteInfo::of::<QueryComments>(),
        RouteInfo::of::<Report>(),
    ]
}

//! The calls of this route, one per file.

mod apply_abnormal_refund;
mod close_combined_order;
mod close_order;
mod download_bill;
mod download_certificates;
mod download_encrypted_bill;
mod pay_by_code;
mod place_app_order;
mod place_combined_app_order;
mod place_combined_h5_order;
mod place_combined_jsapi_order;
mod place_combined_native_order;
mod place_h5_order;
mod place_jsapi_order;
mod place_native_order;
mod query_combined_order;
mod query_order;
mod query_refund;
mod refund;
mod request_ecommerce_fund_flow_bill;
mod request_fund_flow_bill;
mod request_sub_merchant_fund_flow_bill;
mod request_trade_bill;
mod reverse_order;
mod upload_complaint_image;
mod upload_image;
mod upload_marketing_image;
mod upload_video;

pub use apply_abnormal_refund::{AbnormalRefundTo, ApplyAbnormalRefund, PayerCard};
pub use close_combined_order::CloseCombinedOrder;
pub use close_order::{CloseOrder, ClosedOrder};
pub use download_bill::{DownloadBill, DownloadedBill};
pub use download_certificates::DownloadCertificates;
pub use download_encrypted_bill::{DownloadEncryptedBill, OpenedBill};
pub use pay_by_code::{ChargedCode, PayByCode, PendingCode};
pub use place_app_order::{PlaceAppOrder, PlacedAppOrder};
pub use place_combined_app_order::PlaceCombinedAppOrder;
pub use place_combined_h5_order::PlaceCombinedH5Order;
pub use place_combined_jsapi_order::PlaceCombinedJsapiOrder;
pub use place_combined_native_order::PlaceCombinedNativeOrder;
pub use place_h5_order::{PlaceH5Order, PlacedH5Order};
pub use place_jsapi_order::{PlaceJsapiOrder, PlacedJsapiOrder};
pub use place_native_order::{PlaceNativeOrder, PlacedNativeOrder};
pub use query_combined_order::{QueriedCombinedOrder, QueryCombinedOrder};
pub use query_order::{QueriedOrder, QueryOrder};
pub use query_refund::QueryRefund;
pub use refund::{Refund, RefundSource, RefundedGoods};
pub use request_ecommerce_fund_flow_bill::RequestEcommerceFundFlowBill;
pub use request_fund_flow_bill::{AccountType, RequestFundFlowBill};
pub use request_sub_merchant_fund_flow_bill::RequestSubMerchantFundFlowBill;
pub use request_trade_bill::{BillScope, BillType, RequestTradeBill};
pub use reverse_order::{ReverseOrder, ReversedOrder};
pub use upload_complaint_image::UploadComplaintImage;
pub use upload_image::UploadImage;
pub use upload_marketing_image::{UploadMarketingImage, UploadedMarketingImage};
pub use upload_video::UploadVideo;

use yuanfen_core::RouteInfo;

/// The route's name.
pub(crate) const PROVIDER: &str = "wechat-v3";

/// Every call with what proves its reply.
#[must_use]
pub fn routes() -> Vec<RouteInfo> {
    vec![
        RouteInfo::of::<PlaceJsapiOrder>(),
        RouteInfo::of::<PlaceAppOrder>(),
        RouteInfo::of::<PlaceNativeOrder>(),
        RouteInfo::of::<PlaceH5Order>(),
        RouteInfo::of::<QueryOrder>(),
        RouteInfo::of::<CloseOrder>(),
        RouteInfo::of::<PayByCode>(),
        RouteInfo::of::<ReverseOrder>(),
        RouteInfo::of::<Refund>(),
        RouteInfo::of::<QueryRefund>(),
        RouteInfo::of::<ApplyAbnormalRefund>(),
        RouteInfo::of::<RequestTradeBill>(),
        RouteInfo::of::<RequestFundFlowBill>(),
        RouteInfo::of::<DownloadBill>(),
        RouteInfo::of::<RequestSubMerchantFundFlowBill>(),
        RouteInfo::of::<RequestEcommerceFundFlowBill>(),
        RouteInfo::of::<DownloadEncryptedBill>(),
        RouteInfo::of::<DownloadCertificates>(),
        RouteInfo::of::<PlaceCombinedJsapiOrder>(),
        RouteInfo::of::<PlaceCombinedAppOrder>(),
        RouteInfo::of::<PlaceCombinedNativeOrder>(),
        RouteInfo::of::<PlaceCombinedH5Order>(),
        RouteInfo::of::<QueryCombinedOrder>(),
        RouteInfo::of::<CloseCombinedOrder>(),
        RouteInfo::of::<UploadImage>(),
        RouteInfo::of::<UploadVideo>(),
        RouteInfo::of::<UploadMarketingImage>(),
        RouteInfo::of::<UploadComplaintImage>(),
    ]
}

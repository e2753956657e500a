//! `POST /secapi/pay/refundv2`, behind the merchant's client certificate: a refund of an order with discounts on single
//! items.
//!
//! Query first, as [`Refund`] is, and by the same rules; only the path differs, and the answer tells the discounts as JSON
//! in `promotion_detail` instead of numbered coupons. Known from other people's SDKs, not from a page: v2 sheet,
//! sections 2 and 6.4.

use http::Method;
use yuanfen_core::{Ambient, BuildError, Effect, OpenError, Operation, Route, Verified};

use super::refund::{AcceptedRefund, Refund};
use crate::{Account, Message, Reply};

/// Refunds a paid order with discounts on single items: the same fields, and the same refund number on a repeat.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RefundV2 {
    /// What is refunded; its `detail` names the items.
    pub refund: Refund,
}

impl From<Refund> for RefundV2 {
    fn from(refund: Refund) -> Self {
        Self { refund }
    }
}

impl Operation for RefundV2 {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = AcceptedRefund;

    const ROUTE: Route = Route::new(
        "wechat-v2",
        "refund_v2",
        Method::POST,
        "/secapi/pay/refundv2",
        Effect::QueryFirst,
    )
    .with_client_certificate();

    fn encode(&self, _account: &Account, _ambient: &dyn Ambient) -> Result<Message, BuildError> {
        self.refund.write(&Self::ROUTE)
    }

    fn decode(&self, account: &Account, inbound: Verified<Reply>) -> Result<AcceptedRefund, OpenError> {
        self.refund.accepted_by(inbound, account, &Self::ROUTE)
    }
}

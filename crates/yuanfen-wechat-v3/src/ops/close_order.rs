//! `POST /v3/pay/transactions/out-trade-no/{out_trade_no}/close`: closes an unpaid order, so that its number cannot be paid
//! any more.
//!
//! Repeatable: closing a closed order succeeds. A paid order is refused. Query before, because a payment may complete in
//! parallel, and wait about five minutes after placing. Published as "关闭订单"; v3 sheet, section 15.

use http::Method;
use yuanfen_core::{Ambient, BuildError, Effect, OpenError, Operation, OrderNo, Route, Verified};

use crate::order_ref::ASKED_ORDER_NO;
use crate::{Account, Message, Reply, segment};

/// Closes an unpaid order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloseOrder {
    /// `out_trade_no`: at most 32 characters.
    pub order_no: OrderNo,
}

/// The order is closed. Query it once more before treating it as unpaid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClosedOrder {}

impl CloseOrder {
    /// Closes the order of that number.
    #[must_use]
    pub const fn new(order_no: OrderNo) -> Self {
        Self { order_no }
    }
}

impl Operation for CloseOrder {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = ClosedOrder;

    const ROUTE: Route = Route::new(
        super::PROVIDER,
        "close_order",
        Method::POST,
        "/v3/pay/transactions/out-trade-no/{out_trade_no}/close",
        Effect::Repeatable,
    )
    .with_partner_path("/v3/pay/partner/transactions/out-trade-no/{out_trade_no}/close");

    fn encode(&self, account: &Account, _: &dyn Ambient) -> Result<Message, BuildError> {
        ASKED_ORDER_NO.check(self.order_no.as_str())?;
        let number = segment(self.order_no.as_str());
        let path = account.ids().order_path(&format!("out-trade-no/{number}/close"));
        Message::post(path, &account.ids().merchants_in_body()?)
    }

    fn decode(&self, _: &Account, inbound: Verified<Reply>) -> Result<ClosedOrder, OpenError> {
        inbound.get().no_content(&Self::ROUTE).map(|()| ClosedOrder {})
    }
}

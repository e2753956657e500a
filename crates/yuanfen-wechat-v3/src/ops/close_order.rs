//! `POST /v3/pay/transactions/out-trade-no/{out_trade_no}/close`: closes an unpaid order, so that its number cannot be paid
//! any more.
//!
//! Repeatable: closing a closed order succeeds. When a payment failed and a new number will be used, or the payer's time is
//! over. **Query first**, not within five minutes of ordering, and never a paid order: a payment may complete in parallel,
//! and the refusal `ORDER_PAID` then says that the money has arrived. An order that was paid by code is reversed instead.
//! Published as "关闭订单"; v3 sheet, section 15.

use http::Method;
use yuanfen_core::{Ambient, BuildError, Effect, OpenError, Operation, OrderNo, Route, UnixTime, Verified};

use super::query_order::QueriedOrder;
use crate::order_ref::ASKED_ORDER_NO;
use crate::{Account, Message, Reply, TradeState, TradeType, segment};

/// Closes an unpaid order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloseOrder {
    /// `out_trade_no`: at most 32 characters.
    pub order_no: OrderNo,
    /// When the order was placed, where that is known. It is not sent: the call is refused here when that is less than
    /// five minutes ago. Where it is not known, the platform decides.
    pub placed_at: Option<UnixTime>,
}

/// The order is closed. Query it once more before treating it as unpaid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClosedOrder {}

impl CloseOrder {
    /// How long after ordering an order may be closed, in seconds (v3 sheet, section 15).
    pub const NOT_BEFORE: i64 = 5 * 60;

    /// Closes the order of that number, of which a query said that it is unpaid.
    #[must_use]
    pub const fn new(order_no: OrderNo) -> Self {
        Self {
            order_no,
            placed_at: None,
        }
    }

    /// Closes the order that was just queried.
    ///
    /// # Errors
    /// When it was paid, when it is closed or reversed already, when it is one of a payment by code (which is reversed
    /// instead), and when its state does not say that it is unpaid.
    pub fn after_query(queried: &QueriedOrder) -> Result<Self, BuildError> {
        let conflict = |fields, problem| Err(BuildError::Conflict { fields, problem });
        let order = &queried.transaction;
        if order.trade_type == Some(TradeType::Micropay) {
            return conflict("trade_type", "an order of a payment by code is reversed, not closed");
        }
        match order.trade_state {
            TradeState::NotPay => Ok(Self::new(order.order_no.clone())),
            TradeState::Success | TradeState::Refund => {
                conflict("trade_state", "the order is paid: refund it if it shall not stand")
            }
            TradeState::Closed | TradeState::Revoked => conflict("trade_state", "the order is closed already"),
            TradeState::UserPaying | TradeState::PayError => conflict(
                "trade_state",
                "it is a state of payments by code, which are reversed, not closed",
            ),
            TradeState::Accept | TradeState::Unknown(_) => conflict(
                "trade_state",
                "the state does not say that the order is unpaid: query it again",
            ),
        }
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

    fn encode(&self, account: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        if self
            .placed_at
            .is_some_and(|placed_at| ambient.now().since(placed_at) < Self::NOT_BEFORE)
        {
            return Err(BuildError::Time {
                field: "out_trade_no",
                problem: "is of an order that was placed less than five minutes ago: wait, and query it before closing",
            });
        }
        ASKED_ORDER_NO.check(self.order_no.as_str())?;
        let number = segment(self.order_no.as_str());
        let path = account.ids().order_path(&format!("out-trade-no/{number}/close"));
        Message::post(path, &account.ids().merchants_in_body()?)
    }

    fn decode(&self, _: &Account, inbound: Verified<Reply>) -> Result<ClosedOrder, OpenError> {
        inbound.get().no_content(&Self::ROUTE).map(|()| ClosedOrder {})
    }
}

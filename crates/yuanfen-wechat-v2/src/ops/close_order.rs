//! `POST /pay/closeorder` (关闭订单). Repeatable: an order that is closed stays closed.
//!
//! When a payment failed and a new number will be used, or the payer's time at the cashier is over. **Query first**, not
//! within five minutes of ordering, and never a paid order: a payment may complete while the order is being closed, and
//! the refusal `ORDERPAID` then says that the money has arrived. An order that was paid by a scanned code is reversed
//! instead. Contract: v2 sheet, section 6.3.

use http::Method;
use yuanfen_core::{
    Ambient, BuildError, Effect, Extra, OpenError, Operation, OrderNo, Route, Taker, UnixTime, Verified,
};

use super::place_order::claim_common;
use super::query_order::{ORDER_NO, QueriedOrder};
use crate::message::Writer;
use crate::{Account, Message, Reply, TradeState, TradeType};

/// Closes an unpaid order, so that its number cannot be paid any more.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloseOrder {
    /// `out_trade_no`: letters, digits and `_-|*@`, at most 32.
    pub order_no: OrderNo,
    /// When the order was placed, where that is known. It is not sent: the call is refused here when that is less than
    /// five minutes ago, because the platform refuses it too.
    pub placed_at: Option<UnixTime>,
}

impl CloseOrder {
    /// How long after ordering an order may be closed, in seconds (v2 sheet, section 6.3).
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
    /// When it was paid, when it is closed or reversed already, when it is one of a scanned code (which is reversed
    /// instead), and when its state does not say that it is unpaid.
    pub fn after_query(queried: &QueriedOrder) -> Result<Self, BuildError> {
        let conflict = |fields, problem| Err(BuildError::Conflict { fields, problem });
        if queried.trade_type == Some(TradeType::Micropay) {
            return conflict("trade_type", "an order of a scanned code is reversed, not closed");
        }
        match queried.trade_state {
            TradeState::NotPaid | TradeState::PayError => Ok(Self::new(queried.order_no.clone())),
            TradeState::Success | TradeState::Refund => {
                conflict("trade_state", "the order is paid: refund it if it shall not stand")
            }
            TradeState::Closed | TradeState::Revoked => conflict("trade_state", "the order is closed already"),
            TradeState::UserPaying | TradeState::Accepted | TradeState::Unknown(_) => conflict(
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
        "wechat-v2",
        "close_order",
        Method::POST,
        "/pay/closeorder",
        Effect::Repeatable,
    );

    fn encode(&self, _account: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        if self
            .placed_at
            .is_some_and(|placed_at| ambient.now().since(placed_at) < Self::NOT_BEFORE)
        {
            return Err(BuildError::Time {
                field: "out_trade_no",
                problem: "is of an order that was placed less than five minutes ago: wait, and query it before closing",
            });
        }
        let mut writer = Writer::default();
        writer.text(&ORDER_NO, self.order_no.as_str())?;
        Ok(writer.into_message(Self::ROUTE.path))
    }

    fn decode(&self, account: &Account, inbound: Verified<Reply>) -> Result<ClosedOrder, OpenError> {
        let reply = inbound.into_inner().accepted(account, &Self::ROUTE)?;
        let mut taker = Taker::new(&reply.fields);
        claim_common(&mut taker);
        Ok(ClosedOrder {
            words: taker.maybe("result_msg")?,
            extra: taker.rest(),
        })
    }
}

/// The order is closed. The answer names no order, and a payer who was at the cashier may have been quicker: query it
/// once more before treating it as unpaid.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClosedOrder {
    /// `result_msg`: the platform's words.
    pub words: Option<String>,
    /// What else came.
    pub extra: Extra,
}

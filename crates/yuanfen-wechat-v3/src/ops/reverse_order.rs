//! `POST /v3/pay/transactions/out-trade-no/{out_trade_no}/reverse`: undoes a payment by code. An unpaid order is closed, a
//! paid one is refunded.
//!
//! Query first, and not before 15 seconds after the payment call; repeated while it does not answer or answers with an
//! error. Within seven days. A payment that is known to have succeeded is refunded instead. Orders that were not paid by
//! code are closed instead. Published as "撤销订单"; v3 sheet, section 16.3.

use bytes::Bytes;
use http::Method;
use yuanfen_core::{Ambient, BuildError, Effect, Extra, JsonTaker, OpenError, Operation, OrderNo, Route, Verified};

use crate::order_ref::ASKED_ORDER_NO;
use crate::private::Raw;
use crate::transaction::foreign;
use crate::{Account, Message, Reply, segment};

/// Undoes a payment by code whose outcome is unknown or no longer wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReverseOrder {
    /// `out_trade_no`: at most 32 characters.
    pub order_no: OrderNo,
}

/// The order is reversed: its state is `REVOKED` from now on, and what was paid goes back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReversedOrder {
    /// `out_trade_no`.
    pub order_no: OrderNo,
    /// What this version does not know, as raw JSON text.
    pub extra: Extra,
    raw: Raw,
}

impl ReversedOrder {
    /// The answer's body as it came.
    #[must_use]
    pub const fn raw(&self) -> &Bytes {
        &self.raw.0
    }
}

impl ReverseOrder {
    /// Undoes the payment of that number.
    #[must_use]
    pub const fn new(order_no: OrderNo) -> Self {
        Self { order_no }
    }
}

impl Operation for ReverseOrder {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = ReversedOrder;

    const ROUTE: Route = Route::new(
        super::PROVIDER,
        "reverse_order",
        Method::POST,
        "/v3/pay/transactions/out-trade-no/{out_trade_no}/reverse",
        Effect::QueryFirst,
    )
    .with_partner_path("/v3/pay/partner/transactions/out-trade-no/{out_trade_no}/reverse");

    /// The apps are named too: the page calls `sp_appid` optional, and without it users report `SYSTEM_ERROR`.
    fn encode(&self, account: &Account, _: &dyn Ambient) -> Result<Message, BuildError> {
        ASKED_ORDER_NO.check(self.order_no.as_str())?;
        let number = segment(self.order_no.as_str());
        let path = account.ids().order_path(&format!("out-trade-no/{number}/reverse"));
        Message::post(path, &account.ids().in_body()?)
    }

    fn decode(&self, account: &Account, inbound: Verified<Reply>) -> Result<ReversedOrder, OpenError> {
        let reply = inbound.get();
        let object = reply.object(&Self::ROUTE)?;
        let mut taker = JsonTaker::new(&object);
        account.ids().check_what_is_named(&mut taker)?;
        let order_no: OrderNo = taker.need("out_trade_no")?;
        if order_no != self.order_no {
            return Err(foreign("out_trade_no").into());
        }
        Ok(ReversedOrder {
            order_no,
            extra: taker.rest(),
            raw: Raw(reply.raw().clone()),
        })
    }
}

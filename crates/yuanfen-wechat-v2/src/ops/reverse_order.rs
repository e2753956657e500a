//! `POST /secapi/pay/reverse` (撤销订单), behind the merchant's client certificate. Scanned codes only.
//!
//! An unpaid order is closed, a paid one is refunded. Not before 15 seconds after the payment call; repeated while the
//! answer says so or does not come, with pauses and an end ([`settle`](crate::settle)). An order older than seven days
//! is refunded instead. Contract: v2 sheet, sections 6.6 and 6.7.

use http::Method;
use yuanfen_core::{
    Ambient, BuildError, Effect, Extra, OpenError, Operation, OrderNo, Refusal, RemoteId, Route, Taker, Verified,
    open_enum,
};

use super::place_order::claim_common;
use super::query_order::OrderKey;
use super::refund::put_order;
use crate::message::Writer;
use crate::{Account, Message, Reply};

open_enum! {
    /// `recall`: whether the reversal has to be called again.
    pub enum Recall {
        /// Again: it is not reversed yet.
        Again = "Y",
        /// Not again.
        Done = "N",
    }
}

impl Recall {
    /// What a refused reversal says of being called again, where it says anything: the platform sends `recall` beside
    /// its error code too.
    #[must_use]
    pub fn of_refusal(refusal: &Refusal) -> Option<Self> {
        refusal.detail.as_deref().map(Self::from)
    }
}

/// Undoes a payment by scanned code whose outcome is unknown or no longer wanted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReverseOrder {
    /// Which order. After an unknown outcome there is only our own number.
    pub key: OrderKey,
}

impl ReverseOrder {
    /// By the merchant's number.
    #[must_use]
    pub const fn by_order_no(order_no: OrderNo) -> Self {
        Self {
            key: OrderKey::Merchant(order_no),
        }
    }

    /// By WeChat Pay's number, which the platform recommends where it is known.
    #[must_use]
    pub const fn by_transaction_id(transaction_id: RemoteId) -> Self {
        Self {
            key: OrderKey::Remote(transaction_id),
        }
    }
}

impl Operation for ReverseOrder {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = ReversedOrder;

    const ROUTE: Route = Route::new(
        "wechat-v2",
        "reverse_order",
        Method::POST,
        "/secapi/pay/reverse",
        Effect::QueryFirst,
    )
    .with_client_certificate();

    fn encode(&self, _account: &Account, _ambient: &dyn Ambient) -> Result<Message, BuildError> {
        let mut writer = Writer::default();
        put_order(&mut writer, &self.key)?;
        Ok(writer.into_message(Self::ROUTE.path))
    }

    fn decode(&self, account: &Account, inbound: Verified<Reply>) -> Result<ReversedOrder, OpenError> {
        let reply = inbound.into_inner();
        let recall = reply.fields.filled("recall").map(Box::from);
        let reply = reply.accepted(account, &Self::ROUTE).map_err(|error| match error {
            OpenError::Business(mut refusal) => {
                refusal.detail = recall;
                OpenError::Business(refusal)
            }
            other => other,
        })?;
        let mut taker = Taker::new(&reply.fields);
        claim_common(&mut taker);
        Ok(ReversedOrder {
            // Without it nobody knows whether it is over, so an answer without it is none.
            recall: taker.need("recall")?,
            extra: taker.rest(),
        })
    }
}

/// The platform's answer to a reversal. The order is reversed only when [`is_done`](Self::is_done) says so.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReversedOrder {
    /// `recall`.
    pub recall: Recall,
    /// What else came.
    pub extra: Extra,
}

impl ReversedOrder {
    /// Whether the order is reversed: nothing but `N` says so.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self.recall, Recall::Done)
    }
}

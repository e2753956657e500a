//! `fshows.liquidation.pay.refund.query` (退款查询), `POST /gateway`. Changes nothing.
//!
//! The request is known from one implementation, the answer from none. Contract: fshows sheet, section 9.5.

use http::Method;
use yuanfen_core::{
    Alphabet, Ambient, BuildError, Effect, OpenError, Operation, RefundNo, RemoteId, Route, Rule, Unsigned,
};

use super::query_order::OrderKey;
use super::refund::{Content, RefundRecord};
use crate::{Account, Message, Reply};

/// Asks what became of a refund: by a number of its order and a number of its own.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct QueryRefund {
    /// Whose refund: by `trade_no` or `out_trade_no`.
    pub order: OrderKey,
    /// Which refund.
    pub key: RefundKey,
}

/// One of the two numbers of a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefundKey {
    /// `refund_no`, the platform's number.
    Platform(RemoteId),
    /// `out_refund_no`, the liquidator's number.
    Liquidator(RefundNo),
}

const PLATFORM_REFUND_NO: Rule = Rule::new("refund_no", 64)
    .alphabet(Alphabet::ASCII)
    .source("fshows sheet, section 9.5");

impl QueryRefund {
    /// By the liquidator's number: what settles a refund whose reply was lost.
    #[must_use]
    pub const fn by_refund_no(order: OrderKey, refund_no: RefundNo) -> Self {
        Self {
            order,
            key: RefundKey::Liquidator(refund_no),
        }
    }

    /// By the platform's number.
    #[must_use]
    pub const fn by_platform_refund_no(order: OrderKey, refund_no: RemoteId) -> Self {
        Self {
            order,
            key: RefundKey::Platform(refund_no),
        }
    }
}

impl Operation for QueryRefund {
    type Provider = Account;
    type Inbound = Unsigned<Reply>;
    type Reply = RefundRecord;

    const ROUTE: Route = Route::new("fshows", "query_refund", Method::POST, "/gateway", Effect::Read);

    fn encode(&self, _account: &Account, _ambient: &dyn Ambient) -> Result<Message, BuildError> {
        let mut content = Content::of(&self.order)?;
        match &self.key {
            RefundKey::Platform(id) => {
                PLATFORM_REFUND_NO.check(id.as_str())?;
                content.refund_no = Some(id);
            }
            RefundKey::Liquidator(refund_no) => content = content.with_refund_no(refund_no)?,
        }
        Message::of("fshows.liquidation.pay.refund.query", &content)
    }

    fn decode(&self, _account: &Account, inbound: Unsigned<Reply>) -> Result<RefundRecord, OpenError> {
        let (value, _) = inbound.into_inner().accepted(&Self::ROUTE)?;
        let (refund_no, platform_refund_no) = match &self.key {
            RefundKey::Liquidator(refund_no) => (Some(refund_no), None),
            RefundKey::Platform(id) => (None, Some(id)),
        };
        RefundRecord::read(value)?.about(&self.order, refund_no, platform_refund_no)
    }
}

//! `POST /sdkQryBarcodePay.json` (查询) about a refund. Changes nothing.
//!
//! There is no call of its own for refunds: the query of payments takes the refund's number. That it then tells of the
//! refund is the sheet's reading (section 6.5), never seen in a capture. An `S` about the payment would look like a
//! refund that happened; so the payment's serial number has to be given, and an answer that carries it is refused.

use http::Method;
use yuanfen_core::{
    Ambient, BuildError, Effect, Extra, Fen, FieldError, OpenError, Operation, ProtocolError, ProtocolErrorKind,
    RefundNo, RemoteId, Route, Standing, Taker, Verified,
};

use super::query_official_account::claim_common;
use super::query_order;
use crate::codes::TradeResult;
use crate::{Account, Message, Reply};

/// Asks what became of a refund.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct QueryRefund {
    /// `qryNo`: which refund.
    pub key: RefundKey,
    /// The serial number (`logNo`) of the payment: an answer that has this one is about the payment and says nothing of
    /// the refund, so it is refused. It is not sent.
    pub payment_log_no: RemoteId,
}

/// One of the two numbers of a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefundKey {
    /// `tradeNo`, ours. The answer does not repeat it: what it carries under this name is the query's own number.
    Refund(RefundNo),
    /// `logNo`, the platform's. The answer repeats it, and one that tells another is refused.
    Log(RemoteId),
}

impl RefundKey {
    fn as_str(&self) -> &str {
        match self {
            Self::Refund(refund_no) => refund_no.as_str(),
            Self::Log(log_no) => log_no.as_str(),
        }
    }
}

impl QueryRefund {
    /// By the number that the refund was sent with (`tradeNo`). The payment's serial number is in
    /// [`QueriedOrder`](super::QueriedOrder) and in its push.
    #[must_use]
    pub const fn by_refund_no(refund_no: RefundNo, payment_log_no: RemoteId) -> Self {
        Self {
            key: RefundKey::Refund(refund_no),
            payment_log_no,
        }
    }

    /// By the platform's serial number of the refund (`logNo`). The payment's serial number is another one.
    #[must_use]
    pub const fn by_log_no(log_no: RemoteId, payment_log_no: RemoteId) -> Self {
        Self {
            key: RefundKey::Log(log_no),
            payment_log_no,
        }
    }
}

impl Operation for QueryRefund {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = QueriedRefund;

    const ROUTE: Route = Route::new(
        "starpos",
        "query_refund",
        Method::POST,
        "/sdkQryBarcodePay.json",
        Effect::Read,
    );

    fn encode(&self, account: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        query_order::message(Self::ROUTE.path, account, ambient, self.key.as_str())
    }

    fn decode(&self, account: &Account, inbound: Verified<Reply>) -> Result<QueriedRefund, OpenError> {
        let reply = inbound.into_inner().accepted(account, &Self::ROUTE)?;
        let mut queried = QueriedRefund::read(&reply)?;
        let about_another = matches!(&self.key, RefundKey::Log(asked) if *asked != queried.log_no);
        if about_another || self.payment_log_no == queried.log_no {
            return Err(ProtocolError::new(ProtocolErrorKind::Foreign { field: "logNo" }).into());
        }
        if let RefundKey::Refund(refund_no) = &self.key {
            queried.asked_refund_no = Some(refund_no.clone());
        }
        Ok(queried)
    }
}

/// What became of a refund.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct QueriedRefund {
    /// `result`; absent counts as undecided.
    pub result: Option<TradeResult>,
    /// `logNo`: the platform's serial number of the refund.
    pub log_no: RemoteId,
    /// `orderNo`: the channel's number.
    pub channel_order_no: Option<RemoteId>,
    /// `amount`, fen. Whether this is the payment's or the refund's is not published.
    pub amount: Option<Fen>,
    /// `total_amount`, fen.
    pub total: Option<Fen>,
    /// `refAmt`, fen: what was refunded.
    pub refunded: Option<Fen>,
    /// `selOrderNo`: of the payment.
    pub order_no: Option<String>,
    /// What else came, `tradeNo` of this query among it.
    pub extra: Extra,
    /// The `tradeNo` that it was asked for by.
    pub(crate) asked_refund_no: Option<RefundNo>,
}

impl QueriedRefund {
    fn read(reply: &Reply) -> Result<Self, FieldError> {
        let mut taker = Taker::new(&reply.fields);
        claim_common(&mut taker);
        Ok(Self {
            result: taker.maybe("result")?,
            log_no: taker.need("logNo")?,
            channel_order_no: taker.maybe("orderNo")?,
            amount: taker.maybe("amount")?,
            total: taker.maybe("total_amount")?,
            refunded: taker.maybe("refAmt")?,
            order_no: taker.maybe("selOrderNo")?,
            extra: taker.rest(),
            asked_refund_no: None,
        })
    }

    /// What this says about a refund whose outcome was unknown. Only `S` and `F` are ends of a refund; everything else
    /// counts as pending.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        match &self.result {
            Some(TradeResult::Success) => Standing::Succeeded,
            Some(TradeResult::Failed) => Standing::Failed,
            Some(TradeResult::Waiting | TradeResult::Undecided | TradeResult::Revoked | TradeResult::Unknown(_))
            | None => Standing::Pending,
        }
    }
}

//! `POST /sdkQryBarcodePay.json` (查询) about a refund. Changes nothing.
//!
//! There is no call of its own for refunds: the query of payments takes the refund's number. That it then tells of the
//! refund is the sheet's reading (section 6.5), never seen in a capture; so an answer about the payment is refused where
//! the payment's serial number is known.

use http::Method;
use yuanfen_core::{
    Alphabet, Ambient, BuildError, Clock14, Effect, Extra, Fen, FieldError, OpenError, Operation, ProtocolError,
    ProtocolErrorKind, RefundNo, RemoteId, Route, Rule, Standing, Taker, Verified, nonce_text,
};

use super::query_official_account::claim_common;
use crate::codes::TradeResult;
use crate::message::{SignedAs, Writer};
use crate::{Account, Message, Reply};

/// Asks what became of a refund.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct QueryRefund {
    /// `qryNo`: the `tradeNo` or `logNo` of the refund.
    pub number: String,
    /// The serial number (`logNo`) of the payment, where it is known: an answer that has this one is about the payment
    /// and says nothing of the refund, so it is refused. It is not sent. Not set by the constructors.
    pub payment_log_no: Option<RemoteId>,
}

const NUMBER: Rule = Rule::new("qryNo", 64)
    .alphabet(Alphabet::ASCII)
    .source("StarPos sheet, section 6.5");

impl QueryRefund {
    /// By the number that the refund was sent with (`tradeNo`).
    #[must_use]
    pub fn by_refund_no(refund_no: &RefundNo) -> Self {
        Self {
            number: refund_no.to_string(),
            payment_log_no: None,
        }
    }

    /// By the platform's serial number of the refund (`logNo`).
    #[must_use]
    pub fn by_log_no(log_no: &RemoteId) -> Self {
        Self {
            number: log_no.to_string(),
            payment_log_no: None,
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
        let mut writer = Writer::default();
        // 3 is a server that talks to the gateway directly.
        writer.constant("opSys", "3")?;
        writer.constant("characterSet", account.encoding.character_set())?;
        writer.constant("orgNo", &account.organization)?;
        writer.constant("mercId", &account.merchant)?;
        writer.constant("trmNo", &account.terminal)?;
        // A trade number must be new for every call, queries included.
        writer.constant("tradeNo", &nonce_text(ambient))?;
        writer.put("txnTime", &Clock14(ambient.now()))?;
        // V1.0.1 unlocks `refAmt` in the answer.
        writer.constant("version", "V1.0.1")?;
        writer.text(&NUMBER, &self.number)?;
        Ok(writer.into_message(Self::ROUTE.path, SignedAs::TypeAndValue))
    }

    fn decode(&self, account: &Account, inbound: Verified<Reply>) -> Result<QueriedRefund, OpenError> {
        let reply = inbound.into_inner().accepted(account, &Self::ROUTE)?;
        let queried = QueriedRefund::read(&reply)?;
        if self.payment_log_no.as_ref() == Some(&queried.log_no) {
            return Err(ProtocolError::new(ProtocolErrorKind::Foreign { field: "logNo" }).into());
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

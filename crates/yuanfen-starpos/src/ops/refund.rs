//! `POST /sdkRefundBarcodePay.json` (退款). Query first, and never sent twice.
//!
//! The call's own number is the refund's number: after an unknown outcome [`QueryRefund`](super::QueryRefund) asks by it
//! what became of the refund. Contract: StarPos sheet, sections 5, 6.6 and 7.2.

use http::Method;
use yuanfen_core::{
    Alphabet, Ambient, BuildError, Clock14, Effect, Extra, Fen, FieldError, OpenError, Operation, OrderNo, PayAmount,
    ProtocolError, ProtocolErrorKind, RefundNo, RemoteId, Route, Rule, Taker, Verified,
};

use super::query_official_account::claim_common;
use crate::message::{SignedAs, Writer};
use crate::{Account, Message, Reply};

/// Refunds a payment, in whole or in part. Of the time in which that is possible only "the same day" is published, and
/// that for reversals.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Refund {
    /// `orderNo`: the channel's number of the payment. Not the one that the payment was answered with, but the one that
    /// [`QueriedOrder`](super::QueriedOrder) or a proven push tells after it was paid.
    pub channel_order_no: RemoteId,
    /// `tradeNo`: the number of this call and of the refund; at most 64 letters, digits, `-` and `_`, never used before
    /// in any call.
    pub refund_no: RefundNo,
    /// `txnAmt`, fen: what is refunded; everything where absent.
    pub amount: Option<PayAmount>,
    /// The order number (`selOrderNo`) that the payment was sent with, where it is known: an answer that names another
    /// is refused. It is not sent. Not set by the constructors.
    pub order_no: Option<OrderNo>,
}

const SHEET: &str = "StarPos sheet, sections 5.1 and 6.6";
const CHANNEL_ORDER_NO: Rule = Rule::new("orderNo", 64).alphabet(Alphabet::ASCII).source(SHEET);
const REFUND_NO: Rule = Rule::new("tradeNo", 64).alphabet(Alphabet::WORD_HYPHEN).source(SHEET);

impl Refund {
    /// Refunds all of a payment.
    #[must_use]
    pub const fn whole(channel_order_no: RemoteId, refund_no: RefundNo) -> Self {
        Self {
            channel_order_no,
            refund_no,
            amount: None,
            order_no: None,
        }
    }

    /// Refunds that much of a payment.
    #[must_use]
    pub const fn part(channel_order_no: RemoteId, refund_no: RefundNo, amount: PayAmount) -> Self {
        Self {
            channel_order_no,
            refund_no,
            amount: Some(amount),
            order_no: None,
        }
    }
}

impl Operation for Refund {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = RefundedPayment;

    const ROUTE: Route = Route::new(
        "starpos",
        "refund",
        Method::POST,
        "/sdkRefundBarcodePay.json",
        Effect::QueryFirst,
    );

    fn encode(&self, account: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        let mut writer = Writer::of_server(account)?;
        writer.text(&REFUND_NO, self.refund_no.as_str())?;
        writer.put("txnTime", &Clock14(ambient.now()))?;
        writer.constant("version", "V1.0.0")?;
        writer.text(&CHANNEL_ORDER_NO, self.channel_order_no.as_str())?;
        if let Some(amount) = self.amount {
            writer.put("txnAmt", &amount.fen())?;
        }
        Ok(writer.into_message(Self::ROUTE.path, SignedAs::TypeAndValue))
    }

    fn decode(&self, account: &Account, inbound: Verified<Reply>) -> Result<RefundedPayment, OpenError> {
        let reply = inbound.into_inner().accepted(account, &Self::ROUTE)?;
        let foreign = |field| Err(ProtocolError::new(ProtocolErrorKind::Foreign { field }).into());
        if let Some(told) = reply.fields.filled("tradeNo")
            && told != self.refund_no.as_str()
        {
            return foreign("tradeNo");
        }
        let reply = reply.refunded()?;
        let refunded = RefundedPayment::read(&reply)?;
        if self.amount.is_some_and(|asked| asked.fen() != refunded.refund) {
            return foreign("txnAmt");
        }
        match (&self.order_no, &refunded.order_no) {
            (Some(asked), Some(told)) if asked.as_str() != told => foreign("selOrderNo"),
            _ => Ok(refunded),
        }
    }
}

/// A refund that the gateway calls successful (`result` is `S`). One that failed is a refusal that did nothing; one that
/// the gateway does not know the end of is a refusal of unknown outcome, to be asked about.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RefundedPayment {
    /// `logNo`: the platform's serial number of the refund.
    pub log_no: RemoteId,
    /// `txnAmt`, fen: what was refunded.
    pub refund: Fen,
    /// `amount`, fen: what was paid.
    pub amount: Option<Fen>,
    /// `total_amount`, fen: the order's total.
    pub total: Option<Fen>,
    /// `selOrderNo`.
    pub order_no: Option<String>,
    /// `subject`.
    pub subject: Option<String>,
    /// `goodsTag`.
    pub goods_tag: Option<String>,
    /// `attach`.
    pub attach: Option<String>,
    /// What else came.
    pub extra: Extra,
}

impl RefundedPayment {
    fn read(reply: &Reply) -> Result<Self, FieldError> {
        let mut taker = Taker::new(&reply.fields);
        claim_common(&mut taker);
        for name in ["tradeNo", "result"] {
            let _looked_at = taker.text(name);
        }
        Ok(Self {
            log_no: taker.need("logNo")?,
            refund: taker.need("txnAmt")?,
            amount: taker.maybe("amount")?,
            total: taker.maybe("total_amount")?,
            order_no: taker.maybe("selOrderNo")?,
            subject: taker.maybe("subject")?,
            goods_tag: taker.maybe("goodsTag")?,
            attach: taker.maybe("attach")?,
            extra: taker.rest(),
        })
    }
}

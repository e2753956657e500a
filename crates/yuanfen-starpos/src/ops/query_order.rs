//! `POST /sdkQryBarcodePay.json` (查询). Changes nothing; settles `A` and `Z`.
//!
//! Contract: StarPos sheet, sections 5 and 6.5.

use http::Method;
use yuanfen_core::{
    Alphabet, Ambient, BuildError, Clock14, Effect, Extra, Fen, FieldError, Hint, Lookup, OpenError, Operation,
    OrderNo, ProtocolError, ProtocolErrorKind, RemoteId, Route, Rule, Standing, Taker, Verified, nonce_text,
};

use super::query_official_account::claim_common;
use crate::codes::TradeResult;
use crate::message::{SignedAs, Writer};
use crate::{Account, Message, Reply};

/// Asks what became of a payment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct QueryOrder {
    /// `qryNo`: which payment.
    pub key: OrderKey,
    /// The order number (`selOrderNo`) that the payment was sent with, where it is known: an answer that names another
    /// is refused. It is not sent. [`by_trade_no`](Self::by_trade_no) sets it, [`by_log_no`](Self::by_log_no) does not.
    pub order_no: Option<OrderNo>,
}

/// One of the numbers of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OrderKey {
    /// `tradeNo`, ours. The answer does not repeat it: what it carries under this name is the query's own number.
    Trade(OrderNo),
    /// `logNo`, the platform's. The answer repeats it, and one that tells another is refused.
    Log(RemoteId),
}

impl OrderKey {
    fn as_str(&self) -> &str {
        match self {
            Self::Trade(trade_no) => trade_no.as_str(),
            Self::Log(log_no) => log_no.as_str(),
        }
    }
}

const NUMBER: Rule = Rule::new("qryNo", 64)
    .alphabet(Alphabet::ASCII)
    .source("StarPos sheet, section 6.5");

/// The query that payments and refunds share, about that number of either.
pub(super) fn message(
    path: &'static str,
    account: &Account,
    ambient: &dyn Ambient,
    number: &str,
) -> Result<Message, BuildError> {
    let mut writer = Writer::of_server(account)?;
    // A trade number must be new for every call, queries included.
    writer.constant("tradeNo", &nonce_text(ambient))?;
    writer.put("txnTime", &Clock14(ambient.now()))?;
    // V1.0.1 unlocks `refAmt` in the answer.
    writer.constant("version", "V1.0.1")?;
    writer.text(&NUMBER, number)?;
    Ok(writer.into_message(path, SignedAs::TypeAndValue))
}

impl QueryOrder {
    /// By the number that the payment was sent with (`tradeNo`), which is its order number as well: so
    /// [`PayOfficialAccount::new`](super::PayOfficialAccount::new) sends it. For a payment whose numbers differ, set
    /// [`order_no`](Self::order_no) to the order number.
    #[must_use]
    pub fn by_trade_no(trade_no: &OrderNo) -> Self {
        Self {
            key: OrderKey::Trade(trade_no.clone()),
            order_no: Some(trade_no.clone()),
        }
    }

    /// By the platform's serial number (`logNo`).
    #[must_use]
    pub fn by_log_no(log_no: &RemoteId) -> Self {
        Self {
            key: OrderKey::Log(log_no.clone()),
            order_no: None,
        }
    }

    /// What a hint asks for, where it is about an order: by the serial number where the hint has it, because the answer
    /// repeats that one.
    #[must_use]
    pub fn of_hint(hint: &Hint) -> Option<Self> {
        match (&hint.lookup, &hint.alias) {
            (Lookup::RemoteOrder(log_no), _) | (Lookup::Order(_), Some(Lookup::RemoteOrder(log_no))) => {
                Some(Self::by_log_no(log_no))
            }
            (Lookup::Order(trade_no), _) => Some(Self::by_trade_no(trade_no)),
            _ => None,
        }
    }
}

impl Operation for QueryOrder {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = QueriedOrder;

    const ROUTE: Route = Route::new(
        "starpos",
        "query_order",
        Method::POST,
        "/sdkQryBarcodePay.json",
        Effect::Read,
    );

    fn encode(&self, account: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        message(Self::ROUTE.path, account, ambient, self.key.as_str())
    }

    fn decode(&self, account: &Account, inbound: Verified<Reply>) -> Result<QueriedOrder, OpenError> {
        let reply = inbound.into_inner().accepted(account, &Self::ROUTE)?;
        let mut queried = QueriedOrder::read(&reply)?;
        let foreign = |field| Err(ProtocolError::new(ProtocolErrorKind::Foreign { field }).into());
        if let OrderKey::Log(asked) = &self.key
            && *asked != queried.log_no
        {
            return foreign("logNo");
        }
        match (&self.order_no, &queried.order_no) {
            (Some(asked), Some(told)) if asked.as_str() != told => foreign("selOrderNo"),
            _ => {
                if let OrderKey::Trade(trade_no) = &self.key {
                    queried.asked_trade_no = Some(trade_no.clone());
                }
                Ok(queried)
            }
        }
    }
}

/// What became of a payment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct QueriedOrder {
    /// `result`; absent counts as undecided.
    pub result: Option<TradeResult>,
    /// `logNo`.
    pub log_no: RemoteId,
    /// `orderNo`: the channel's number, the one to refund by.
    pub channel_order_no: Option<RemoteId>,
    /// `payChannel`: `WXPAY`, `ALIPAY`, `YLPAY`.
    pub pay_channel: Option<String>,
    /// `amount`, fen: compare this with your order.
    pub amount: Option<Fen>,
    /// `total_amount`, fen.
    pub total: Option<Fen>,
    /// `refAmt`, fen: what was refunded. A fully refunded order may still say success.
    pub refunded: Option<Fen>,
    /// `selOrderNo`.
    pub order_no: Option<String>,
    /// `subject`.
    pub subject: Option<String>,
    /// `goodsTag`.
    pub goods_tag: Option<String>,
    /// `attach`.
    pub attach: Option<String>,
    /// What else came, `tradeNo` of this query among it.
    pub extra: Extra,
    /// The `tradeNo` that it was asked for by.
    pub(crate) asked_trade_no: Option<OrderNo>,
}

impl QueriedOrder {
    fn read(reply: &Reply) -> Result<Self, FieldError> {
        let mut taker = Taker::new(&reply.fields);
        claim_common(&mut taker);
        Ok(Self {
            result: taker.maybe("result")?,
            log_no: taker.need("logNo")?,
            channel_order_no: taker.maybe("orderNo")?,
            pay_channel: taker.maybe("payChannel")?,
            amount: taker.maybe("amount")?,
            total: taker.maybe("total_amount")?,
            refunded: taker.maybe("refAmt")?,
            order_no: taker.maybe("selOrderNo")?,
            subject: taker.maybe("subject")?,
            goods_tag: taker.maybe("goodsTag")?,
            attach: taker.maybe("attach")?,
            extra: taker.rest(),
            asked_trade_no: None,
        })
    }

    /// What this says about a payment whose outcome was unknown. `Z`, an absent result and letters that this version
    /// does not know count as pending.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        match &self.result {
            Some(TradeResult::Success) => Standing::Succeeded,
            Some(TradeResult::Waiting) => Standing::Accepted,
            Some(TradeResult::Failed | TradeResult::Revoked) => Standing::Failed,
            Some(TradeResult::Undecided | TradeResult::Unknown(_)) | None => Standing::Pending,
        }
    }
}

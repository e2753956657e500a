//! `POST /v3/pay/transactions/codepay`: charges the code that a payer shows at the till.
//!
//! Query first: what is not answered, or answered with "the payer is typing" or "system error", may have been paid. It is
//! queried, and reversed when it stays unclear; [`settle::CODE`](crate::settle::CODE) has the times. No notice comes: this
//! answer or a query's is all there is. A new code needs a new order number. Some merchants have this call in version 2
//! only. Published as "付款码支付"; v3 sheet, section 16.

use bytes::Bytes;
use http::Method;
use serde::Serialize;
use yuanfen_core::{
    Ambient, BuildError, CodePaymentCall, CodePaymentEvent, CodePaymentRule, Effect, Extra, Fate, JsonTaker, Object,
    OpenError, Operation, OrderNo, PayAmount, Route, Standing, Verified,
};

use super::{QueriedOrder, QueryOrder, ReverseOrder, ReversedOrder};
use crate::ids::BodyIds;
use crate::order_detail::{BodyDetail, GoodsCode};
use crate::order_terms::{ATTACH, BodyAmount, BodySettleInfo, DESCRIPTION, GOODS_TAG, ORDER_NO};
use crate::private::Raw;
use crate::transaction::foreign;
use crate::{Account, AuthCode, Message, OrderDetail, Progress, Reply, Till, TradeState, Transaction, settle};

/// Charges the code that a payer shows.
///
/// When the outcome is unknown, do not send it again: query, and reverse. `CodePayment` in `yuanfen-core` says when, and
/// `Client::take_code_payment` of `yuanfen-transport` does it. `Debug` does not show the code.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PayByCode {
    /// `out_trade_no`: 6 to 32 letters, digits and `_-|*`, unique per merchant number. The page of this call does not list
    /// `|`.
    pub order_no: OrderNo,
    /// `amount.total`: at least 1 fen. The currency is `CNY`.
    pub amount: PayAmount,
    /// `description`: of what is sold, 1 to 127 characters without emoji.
    pub description: String,
    /// `payer.auth_code`: what the scanner read.
    pub auth_code: AuthCode,
    /// `scene_info`: the till.
    pub till: Till,
    /// `attach`: comes back in queries, at most 128 characters without emoji.
    pub attach: Option<String>,
    /// `goods_tag`: names coupons, at most 32 characters.
    pub goods_tag: Option<String>,
    /// `support_fapiao`: whether the payer is offered an invoice.
    pub offers_invoice: Option<bool>,
    /// `detail`: the goods.
    pub detail: Option<OrderDetail>,
    /// `settle_info.profit_sharing`: whether the money is held back to be shared.
    pub profit_sharing: Option<bool>,
}

/// What became of the code, as far as the platform says at once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChargedCode {
    /// Where the order stands (a 200). It is paid only where its state says so.
    Order(Box<Transaction>),
    /// It is accepted and being decided (a 202): as a rule the payer is typing. Query until it is decided.
    Pending(PendingCode),
}

/// A charge that is being decided. The platform may say no more of it than its state, or not even that.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PendingCode {
    /// `trade_state`: `USERPAYING` as a rule.
    pub trade_state: Option<TradeState>,
    /// `trade_state_desc`: the state in words, for people.
    pub trade_state_text: Option<String>,
    /// What else came, as raw JSON text.
    pub extra: Extra,
    raw: Raw,
}

impl ChargedCode {
    /// What it means for settling the order.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match self {
            Self::Order(order) => order.trade_state.standing(),
            // Whatever state it names: it is not done.
            Self::Pending(_) => Standing::Pending,
        }
    }

    /// The order, where the answer holds one.
    #[must_use]
    pub fn transaction(&self) -> Option<&Transaction> {
        match self {
            Self::Order(order) => Some(order),
            Self::Pending(_) => None,
        }
    }
}

impl PendingCode {
    /// The answer's body as it came.
    #[must_use]
    pub const fn raw(&self) -> &Bytes {
        &self.raw.0
    }
}

impl PayByCode {
    /// Charges that code at that till.
    pub fn new(
        order_no: OrderNo,
        amount: PayAmount,
        description: impl Into<String>,
        auth_code: impl Into<AuthCode>,
        till: Till,
    ) -> Self {
        Self {
            order_no,
            amount,
            description: description.into(),
            auth_code: auth_code.into(),
            till,
            attach: None,
            goods_tag: None,
            offers_invoice: None,
            detail: None,
            profit_sharing: None,
        }
    }

    fn check(&self) -> Result<(), BuildError> {
        DESCRIPTION.check(&self.description)?;
        ORDER_NO.check(self.order_no.as_str())?;
        AuthCode::RULE.check(self.auth_code.expose())?;
        ATTACH.check_maybe(self.attach.as_deref())?;
        GOODS_TAG.check_maybe(self.goods_tag.as_deref())?;
        self.till.check()
    }

    fn read_order(&self, account: &Account, object: &Object, raw: Bytes) -> Result<Transaction, OpenError> {
        let order = Transaction::read(object, account.ids(), raw)?;
        if order.order_no != self.order_no {
            return Err(foreign("out_trade_no").into());
        }
        if order.trade_state.standing() == Standing::Succeeded {
            order.must_say_what_was_paid()?;
            if order.total != Some(self.amount.fen()) {
                return Err(foreign("amount.total").into());
            }
        }
        Ok(order)
    }

    fn read_pending(&self, account: &Account, object: Option<Object>, raw: Bytes) -> Result<PendingCode, OpenError> {
        let raw = Raw(raw);
        let Some(object) = object else {
            return Ok(PendingCode {
                trade_state: None,
                trade_state_text: None,
                extra: Extra::default(),
                raw,
            });
        };
        let mut taker = JsonTaker::new(&object);
        account.ids().check_what_is_named(&mut taker)?;
        let order_no: Option<OrderNo> = taker.maybe("out_trade_no")?;
        if order_no.is_some_and(|order_no| order_no != self.order_no) {
            return Err(foreign("out_trade_no").into());
        }
        Ok(PendingCode {
            trade_state: taker.maybe("trade_state")?,
            trade_state_text: taker.maybe("trade_state_desc")?,
            extra: taker.rest(),
            raw,
        })
    }
}

impl Operation for PayByCode {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = ChargedCode;

    const ROUTE: Route = Route::new(
        super::PROVIDER,
        "pay_by_code",
        Method::POST,
        "/v3/pay/transactions/codepay",
        Effect::QueryFirst,
    )
    .with_partner_path("/v3/pay/partner/transactions/codepay");

    fn encode(&self, account: &Account, _: &dyn Ambient) -> Result<Message, BuildError> {
        self.check()?;
        let ids = account.ids();
        let body = Body {
            ids: ids.in_body()?,
            description: &self.description,
            out_trade_no: &self.order_no,
            attach: self.attach.as_deref(),
            goods_tag: self.goods_tag.as_deref(),
            support_fapiao: self.offers_invoice,
            payer: Payer {
                auth_code: self.auth_code.expose(),
            },
            amount: BodyAmount::new(self.amount),
            scene_info: &self.till,
            detail: OrderDetail::in_body(self.detail.as_ref(), self.amount, GoodsCode::Till)?,
            settle_info: self.profit_sharing.map(BodySettleInfo::new),
        };
        Message::post(ids.order_path("codepay"), &body)
    }

    fn decode(&self, account: &Account, inbound: Verified<Reply>) -> Result<ChargedCode, OpenError> {
        let reply = inbound.get();
        let raw = reply.raw().clone();
        Ok(match reply.progress(&Self::ROUTE)? {
            Progress::Done(object) => ChargedCode::Order(Box::new(self.read_order(account, &object, raw)?)),
            Progress::Accepted(object) => ChargedCode::Pending(self.read_pending(account, object, raw)?),
        })
    }
}

impl CodePaymentCall for PayByCode {
    type Query = QueryOrder;
    type Reverse = ReverseOrder;

    const RULE: CodePaymentRule = settle::CODE;

    fn order_no(&self) -> &OrderNo {
        &self.order_no
    }

    fn query(order_no: OrderNo) -> QueryOrder {
        QueryOrder::by_order_no(order_no)
    }

    fn reverse(order_no: OrderNo) -> ReverseOrder {
        ReverseOrder::new(order_no)
    }

    fn read_reply(reply: &ChargedCode) -> CodePaymentEvent {
        match reply.standing() {
            Standing::Succeeded => CodePaymentEvent::Paid,
            Standing::Pending => CodePaymentEvent::Typing,
            // A charge that answers "unpaid" or "closed" says nothing of what the code became: a query does.
            _ => CodePaymentEvent::PayFailed(Fate::Unknown),
        }
    }

    fn read_standing(found: &QueriedOrder) -> Standing {
        found.standing()
    }

    fn read_reversal(_: &ReversedOrder) -> CodePaymentEvent {
        CodePaymentEvent::Reversed
    }
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(flatten)]
    ids: BodyIds<'a>,
    description: &'a str,
    out_trade_no: &'a OrderNo,
    #[serde(skip_serializing_if = "Option::is_none")]
    attach: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goods_tag: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    support_fapiao: Option<bool>,
    payer: Payer<'a>,
    amount: BodyAmount,
    scene_info: &'a Till,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<BodyDetail<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settle_info: Option<BodySettleInfo>,
}

#[derive(Serialize)]
struct Payer<'a> {
    auth_code: &'a str,
}

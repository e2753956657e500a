//! `POST /secapi/pay/refund` (申请退款), behind the merchant's client certificate.
//!
//! Query first: one refund number pays out once, but a second number would pay again. After an unknown outcome query the
//! refund, and repeat it under the same number only where the platform does not know it. A success says that the refund
//! was accepted; how it ends is told by a query. Contract: v2 sheet, section 6.4.

use std::fmt;

use http::Method;
use yuanfen_core::{
    Address, Alphabet, Ambient, BuildError, Effect, Extra, Fen, FieldError, OpenError, Operation, OrderNo, PayAmount,
    ProtocolError, ProtocolErrorKind, RefundGrant, RefundNo, RemoteId, Route, Rule, Taker, Verified, open_enum,
};

use super::place_order::{check_notify_url, claim_common};
use super::query_order::OrderKey;
use crate::message::Writer;
use crate::{Account, CouponType, Message, Reply};

open_enum! {
    /// `refund_account`: which of the merchant's accounts pays. For merchants of the old settlement only.
    pub enum RefundAccount {
        /// What is not settled yet; the platform's default.
        Unsettled = "REFUND_SOURCE_UNSETTLED_FUNDS",
        /// The available balance.
        Recharge = "REFUND_SOURCE_RECHARGE_FUNDS",
    }
}

/// Refunds a paid order, in whole or in part: within a year, at most 50 times, a minute apart.
#[derive(Clone)]
#[non_exhaustive]
pub struct Refund {
    /// Which order: by `transaction_id` or `out_trade_no`.
    pub order: OrderKey,
    /// `out_refund_no`: letters, digits and `_-|*@`, at most 64. One number is one refund.
    pub refund_no: RefundNo,
    /// `refund_fee`, in fen: at most what is left of the order.
    pub amount: PayAmount,
    /// `total_fee`, in fen: the order's total.
    pub order_total: PayAmount,
    /// `refund_fee_type`: `CNY` where absent; at most 8 characters.
    pub currency: Option<String>,
    /// `refund_desc`: why, for the payer to read; at most 80 characters.
    pub description: Option<String>,
    /// `refund_account`.
    pub account: Option<RefundAccount>,
    /// `notify_url`: instead of the address of the merchant console; without query or fragment.
    pub notify_url: Option<Address>,
    /// `detail`: JSON, for refunds of single items; at most 6000 characters.
    pub detail: Option<String>,
}

/// No text that the shop may have put anything about the payer into.
impl fmt::Debug for Refund {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refund")
            .field("order", &self.order)
            .field("refund_no", &self.refund_no)
            .field("amount", &self.amount)
            .field("order_total", &self.order_total)
            .field("account", &self.account)
            .field("notify_url", &self.notify_url)
            .finish_non_exhaustive()
    }
}

const SHEET: &str = "v2 sheet, sections 4 and 6.4";
pub(super) const TRANSACTION_ID: Rule = Rule::new("transaction_id", 32).alphabet(Alphabet::ASCII).source(SHEET);
// The order is one that exists, so the larger alphabet holds.
pub(super) const ORDER_NO: Rule = Rule::new("out_trade_no", 32)
    .alphabet(Alphabet::WECHAT_NUMBER)
    .source(SHEET);
pub(super) const REFUND_NO: Rule = Rule::new("out_refund_no", 64)
    .alphabet(Alphabet::WECHAT_NUMBER)
    .source(SHEET);
const CURRENCY: Rule = Rule::new("refund_fee_type", 8)
    .alphabet(Alphabet::ALPHANUMERIC)
    .source(SHEET);
const DESCRIPTION: Rule = Rule::new("refund_desc", 80).source(SHEET);
const ACCOUNT: Rule = Rule::new("refund_account", 30).alphabet(Alphabet::WORD).source(SHEET);
const NOTIFY_URL: Rule = Rule::new("notify_url", 256).source(SHEET);
const DETAIL: Rule = Rule::new("detail", 6000).alphabet(Alphabet::TEXT).source(SHEET);

impl Refund {
    /// Refunds that much of the order, whose total is stated again.
    #[must_use]
    pub const fn new(order: OrderKey, refund_no: RefundNo, amount: PayAmount, order_total: PayAmount) -> Self {
        Self {
            order,
            refund_no,
            amount,
            order_total,
            currency: None,
            description: None,
            account: None,
            notify_url: None,
            detail: None,
        }
    }

    /// The refund that a ledger granted: its number, its amount, the order's total.
    #[must_use]
    pub fn granted(order: OrderKey, grant: &RefundGrant) -> Self {
        Self::new(order, grant.refund_no().clone(), grant.amount(), grant.order_total())
    }

    /// The message to that route's path.
    pub(super) fn write(&self, route: &Route) -> Result<Message, BuildError> {
        if self.amount > self.order_total {
            return Err(BuildError::Conflict {
                fields: "refund_fee and total_fee",
                problem: "the refund is larger than the order",
            });
        }
        let mut writer = Writer::default();
        put_order(&mut writer, &self.order)?;
        writer.text(&REFUND_NO, self.refund_no.as_str())?;
        writer.put("total_fee", &self.order_total.fen())?;
        writer.put("refund_fee", &self.amount.fen())?;
        writer.maybe(&CURRENCY, self.currency.as_deref())?;
        writer.maybe(&DESCRIPTION, self.description.as_deref())?;
        writer.maybe(&ACCOUNT, self.account.as_ref().map(RefundAccount::as_str))?;
        if let Some(address) = &self.notify_url {
            check_notify_url(address)?;
            writer.text(&NOTIFY_URL, address.as_str())?;
        }
        writer.maybe(&DETAIL, self.detail.as_deref())?;
        Ok(writer.into_message(route.path))
    }

    /// The answer to this refund on that route: it is about this refund, or it is foreign.
    pub(super) fn accepted_by(
        &self,
        inbound: Verified<Reply>,
        account: &Account,
        route: &Route,
    ) -> Result<AcceptedRefund, OpenError> {
        let reply = inbound.into_inner().accepted(account, route)?;
        let accepted = AcceptedRefund::read(&reply)?;
        let differs = if accepted.refund_no != self.refund_no {
            Some("out_refund_no")
        } else if accepted.refund != self.amount.fen() {
            Some("refund_fee")
        } else if accepted.total != self.order_total.fen() {
            Some("total_fee")
        } else {
            other_order(&self.order, &accepted.transaction_id, &accepted.order_no)
        };
        match differs {
            Some(field) => Err(ProtocolError::new(ProtocolErrorKind::Foreign { field }).into()),
            None => Ok(accepted),
        }
    }
}

/// Writes the number of an order that is asked about.
pub(super) fn put_order(writer: &mut Writer, order: &OrderKey) -> Result<(), BuildError> {
    match order {
        OrderKey::Remote(id) => writer.text(&TRANSACTION_ID, id.as_str()),
        OrderKey::Merchant(order_no) => writer.text(&ORDER_NO, order_no.as_str()),
    }
}

/// The name of the number by which an answer is about another order than the one that was asked for.
pub(super) fn other_order(asked: &OrderKey, transaction_id: &RemoteId, order_no: &OrderNo) -> Option<&'static str> {
    match asked {
        OrderKey::Remote(asked) if asked != transaction_id => Some("transaction_id"),
        OrderKey::Merchant(asked) if asked != order_no => Some("out_trade_no"),
        OrderKey::Remote(_) | OrderKey::Merchant(_) => None,
    }
}

impl Operation for Refund {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = AcceptedRefund;

    const ROUTE: Route = Route::new(
        "wechat-v2",
        "refund",
        Method::POST,
        "/secapi/pay/refund",
        Effect::QueryFirst,
    )
    .with_client_certificate();

    fn encode(&self, _account: &Account, _ambient: &dyn Ambient) -> Result<Message, BuildError> {
        self.write(&Self::ROUTE)
    }

    fn decode(&self, account: &Account, inbound: Verified<Reply>) -> Result<AcceptedRefund, OpenError> {
        self.accepted_by(inbound, account, &Self::ROUTE)
    }
}

/// A refund that the platform took on. The money is not back yet: a query says how it ended.
#[derive(Clone)]
#[non_exhaustive]
pub struct AcceptedRefund {
    /// `refund_id`: the platform's number of the refund.
    pub refund_id: RemoteId,
    /// `out_refund_no`: our number of the refund.
    pub refund_no: RefundNo,
    /// `transaction_id`: the platform's number of the order.
    pub transaction_id: RemoteId,
    /// `out_trade_no`: our number of the order.
    pub order_no: OrderNo,
    /// `refund_fee`, fen.
    pub refund: Fen,
    /// `settlement_refund_fee`, fen: the refund less free coupons.
    pub settlement_refund: Option<Fen>,
    /// `total_fee`, fen: the order's total.
    pub total: Fen,
    /// `settlement_total_fee`, fen: the total less free coupons.
    pub settlement_total: Option<Fen>,
    /// `fee_type`.
    pub currency: Option<String>,
    /// `cash_fee`, fen: what the payer had paid after coupons.
    pub cash: Option<Fen>,
    /// `cash_fee_type`.
    pub cash_currency: Option<String>,
    /// `cash_refund_fee`, fen: of it, what goes back.
    pub cash_refund: Option<Fen>,
    /// `coupon_refund_fee`, fen: all coupons together.
    pub coupon_refund: Option<Fen>,
    /// `coupon_refund_count`: what the platform announces; [`coupons`](Self::coupons) has what came.
    pub coupon_count: Option<u32>,
    /// `coupon_refund_id_$n`, `coupon_type_$n`, `coupon_refund_fee_$n`.
    pub coupons: Vec<RefundedCoupon>,
    /// `promotion_detail`: JSON, of [`RefundV2`](super::RefundV2) instead of coupons.
    pub promotion_detail: Option<String>,
    /// What else came.
    pub extra: Extra,
}

/// No text that the shop may have put anything about the payer into.
impl fmt::Debug for AcceptedRefund {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcceptedRefund")
            .field("refund_no", &self.refund_no)
            .field("refund_id", &self.refund_id)
            .field("order_no", &self.order_no)
            .field("transaction_id", &self.transaction_id)
            .field("refund", &self.refund)
            .field("total", &self.total)
            .field("coupons", &self.coupons)
            .field("extra", &self.extra)
            .finish_non_exhaustive()
    }
}

impl AcceptedRefund {
    fn read(reply: &Reply) -> Result<Self, FieldError> {
        let mut taker = Taker::new(&reply.fields);
        claim_common(&mut taker);
        Ok(Self {
            refund_id: taker.need("refund_id")?,
            refund_no: taker.need("out_refund_no")?,
            transaction_id: taker.need("transaction_id")?,
            order_no: taker.need("out_trade_no")?,
            refund: taker.need("refund_fee")?,
            settlement_refund: taker.maybe("settlement_refund_fee")?,
            total: taker.need("total_fee")?,
            settlement_total: taker.maybe("settlement_total_fee")?,
            currency: taker.maybe("fee_type")?,
            cash: taker.maybe("cash_fee")?,
            cash_currency: taker.maybe("cash_fee_type")?,
            cash_refund: taker.maybe("cash_refund_fee")?,
            coupon_refund: taker.maybe("coupon_refund_fee")?,
            coupon_count: taker.maybe("coupon_refund_count")?,
            coupons: RefundedCoupon::take_all(&mut taker, "")?,
            promotion_detail: taker.maybe("promotion_detail")?,
            extra: taker.rest(),
        })
    }
}

/// A coupon that goes back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefundedCoupon {
    /// Its number in its family, from 0. Holes are possible.
    pub index: u32,
    /// `coupon_refund_id_$n`.
    pub id: Option<String>,
    /// `coupon_type_$n`; only merchants with free coupons switched on get it.
    pub kind: Option<CouponType>,
    /// `coupon_refund_fee_$n`, fen.
    pub fee: Option<Fen>,
}

impl RefundedCoupon {
    /// All coupons of one refund, whatever number is announced. The suffix is empty in the answer to a refund; in the
    /// answer to a query it is the refund's own number (`_0`), and `coupon_refund_fee_0` is then that refund's sum
    /// while `coupon_refund_fee_0_0` is its first coupon.
    pub(super) fn take_all(taker: &mut Taker<'_>, suffix: &str) -> Result<Vec<Self>, FieldError> {
        let id = format!("coupon_refund_id{suffix}");
        let kind = format!("coupon_type{suffix}");
        let fee = format!("coupon_refund_fee{suffix}");
        taker
            .indices(&[&id, &kind, &fee])
            .into_iter()
            .map(|index| {
                Ok(Self {
                    index,
                    id: taker.numbered(&id, index)?,
                    kind: taker.numbered(&kind, index)?,
                    fee: taker.numbered(&fee, index)?,
                })
            })
            .collect()
    }
}

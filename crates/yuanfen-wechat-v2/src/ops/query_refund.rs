//! `POST /pay/refundquery` (查询退款). Changes nothing.
//!
//! Contract: v2 sheet, sections 4.1, 6.5 and 7.

use std::fmt;

use http::Method;
use yuanfen_core::{
    Alphabet, Ambient, BuildError, ClockDashed, Effect, Error, Extra, Fen, FieldError, Hint, Lookup, OpenError,
    Operation, OrderNo, ProtocolError, ProtocolErrorKind, RefundNo, RemoteId, Route, Rule, Standing, Taker, UnixTime,
    ValueError, Verified, WireText, open_enum,
};

use super::place_order::claim_common;
use super::query_order::OrderKey;
use super::refund::{REFUND_NO, RefundAccount, RefundedCoupon, other_order, put_order};
use crate::message::Writer;
use crate::notify::RefundStatus;
use crate::{Account, Message, Reply};

/// Asks where a refund stands, or lists the refunds of an order, ten at a time.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct QueryRefund {
    /// Which refund, or the refunds of which order.
    pub key: RefundKey,
    /// `offset`: how many refunds of an order to skip; one that is beyond the last is refused by the platform.
    pub offset: Option<u32>,
}

/// One of the four numbers of a refund. The platform goes by the first of them that is there, so only one is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefundKey {
    /// `refund_id`, WeChat Pay's number of the refund.
    Remote(RemoteId),
    /// `out_refund_no`, the merchant's number of the refund.
    Merchant(RefundNo),
    /// All refunds of an order, by either of its numbers. An order with more than 20 refunds is asked about by refund
    /// numbers.
    Order(OrderKey),
}

const SHEET: &str = "v2 sheet, section 6.5";
const REFUND_ID: Rule = Rule::new("refund_id", 32).alphabet(Alphabet::ASCII).source(SHEET);
/// How many refunds one answer holds at most.
const PAGE: u32 = 10;

impl QueryRefund {
    /// The refund with our number: what settles a refund whose reply was lost.
    #[must_use]
    pub const fn by_refund_no(refund_no: RefundNo) -> Self {
        Self::of(RefundKey::Merchant(refund_no))
    }

    /// The refund with WeChat Pay's number.
    #[must_use]
    pub const fn by_refund_id(refund_id: RemoteId) -> Self {
        Self::of(RefundKey::Remote(refund_id))
    }

    /// The refunds of an order, the first ten.
    #[must_use]
    pub const fn by_order(order: OrderKey) -> Self {
        Self::of(RefundKey::Order(order))
    }

    const fn of(key: RefundKey) -> Self {
        Self { key, offset: None }
    }

    /// What a hint asks for, where it is about a refund: the refund notice of this platform is one.
    #[must_use]
    pub fn of_hint(hint: &Hint) -> Option<Self> {
        match &hint.lookup {
            Lookup::Refund(refund_no) => Some(Self::by_refund_no(refund_no.clone())),
            _ => None,
        }
    }

    /// The query of the page behind that answer, where there is one. It goes by the records that came and by the
    /// number of all, not by what the documents say of ranges.
    #[must_use]
    pub fn next_page(&self, answer: &QueriedRefunds) -> Option<Self> {
        let came = u32::try_from(answer.refunds.len()).unwrap_or(u32::MAX);
        let seen = self.offset.unwrap_or(0).checked_add(came)?;
        let more = match answer.total_count {
            Some(all) => came > 0 && seen < all,
            None => came >= PAGE,
        };
        (more && matches!(self.key, RefundKey::Order(_))).then(|| Self {
            key: self.key.clone(),
            offset: Some(seen),
        })
    }

    /// Whether that error of this query says no more than that there is no such page: the platform refuses an `offset`
    /// beyond the last refund with `PARAM_ERROR`. It can happen where no answer told the number of all refunds and the
    /// last page was full; whoever pages is then done.
    #[must_use]
    pub fn is_past_the_last(&self, error: &Error) -> bool {
        let refused = error
            .refusal()
            .is_some_and(|refusal| refusal.verified && refusal.code == "PARAM_ERROR");
        refused && self.offset.is_some_and(|offset| offset > 0)
    }

    /// The message to that route's path.
    pub(super) fn write(&self, route: &Route) -> Result<Message, BuildError> {
        let mut writer = Writer::default();
        match &self.key {
            RefundKey::Remote(id) => writer.text(&REFUND_ID, id.as_str())?,
            RefundKey::Merchant(refund_no) => writer.text(&REFUND_NO, refund_no.as_str())?,
            RefundKey::Order(order) => put_order(&mut writer, order)?,
        }
        if let Some(offset) = &self.offset {
            if !matches!(self.key, RefundKey::Order(_)) {
                return Err(BuildError::Conflict {
                    fields: "offset",
                    problem: "only the refunds of an order come in pages",
                });
            }
            writer.put("offset", offset)?;
        }
        Ok(writer.into_message(route.path))
    }

    /// The answer to this query on that route: it is about what was asked for, or it is foreign.
    pub(super) fn answered_by(
        &self,
        inbound: Verified<Reply>,
        account: &Account,
        route: &Route,
    ) -> Result<QueriedRefunds, OpenError> {
        let reply = inbound.into_inner().accepted(account, route)?;
        let mut queried = QueriedRefunds::read(&reply)?;
        let foreign = |field| OpenError::from(ProtocolError::new(ProtocolErrorKind::Foreign { field }));
        let records = &queried.refunds;
        let (other, absent) = match &self.key {
            RefundKey::Order(order) => {
                let other = other_order(order, &queried.transaction_id, &queried.order_no);
                return other.map_or(Ok(queried), |field| Err(foreign(field)));
            }
            RefundKey::Remote(asked) => {
                let other = records.iter().any(|record| record.refund_id != *asked);
                (other.then_some("refund_id_$n"), "refund_id_0")
            }
            RefundKey::Merchant(asked) => {
                let other = records.iter().any(|record| record.refund_no != *asked);
                (other.then_some("out_refund_no_$n"), "out_refund_no_0")
            }
        };
        if let Some(field) = other {
            return Err(foreign(field));
        }
        // A success without the refund is no answer: "no such refund" has a code of its own.
        if records.is_empty() {
            return Err(FieldError::new(absent, ValueError::Missing).into());
        }
        queried.of_one_refund = true;
        Ok(queried)
    }
}

impl Operation for QueryRefund {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = QueriedRefunds;

    const ROUTE: Route = Route::new(
        "wechat-v2",
        "query_refund",
        Method::POST,
        "/pay/refundquery",
        Effect::Read,
    );

    fn encode(&self, _account: &Account, _ambient: &dyn Ambient) -> Result<Message, BuildError> {
        self.write(&Self::ROUTE)
    }

    fn decode(&self, account: &Account, inbound: Verified<Reply>) -> Result<QueriedRefunds, OpenError> {
        self.answered_by(inbound, account, &Self::ROUTE)
    }
}

/// What the platform knows of one refund, or of a page of an order's refunds.
#[derive(Clone)]
#[non_exhaustive]
pub struct QueriedRefunds {
    /// `out_trade_no`: our number of the order.
    pub order_no: OrderNo,
    /// `transaction_id`: the platform's number of the order.
    pub transaction_id: RemoteId,
    /// `total_refund_count`: how many refunds the order has.
    pub total_count: Option<u32>,
    /// `refund_count`: what the platform announces; [`refunds`](Self::refunds) has what came.
    pub count: Option<u32>,
    /// `total_fee`, fen: the order's total.
    pub total: Fen,
    /// `settlement_total_fee`, fen: the total less free coupons.
    pub settlement_total: Option<Fen>,
    /// `fee_type`.
    pub currency: Option<String>,
    /// `cash_fee`, fen: what the payer had paid after coupons.
    pub cash: Option<Fen>,
    /// `refund_fee`, fen: all refunds together.
    pub refund_sum: Option<Fen>,
    /// `cash_refund_fee`, fen: all refunds together.
    pub cash_refund_sum: Option<Fen>,
    /// `coupon_refund_fee`, fen: all refunds together.
    pub coupon_refund_sum: Option<Fen>,
    /// The refunds that came, by their `$n`.
    pub refunds: Vec<RefundRecord>,
    /// `promotion_detail`: JSON, of [`QueryRefundV2`](super::QueryRefundV2).
    pub promotion_detail: Option<String>,
    /// What else came.
    pub extra: Extra,
    /// Every record is the one refund that was asked for.
    of_one_refund: bool,
}

/// No text that the shop may have put anything about the payer into.
impl fmt::Debug for QueriedRefunds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueriedRefunds")
            .field("order_no", &self.order_no)
            .field("transaction_id", &self.transaction_id)
            .field("total_count", &self.total_count)
            .field("total", &self.total)
            .field("refunds", &self.refunds)
            .field("extra", &self.extra)
            .finish_non_exhaustive()
    }
}

open_enum! {
    /// `refund_channel_$n`: where the money goes.
    pub enum RefundChannel {
        /// Back the way it came.
        Original = "ORIGINAL",
        /// To the payer's balance.
        Balance = "BALANCE",
        /// To another balance, the payer's account being unusable.
        OtherBalance = "OTHER_BALANCE",
        /// To another card, the payer's card being unusable.
        OtherBankCard = "OTHER_BANKCARD",
    }
}

/// One refund.
#[derive(Clone)]
#[non_exhaustive]
pub struct RefundRecord {
    /// `$n`, from 0. Holes are possible.
    pub index: u32,
    /// `out_refund_no_$n`: our number.
    pub refund_no: RefundNo,
    /// `refund_id_$n`: the platform's number.
    pub refund_id: RemoteId,
    /// `refund_status_$n`.
    pub status: RefundStatus,
    /// `refund_fee_$n`, fen.
    pub refund: Fen,
    /// `settlement_refund_fee_$n`, fen: the refund less free coupons.
    pub settlement_refund: Option<Fen>,
    /// `refund_channel_$n`.
    pub channel: Option<RefundChannel>,
    /// `refund_account_$n`.
    pub account: Option<RefundAccount>,
    /// `refund_recv_accout_$n` (spelled that way): which account of the payer it goes to, in words.
    pub received_by: Option<String>,
    /// `refund_success_time_$n`.
    pub succeeded_at: Option<UnixTime>,
    /// `coupon_refund_fee_$n`, fen: all its coupons together.
    pub coupon_refund: Option<Fen>,
    /// `coupon_refund_count_$n`: what the platform announces; [`coupons`](Self::coupons) has what came.
    pub coupon_count: Option<u32>,
    /// `coupon_refund_id_$n_$m`, `coupon_type_$n_$m`, `coupon_refund_fee_$n_$m`.
    pub coupons: Vec<RefundedCoupon>,
    /// `promotion_detail_$n`: JSON, of [`QueryRefundV2`](super::QueryRefundV2), should it come for each refund: no page
    /// says which.
    pub promotion_detail: Option<String>,
}

/// Without the payer's account.
impl fmt::Debug for RefundRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefundRecord")
            .field("index", &self.index)
            .field("refund_no", &self.refund_no)
            .field("refund_id", &self.refund_id)
            .field("status", &self.status)
            .field("refund", &self.refund)
            .field("succeeded_at", &self.succeeded_at)
            .field("coupons", &self.coupons)
            .finish_non_exhaustive()
    }
}

impl QueriedRefunds {
    fn read(reply: &Reply) -> Result<Self, FieldError> {
        let mut taker = Taker::new(&reply.fields);
        claim_common(&mut taker);
        Ok(Self {
            order_no: taker.need("out_trade_no")?,
            transaction_id: taker.need("transaction_id")?,
            total_count: taker.maybe("total_refund_count")?,
            count: taker.maybe("refund_count")?,
            total: taker.need("total_fee")?,
            settlement_total: taker.maybe("settlement_total_fee")?,
            currency: taker.maybe("fee_type")?,
            cash: taker.maybe("cash_fee")?,
            refund_sum: taker.maybe("refund_fee")?,
            cash_refund_sum: taker.maybe("cash_refund_fee")?,
            coupon_refund_sum: taker.maybe("coupon_refund_fee")?,
            refunds: RefundRecord::take_all(&mut taker)?,
            promotion_detail: taker.maybe("promotion_detail")?,
            extra: taker.rest(),
            of_one_refund: false,
        })
    }

    /// The refund with that number, where it is among those that came.
    #[must_use]
    pub fn refund(&self, refund_no: &RefundNo) -> Option<&RefundRecord> {
        self.refunds.iter().find(|record| record.refund_no == *refund_no)
    }

    /// What this says about the refund that was asked for by its own number. The answer about an order names no refund
    /// in particular, so it says nothing (pending): whoever took another refund's success for the one in question, or
    /// a full page for its absence, would lose money.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let mut standings = self.refunds.iter().map(|record| record.status.standing());
        match standings.next() {
            Some(first) if self.of_one_refund && standings.all(|other| other == first) => first,
            _ => Standing::Pending,
        }
    }

    /// The refund that was asked for by its own number, where the answer tells of it once.
    pub(crate) fn one_refund(&self) -> Option<&RefundRecord> {
        match self.refunds.as_slice() {
            [record] if self.of_one_refund => Some(record),
            _ => None,
        }
    }
}

impl RefundRecord {
    /// What it means for settling this refund.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.status.standing()
    }

    /// All refunds of an answer, whatever number it announces.
    fn take_all(taker: &mut Taker<'_>) -> Result<Vec<Self>, FieldError> {
        let families = ["out_refund_no", "refund_id", "refund_status", "refund_fee"];
        let indices = taker.indices(&families);
        indices.into_iter().map(|index| Self::take(taker, index)).collect()
    }

    fn take(taker: &mut Taker<'_>, index: u32) -> Result<Self, FieldError> {
        Ok(Self {
            index,
            refund_no: need(taker, "out_refund_no", index)?,
            refund_id: need(taker, "refund_id", index)?,
            status: need(taker, "refund_status", index)?,
            refund: need(taker, "refund_fee", index)?,
            settlement_refund: taker.numbered("settlement_refund_fee", index)?,
            channel: taker.numbered("refund_channel", index)?,
            account: taker.numbered("refund_account", index)?,
            received_by: taker.numbered("refund_recv_accout", index)?,
            succeeded_at: taker
                .numbered::<ClockDashed>("refund_success_time", index)?
                .map(|clock| clock.0),
            coupon_refund: taker.numbered("coupon_refund_fee", index)?,
            coupon_count: taker.numbered("coupon_refund_count", index)?,
            coupons: RefundedCoupon::take_all(taker, &format!("_{index}"))?,
            promotion_detail: taker.numbered("promotion_detail", index)?,
        })
    }
}

fn need<T: WireText>(taker: &mut Taker<'_>, family: &str, index: u32) -> Result<T, FieldError> {
    taker
        .numbered(family, index)?
        .ok_or_else(|| FieldError::new(format!("{family}_{index}"), ValueError::Missing))
}

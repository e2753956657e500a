//! The refund object: what a refund call and its query answer. v3 sheet, section 17.2.

use bytes::Bytes;
use yuanfen_core::{
    Extra, Fen, FieldError, JsonTaker, OrderNo, RefundNo, RemoteId, Rfc3339, Standing, Transition, UnixTime, open_enum,
};

use crate::PayerText;
use crate::private::Raw;

open_enum! {
    /// `status` of a refund; in notices it is called `refund_status`.
    pub enum RefundStatus {
        /// The money reached the payer.
        Success = "SUCCESS",
        /// Closed: no money moved.
        Closed = "CLOSED",
        /// In the works: minutes for balances, one to three working days for cards.
        Processing = "PROCESSING",
        /// The payer's bank refused the money; it must be handled in the merchant console or with
        /// [`ApplyAbnormalRefund`](crate::ops::ApplyAbnormalRefund). The refund exists: never send it again under another
        /// number.
        Abnormal = "ABNORMAL",
    }
}

impl RefundStatus {
    /// What it means for settling a refund. A state that this version does not know is still being decided.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        match self {
            Self::Success => Standing::Succeeded,
            Self::Closed => Standing::Failed,
            Self::Processing | Self::Abnormal => Standing::Accepted,
            Self::Unknown(_) => Standing::Pending,
        }
    }

    /// What a notice or an answer with this state reports.
    pub(crate) const fn transition(&self) -> Transition {
        match self {
            Self::Success => Transition::RefundSucceeded,
            Self::Abnormal => Transition::RefundAbnormal,
            Self::Closed => Transition::RefundClosed,
            Self::Processing | Self::Unknown(_) => Transition::Other,
        }
    }
}

open_enum! {
    /// `channel`: where the money goes.
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

open_enum! {
    /// `funds_account`: which of the merchant's accounts pays.
    pub enum FundsAccount {
        /// The available balance.
        Available = "AVAILABLE",
        /// What is not settled yet.
        Unsettled = "UNSETTLED",
        /// What is not available.
        Unavailable = "UNAVAILABLE",
        /// The operating account.
        Operation = "OPERATION",
        /// The basic account.
        Basic = "BASIC",
        /// The basic account in digital yuan.
        EcnyBasic = "ECNY_BASIC",
    }
}

/// A refund as the platform sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefundRecord {
    /// `refund_id`: the platform's number.
    pub refund_id: RemoteId,
    /// `out_refund_no`: our number.
    pub refund_no: RefundNo,
    /// `transaction_id`: the platform's number of the order.
    pub transaction_id: RemoteId,
    /// `out_trade_no`: our number of the order.
    pub order_no: OrderNo,
    /// `status`.
    pub status: RefundStatus,
    /// `channel`.
    pub channel: Option<RefundChannel>,
    /// `user_received_account`: which account of the payer it goes to, in words.
    pub received_by: Option<PayerText>,
    /// `success_time`.
    pub success_time: Option<UnixTime>,
    /// `create_time`.
    pub create_time: Option<UnixTime>,
    /// `funds_account`.
    pub funds_account: Option<FundsAccount>,
    /// `amount`.
    pub amount: RefundAmounts,
    /// `promotion_detail`: what becomes of the coupons.
    pub promotions: Vec<RefundedPromotion>,
    /// What this version does not know, as raw JSON text.
    pub extra: Extra,
    raw: Raw,
}

/// The amounts of a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefundAmounts {
    /// `total`: the order's total.
    pub total: Fen,
    /// `refund`: what is refunded.
    pub refund: Fen,
    /// `payer_total`: what the payer had paid.
    pub payer_total: Option<Fen>,
    /// `payer_refund`: what the payer gets back.
    pub payer_refund: Option<Fen>,
    /// `settlement_refund`: the refund less coupons that are not paid for.
    pub settlement_refund: Option<Fen>,
    /// `settlement_total`: the order's total less such coupons.
    pub settlement_total: Option<Fen>,
    /// `discount_refund`: what goes back in coupons.
    pub discount_refund: Option<Fen>,
    /// `refund_fee`: the commission that is returned.
    pub returned_fee: Option<Fen>,
    /// `currency`.
    pub currency: Option<String>,
    /// `from`: which accounts pay how much.
    pub from: Vec<PaidFrom>,
}

/// One of the accounts that pay a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PaidFrom {
    /// `account`.
    pub account: FundsAccount,
    /// `amount`.
    pub amount: Fen,
}

/// What becomes of one coupon.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefundedPromotion {
    /// `promotion_id`.
    pub promotion_id: Option<String>,
    /// `scope`.
    pub scope: Option<crate::PromotionScope>,
    /// `type`.
    pub kind: Option<crate::PromotionType>,
    /// `amount`: of the coupon.
    pub amount: Option<Fen>,
    /// `refund_amount`: of it, what goes back.
    pub refund: Option<Fen>,
    /// `goods_detail`: the goods that it was for.
    pub goods: Vec<PromotedRefundGoods>,
}

/// Goods that a coupon was for, as far as they are refunded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PromotedRefundGoods {
    /// `merchant_goods_id`.
    pub goods_id: Option<String>,
    /// `wechatpay_goods_id`: the platform's code.
    pub platform_goods_id: Option<String>,
    /// `goods_name`.
    pub name: Option<String>,
    /// `unit_price`.
    pub unit_price: Option<Fen>,
    /// `refund_amount`.
    pub refund: Option<Fen>,
    /// `refund_quantity`.
    pub refund_quantity: Option<i64>,
}

impl RefundRecord {
    pub(crate) fn take(taker: &mut JsonTaker<'_>, raw: Bytes) -> Result<Self, FieldError> {
        Ok(Self {
            refund_id: taker.need("refund_id")?,
            refund_no: taker.need("out_refund_no")?,
            transaction_id: taker.need("transaction_id")?,
            order_no: taker.need("out_trade_no")?,
            status: taker.need("status")?,
            channel: taker.maybe("channel")?,
            received_by: taker.maybe("user_received_account")?,
            success_time: taker.maybe("success_time")?.map(|Rfc3339(time)| time),
            create_time: taker.maybe("create_time")?.map(|Rfc3339(time)| time),
            funds_account: taker.maybe("funds_account")?,
            amount: taker.nested("amount", RefundAmounts::take)?,
            promotions: taker.list("promotion_detail", |promotion| {
                Ok(RefundedPromotion {
                    promotion_id: promotion.maybe("promotion_id")?,
                    scope: promotion.maybe("scope")?,
                    kind: promotion.maybe("type")?,
                    amount: promotion.maybe("amount")?,
                    refund: promotion.maybe("refund_amount")?,
                    goods: promotion.list("goods_detail", |goods| {
                        Ok(PromotedRefundGoods {
                            goods_id: goods.maybe("merchant_goods_id")?,
                            platform_goods_id: goods.maybe("wechatpay_goods_id")?,
                            name: goods.maybe("goods_name")?,
                            unit_price: goods.maybe("unit_price")?,
                            refund: goods.maybe("refund_amount")?,
                            refund_quantity: goods.maybe("refund_quantity")?,
                        })
                    })?,
                })
            })?,
            extra: taker.rest(),
            raw: Raw(raw),
        })
    }

    /// What it means for settling the refund.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.status.standing()
    }

    /// The answer's body as it came.
    #[must_use]
    pub const fn raw(&self) -> &Bytes {
        &self.raw.0
    }
}

impl RefundAmounts {
    fn take(taker: &mut JsonTaker<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            total: taker.need("total")?,
            refund: taker.need("refund")?,
            payer_total: taker.maybe("payer_total")?,
            payer_refund: taker.maybe("payer_refund")?,
            settlement_refund: taker.maybe("settlement_refund")?,
            settlement_total: taker.maybe("settlement_total")?,
            discount_refund: taker.maybe("discount_refund")?,
            returned_fee: taker.maybe("refund_fee")?,
            currency: taker.maybe("currency")?,
            from: taker.list("from", |from| {
                Ok(PaidFrom {
                    account: from.need("account")?,
                    amount: from.need("amount")?,
                })
            })?,
        })
    }
}

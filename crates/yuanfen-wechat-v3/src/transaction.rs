//! The transaction object: what a query answers and what a payment notice holds. v3 sheet, section 14.

use bytes::Bytes;
use yuanfen_core::{
    Extra, Fen, FieldError, JsonTaker, Object, OrderNo, ProtocolError, ProtocolErrorKind, RemoteId, Rfc3339, Standing,
    UnixTime, ValueError, open_enum,
};

use crate::ids::{MerchantIds, ReceivedIds};
use crate::private::Raw;
use crate::{OpenId, SubMerchant};

open_enum! {
    /// `trade_state`: where an order stands.
    pub enum TradeState {
        /// Paid.
        Success = "SUCCESS",
        /// Paid, and at least one refund was begun, even a partial one.
        Refund = "REFUND",
        /// Not paid; a failed attempt stays here.
        NotPay = "NOTPAY",
        /// Closed, by the merchant or because its time ran out.
        Closed = "CLOSED",
        /// Reversed (code payment).
        Revoked = "REVOKED",
        /// The payer is typing (code payment).
        UserPaying = "USERPAYING",
        /// The payment failed (code payment).
        PayError = "PAYERROR",
        /// Accepted, waiting for the deduction.
        Accept = "ACCEPT",
    }
}

impl TradeState {
    /// What it means for settling an order. `PAYERROR` and states that this version does not know count as being decided:
    /// only the others of the last kind promise that nobody can pay any more.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        match self {
            Self::Success | Self::Refund => Standing::Succeeded,
            Self::NotPay => Standing::Accepted,
            Self::Closed | Self::Revoked => Standing::Failed,
            Self::UserPaying | Self::Accept | Self::PayError | Self::Unknown(_) => Standing::Pending,
        }
    }
}

open_enum! {
    /// `trade_type`: how an order was paid.
    pub enum TradeType {
        /// In an official account's page or a mini program.
        Jsapi = "JSAPI",
        /// By a code that the payer scanned.
        Native = "NATIVE",
        /// In a mobile app.
        App = "APP",
        /// By the payer's own code.
        Micropay = "MICROPAY",
        /// In a browser outside WeChat.
        H5 = "MWEB",
        /// By face.
        Facepay = "FACEPAY",
    }
}

open_enum! {
    /// `scope` of a promotion.
    pub enum PromotionScope {
        /// The whole order.
        Global = "GLOBAL",
        /// Single goods.
        Single = "SINGLE",
    }
}

open_enum! {
    /// `type` of a promotion.
    pub enum PromotionType {
        /// Paid for beforehand.
        Cash = "CASH",
        /// Not paid for.
        NoCash = "NOCASH",
        /// Older word.
        Coupon = "COUPON",
        /// Older word.
        Discount = "DISCOUNT",
    }
}

/// An order as the platform sees it. An unpaid one lacks most of this.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transaction {
    /// `appid`, in partner form `sp_appid`. Answers about payments by code may lack it.
    pub app_id: Option<String>,
    /// `mchid`, in partner form `sp_mchid`.
    pub merchant_id: String,
    /// `sub_mchid` and, if it was given, `sub_appid`: the merchant for which a provider acted; in partner form alone.
    pub sub_merchant: Option<SubMerchant>,
    /// `out_trade_no`: our number.
    pub order_no: OrderNo,
    /// `transaction_id`: the platform's number, once paid.
    pub transaction_id: Option<RemoteId>,
    /// `trade_type`: how it was paid.
    pub trade_type: Option<TradeType>,
    /// `trade_state`.
    pub trade_state: TradeState,
    /// `trade_state_desc`: the state in words, for people.
    pub trade_state_text: Option<String>,
    /// `bank_type`: such as `CMC_DEBIT` or `OTHERS`.
    pub bank_type: Option<String>,
    /// `attach`: what was attached to the order, once paid.
    pub attach: Option<String>,
    /// `success_time`: when it was paid.
    pub success_time: Option<UnixTime>,
    /// `payer.openid`, in partner form `payer.sp_openid`: who paid, under [`app_id`](Self::app_id).
    pub payer: Option<OpenId>,
    /// `payer.sub_openid`: who paid, under the sub-merchant's app; in partner form alone.
    pub sub_payer: Option<OpenId>,
    /// `amount.total`: the order's total.
    pub total: Option<Fen>,
    /// `amount.payer_total`: what the payer paid after coupons.
    pub payer_total: Option<Fen>,
    /// `amount.currency`.
    pub currency: Option<String>,
    /// `amount.payer_currency`.
    pub payer_currency: Option<String>,
    /// `scene_info.device_id`.
    pub device_id: Option<String>,
    /// `promotion_detail`: the coupons that were used.
    pub promotions: Vec<Promotion>,
    /// What this version does not know, as raw JSON text.
    pub extra: Extra,
    raw: Raw,
}

/// One coupon that was used on an order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Promotion {
    /// `coupon_id`.
    pub coupon_id: Option<String>,
    /// `name`.
    pub name: Option<String>,
    /// `scope`.
    pub scope: Option<PromotionScope>,
    /// `type`.
    pub kind: Option<PromotionType>,
    /// `amount`.
    pub amount: Option<Fen>,
    /// `stock_id`: the batch it came from.
    pub stock_id: Option<String>,
    /// `wechatpay_contribute`: paid by the platform.
    pub paid_by_platform: Option<Fen>,
    /// `merchant_contribute`: paid by the merchant.
    pub paid_by_merchant: Option<Fen>,
    /// `other_contribute`: paid by others.
    pub paid_by_others: Option<Fen>,
    /// `currency`.
    pub currency: Option<String>,
    /// `goods_detail`: the goods it was for.
    pub goods: Vec<PromotedGoods>,
}

/// Goods that a coupon was for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PromotedGoods {
    /// `goods_id`.
    pub goods_id: Option<String>,
    /// `quantity`.
    pub quantity: Option<i64>,
    /// `unit_price`.
    pub unit_price: Option<Fen>,
    /// `discount_amount`.
    pub discount: Option<Fen>,
    /// `goods_remark`.
    pub remark: Option<String>,
}

impl Transaction {
    /// Types a message that is known to be genuine. The merchant and the app must be ours.
    pub(crate) fn read(object: &Object, ids: &MerchantIds, raw: Bytes) -> Result<Self, ProtocolError> {
        let mut taker = JsonTaker::new(object);
        let received = ids.take(&mut taker)?;
        Ok(Self::take(&mut taker, received, raw)?)
    }

    /// Refuses a paid order that lacks its amount or its number. It cannot be compared with anything: half an answer is
    /// none.
    pub(crate) fn must_say_what_was_paid(&self) -> Result<(), FieldError> {
        if self.total.is_none() {
            Err(FieldError::new("amount.total", ValueError::Missing))
        } else if self.transaction_id.is_none() {
            Err(FieldError::new("transaction_id", ValueError::Missing))
        } else {
            Ok(())
        }
    }

    fn take(taker: &mut JsonTaker<'_>, ids: ReceivedIds, raw: Bytes) -> Result<Self, FieldError> {
        let amount = taker.maybe_nested("amount", |amount| {
            Ok((
                amount.maybe("total")?,
                amount.maybe("payer_total")?,
                amount.maybe("currency")?,
                amount.maybe("payer_currency")?,
            ))
        })?;
        let (payer, sub_payer) = match &ids.sub_merchant {
            None => (
                taker.maybe_nested("payer", |payer| payer.maybe("openid"))?.flatten(),
                None,
            ),
            Some(_) => taker
                .maybe_nested("payer", |payer| {
                    Ok((payer.maybe("sp_openid")?, payer.maybe("sub_openid")?))
                })?
                .unwrap_or_default(),
        };
        let (total, payer_total, currency, payer_currency) = amount.unwrap_or_default();
        Ok(Self {
            app_id: ids.app_id,
            merchant_id: ids.merchant_id,
            sub_merchant: ids.sub_merchant,
            order_no: taker.need("out_trade_no")?,
            transaction_id: taker.maybe("transaction_id")?,
            trade_type: taker.maybe("trade_type")?,
            trade_state: taker.need("trade_state")?,
            trade_state_text: taker.maybe("trade_state_desc")?,
            bank_type: taker.maybe("bank_type")?,
            attach: taker.maybe("attach")?,
            success_time: taker.maybe("success_time")?.map(|Rfc3339(time)| time),
            payer,
            sub_payer,
            total,
            payer_total,
            currency,
            payer_currency,
            device_id: taker
                .maybe_nested("scene_info", |scene| scene.maybe("device_id"))?
                .flatten(),
            promotions: taker.list("promotion_detail", Promotion::take)?,
            extra: taker.rest(),
            raw: Raw(raw),
        })
    }

    /// The JSON as it came: the answer's body, or the decrypted text of a notice.
    #[must_use]
    pub const fn raw(&self) -> &Bytes {
        &self.raw.0
    }
}

impl Promotion {
    pub(crate) fn take(taker: &mut JsonTaker<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            coupon_id: taker.maybe("coupon_id")?,
            name: taker.maybe("name")?,
            scope: taker.maybe("scope")?,
            kind: taker.maybe("type")?,
            amount: taker.maybe("amount")?,
            stock_id: taker.maybe("stock_id")?,
            paid_by_platform: taker.maybe("wechatpay_contribute")?,
            paid_by_merchant: taker.maybe("merchant_contribute")?,
            paid_by_others: taker.maybe("other_contribute")?,
            currency: taker.maybe("currency")?,
            goods: taker.list("goods_detail", |goods| {
                Ok(PromotedGoods {
                    goods_id: goods.maybe("goods_id")?,
                    quantity: goods.maybe("quantity")?,
                    unit_price: goods.maybe("unit_price")?,
                    discount: goods.maybe("discount_amount")?,
                    remark: goods.maybe("goods_remark")?,
                })
            })?,
        })
    }
}

/// What is answered is about something else than what was asked.
pub(crate) const fn foreign(field: &'static str) -> ProtocolError {
    ProtocolError::new(ProtocolErrorKind::Foreign { field })
}

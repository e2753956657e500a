//! A combined order as the platform sees it: what a query answers and what its notice holds. v3 sheet, section 20.2.

use std::collections::BTreeSet;

use bytes::Bytes;
use yuanfen_core::{
    Extra, Fen, FieldError, JsonTaker, MoneyError, Object, OrderNo, ProtocolError, RemoteId, Rfc3339, Standing,
    UnixTime, ValueError,
};

use super::{CombinedOrderNo, Participant};
use crate::private::Raw;
use crate::transaction::foreign;
use crate::{MerchantIds, OpenId, Promotion, SubMerchant, TradeState, TradeType};

/// A combined order as the platform sees it. An unpaid one lacks most of this.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CombinedTransaction {
    /// `combine_appid`.
    pub app_id: String,
    /// `combine_mchid`: who started it.
    pub merchant_id: String,
    /// `combine_out_trade_no`: our number of the whole.
    pub order_no: CombinedOrderNo,
    /// `combine_payer_info.openid`: who paid, under [`app_id`](Self::app_id).
    pub payer: Option<OpenId>,
    /// `scene_info.device_id`.
    pub device_id: Option<String>,
    /// `sub_orders`: one at least.
    pub sub_orders: Vec<SubTransaction>,
    /// What this version does not know, as raw JSON text.
    pub extra: Extra,
    raw: Raw,
}

/// One of the orders that are paid together, as the platform sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubTransaction {
    /// `mchid`: whose it is; in partner form the provider.
    pub merchant_id: String,
    /// `sub_mchid` and, if it was given, `sub_appid`: the merchant for which a provider acted.
    pub sub_merchant: Option<SubMerchant>,
    /// `sub_openid`: who paid, under the sub-merchant's app.
    pub sub_payer: Option<OpenId>,
    /// `out_trade_no`: our number. Refunds are made by it.
    pub order_no: OrderNo,
    /// `transaction_id`: the platform's number, once paid.
    pub transaction_id: Option<RemoteId>,
    /// `trade_type`: how it was paid.
    pub trade_type: Option<TradeType>,
    /// `trade_state`.
    pub trade_state: TradeState,
    /// `bank_type`: such as `CMC_DEBIT` or `OTHERS`.
    pub bank_type: Option<String>,
    /// `attach`: what was attached to the order.
    pub attach: Option<String>,
    /// `success_time`: when it was paid.
    pub success_time: Option<UnixTime>,
    /// `amount.total_amount`: the order's total.
    pub total: Option<Fen>,
    /// `amount.payer_amount`: what the payer paid after coupons.
    pub payer_total: Option<Fen>,
    /// `amount.currency`.
    pub currency: Option<String>,
    /// `amount.payer_currency`.
    pub payer_currency: Option<String>,
    /// `amount.settlement_rate`, where two currencies are involved.
    pub settlement_rate: Option<i64>,
    /// `promotion_detail`: the coupons that were used.
    pub promotions: Vec<Promotion>,
    /// What this version does not know, as raw JSON text.
    pub extra: Extra,
}

impl CombinedTransaction {
    /// Types a message that is known to be genuine. Who started the order and under which app must be ours; in partner
    /// form each part is the provider's.
    pub(crate) fn read(object: &Object, ids: &MerchantIds, raw: Bytes) -> Result<Self, ProtocolError> {
        let mut taker = JsonTaker::new(object);
        let merchant_id: String = taker.need("combine_mchid")?;
        if merchant_id != ids.merchant_id() {
            return Err(foreign("combine_mchid"));
        }
        let app_id: String = taker.need("combine_appid")?;
        if !ids.has_app(&app_id) {
            return Err(foreign("combine_appid"));
        }
        let order = Self {
            app_id,
            merchant_id,
            order_no: taker.need("combine_out_trade_no")?,
            payer: taker
                .maybe_nested("combine_payer_info", |payer| payer.maybe("openid"))?
                .flatten(),
            device_id: taker
                .maybe_nested("scene_info", |scene| scene.maybe("device_id"))?
                .flatten(),
            sub_orders: taker.list("sub_orders", SubTransaction::take)?,
            extra: taker.rest(),
            raw: Raw(raw),
        };
        order.check(ids)?;
        Ok(order)
    }

    /// What has to hold between the parts, so that the sum means something.
    fn check(&self, ids: &MerchantIds) -> Result<(), ProtocolError> {
        let wrong = |field: String, problem| ProtocolError::from(FieldError::new(field, problem));
        let mut seen = BTreeSet::new();
        for (index, part) in self.sub_orders.iter().enumerate() {
            if matches!(ids, MerchantIds::Partner(_)) {
                if part.merchant_id != ids.merchant_id() {
                    return Err(foreign("sub_orders[].mchid"));
                }
                if part.sub_merchant.is_none() {
                    return Err(wrong(format!("sub_orders[{index}].sub_mchid"), ValueError::Missing));
                }
            }
            if !seen.insert((&part.merchant_id, &part.order_no)) {
                let expected = "a number that stands once";
                let field = format!("sub_orders[{index}].out_trade_no");
                return Err(wrong(field, ValueError::Form { expected }));
            }
        }
        if seen.is_empty() {
            return Err(wrong("sub_orders".to_owned(), ValueError::Missing));
        }
        if self.totals().count() == self.sub_orders.len() && self.total().is_none() {
            let field = "sub_orders[].amount.total_amount".to_owned();
            return Err(wrong(field, ValueError::Money(MoneyError::TooLarge)));
        }
        Ok(())
    }

    /// A paid order must say how much was paid for each of its parts, and under which number: nobody could hold the
    /// payment against the order otherwise.
    pub(crate) fn must_say_what_was_paid(&self) -> Result<(), FieldError> {
        for (index, part) in self.sub_orders.iter().enumerate() {
            let missing = |member| FieldError::new(format!("sub_orders[{index}].{member}"), ValueError::Missing);
            if part.total.is_none() {
                return Err(missing("amount.total_amount"));
            }
            if part.transaction_id.is_none() {
                return Err(missing("transaction_id"));
            }
        }
        Ok(())
    }

    fn totals(&self) -> impl Iterator<Item = Fen> {
        self.sub_orders.iter().filter_map(|part| part.total)
    }

    /// The total of the whole: the sum of its parts. `None` where a part does not say its own.
    #[must_use]
    pub fn total(&self) -> Option<Fen> {
        let all = self.sub_orders.iter().all(|part| part.total.is_some());
        all.then(|| Fen::try_sum(self.totals())).flatten()
    }

    /// What it means for settling the whole. Its parts succeed and fail together; while they disagree it is being
    /// decided.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let mut standings = self.sub_orders.iter().map(SubTransaction::standing);
        match standings.next() {
            Some(first) if standings.all(|standing| standing == first) => first,
            Some(_) | None => Standing::Pending,
        }
    }

    /// The states of the parts, each once, in the platform's words: of a whole that is paid, `SUCCESS`.
    pub(crate) fn state_words(&self) -> String {
        let words: BTreeSet<&str> = self.sub_orders.iter().map(|part| part.trade_state.as_str()).collect();
        words.into_iter().collect::<Vec<_>>().join(",")
    }

    /// The one currency of all parts.
    pub(crate) fn currency(&self) -> Option<&str> {
        let mut currencies = self.sub_orders.iter().map(|part| part.currency.as_deref());
        let first = currencies.next().flatten()?;
        currencies.all(|currency| currency == Some(first)).then_some(first)
    }

    /// The JSON as it came: the answer's body, or the decrypted text of a notice.
    #[must_use]
    pub const fn raw(&self) -> &Bytes {
        &self.raw.0
    }
}

impl SubTransaction {
    fn take(taker: &mut JsonTaker<'_>) -> Result<Self, FieldError> {
        let sub_merchant_id: Option<String> = taker.maybe("sub_mchid")?;
        let sub_app_id: Option<String> = taker.maybe("sub_appid")?;
        let (total, payer_total, currency, payer_currency, settlement_rate) = taker
            .maybe_nested("amount", |amount| {
                Ok((
                    amount.maybe("total_amount")?,
                    amount.maybe("payer_amount")?,
                    amount.maybe("currency")?,
                    amount.maybe("payer_currency")?,
                    amount.maybe("settlement_rate")?,
                ))
            })?
            .unwrap_or_default();
        Ok(Self {
            merchant_id: taker.need("mchid")?,
            // Empty ones stand for none.
            sub_merchant: sub_merchant_id.filter(|id| !id.is_empty()).map(|id| SubMerchant {
                merchant_id: id.into(),
                app_id: sub_app_id.filter(|id| !id.is_empty()).map(Into::into),
            }),
            sub_payer: taker.maybe("sub_openid")?,
            order_no: taker.need("out_trade_no")?,
            transaction_id: taker.maybe("transaction_id")?,
            trade_type: taker.maybe("trade_type")?,
            trade_state: taker.need("trade_state")?,
            bank_type: taker.maybe("bank_type")?,
            attach: taker.maybe("attach")?,
            success_time: taker.maybe("success_time")?.map(|Rfc3339(time)| time),
            total,
            payer_total,
            currency,
            payer_currency,
            settlement_rate,
            promotions: taker.list("promotion_detail", Promotion::take)?,
            extra: taker.rest(),
        })
    }

    /// What it means for this order.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.trade_state.standing()
    }

    /// Whose it is, as [`CloseCombinedOrder`](crate::ops::CloseCombinedOrder) names it.
    #[must_use]
    pub fn participant(&self) -> Participant {
        match &self.sub_merchant {
            Some(sub) => Participant::SubMerchant(sub.clone()),
            None => Participant::Merchant(self.merchant_id.as_str().into()),
        }
    }
}

//! The goods of an order, for discounts on single goods. v3 sheet, section 13.2.

use serde::Serialize;
use yuanfen_core::{Alphabet, BuildError, Fen, MoneyError, PayAmount, Rule};

/// `detail`: the goods of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OrderDetail {
    /// `cost_price`: the order's price before discounts. It may exceed the order's total; the parts of an order that was
    /// split all repeat the full price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_price: Option<Fen>,
    /// `invoice_id`: the merchant's receipt, at most 32 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoice_id: Option<String>,
    /// `goods_detail`: the goods. As JSON they have at most 6144 bytes, and their prices do not exceed the order's total.
    #[serde(rename = "goods_detail", skip_serializing_if = "Vec::is_empty")]
    pub goods: Vec<OrderedGoods>,
}

/// One kind of goods in an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OrderedGoods {
    /// `merchant_goods_id`: 1 to 32 letters, digits, `_` and `-`.
    #[serde(rename = "merchant_goods_id")]
    pub goods_id: String,
    /// `wechatpay_goods_id`: the platform's code, at most 32 characters.
    #[serde(rename = "wechatpay_goods_id", skip_serializing_if = "Option::is_none")]
    pub platform_goods_id: Option<String>,
    /// `goods_name`: at most 256 characters.
    #[serde(rename = "goods_name", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `quantity`: at least 1.
    pub quantity: u32,
    /// `unit_price`: in fen, not negative.
    pub unit_price: Fen,
}

impl OrderDetail {
    /// No goods yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether nothing is set: then the member is left out, because the platform takes no empty ones.
    pub(crate) const fn is_empty(&self) -> bool {
        self.cost_price.is_none() && self.invoice_id.is_none() && self.goods.is_empty()
    }

    pub(crate) fn check(&self, total: PayAmount) -> Result<(), BuildError> {
        if let Some(price) = self.cost_price {
            not_negative("detail.cost_price", price)?;
        }
        INVOICE_ID.check_maybe(self.invoice_id.as_deref())?;
        let mut sum = Fen::ZERO;
        for goods in &self.goods {
            let price = goods.check()?;
            sum = sum.try_add(price).ok_or(BuildError::money(
                "detail.goods_detail[].unit_price",
                MoneyError::TooLarge,
            ))?;
        }
        if sum > total.fen() {
            return Err(BuildError::Conflict {
                fields: "detail.goods_detail[] and amount.total",
                problem: "the goods cost more than the order's total (v3 sheet, section 13.2)",
            });
        }
        let size = serde_json::to_vec(&self.goods).map_err(BuildError::encode)?.len();
        if size > GOODS_BYTES {
            return Err(BuildError::Conflict {
                fields: "detail.goods_detail",
                problem: "the list has more than 6144 bytes (v3 sheet, section 13.2)",
            });
        }
        Ok(())
    }
}

impl OrderedGoods {
    /// So many goods of that id at that price each.
    pub fn new(goods_id: impl Into<String>, quantity: u32, unit_price: Fen) -> Self {
        Self {
            goods_id: goods_id.into(),
            platform_goods_id: None,
            name: None,
            quantity,
            unit_price,
        }
    }

    /// The price of all of them.
    fn check(&self) -> Result<Fen, BuildError> {
        GOODS_ID.check(&self.goods_id)?;
        PLATFORM_GOODS_ID.check_maybe(self.platform_goods_id.as_deref())?;
        GOODS_NAME.check_maybe(self.name.as_deref())?;
        at_least_one("detail.goods_detail[].quantity", self.quantity)?;
        not_negative("detail.goods_detail[].unit_price", self.unit_price)?;
        self.unit_price
            .get()
            .checked_mul(i64::from(self.quantity))
            .map(Fen::new)
            .ok_or(BuildError::money(
                "detail.goods_detail[].unit_price",
                MoneyError::TooLarge,
            ))
    }
}

/// Refuses an amount below zero.
pub(crate) fn not_negative(field: &'static str, amount: Fen) -> Result<(), BuildError> {
    if amount < Fen::ZERO {
        Err(BuildError::money(field, MoneyError::Negative))
    } else {
        Ok(())
    }
}

/// Refuses a quantity of none.
pub(crate) fn at_least_one(field: &'static str, quantity: u32) -> Result<(), BuildError> {
    if quantity == 0 {
        Err(BuildError::Conflict {
            fields: field,
            problem: "is zero, at least 1 is required",
        })
    } else {
        Ok(())
    }
}

const GOODS_BYTES: usize = 6144;
const SHEET: &str = "v3 sheet, section 13.2";
const INVOICE_ID: Rule = Rule::new("detail.invoice_id", 32)
    .alphabet(Alphabet::BASIC_PLANE)
    .source(SHEET);
const GOODS_ID: Rule = Rule::new("detail.goods_detail[].merchant_goods_id", 32)
    .alphabet(Alphabet::WORD_HYPHEN)
    .source(SHEET);
const PLATFORM_GOODS_ID: Rule = Rule::new("detail.goods_detail[].wechatpay_goods_id", 32)
    .alphabet(Alphabet::BASIC_PLANE)
    .source(SHEET);
const GOODS_NAME: Rule = Rule::new("detail.goods_detail[].goods_name", 256)
    .alphabet(Alphabet::BASIC_PLANE)
    .source(SHEET);

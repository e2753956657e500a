//! The goods of an order, for discounts on single goods. v3 sheet, section 13.2.

use serde::Serialize;
use yuanfen_core::{Alphabet, BuildError, Fen, MoneyError, PayAmount, Rule};

/// `detail`: the goods of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OrderDetail {
    /// `cost_price`: the order's price before discounts. It may exceed the order's total; the parts of an order that was
    /// split all repeat the full price.
    pub cost_price: Option<Fen>,
    /// `invoice_id`: the merchant's receipt, at most 32 characters.
    pub invoice_id: Option<String>,
    /// `goods_detail`: the goods. As JSON they have at most 6144 bytes, and their prices do not exceed the order's total.
    pub goods: Vec<OrderedGoods>,
}

/// One kind of goods in an order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OrderedGoods {
    /// `merchant_goods_id`: 1 to 32 letters, digits, `_` and `-`.
    pub goods_id: String,
    /// `wechatpay_goods_id`, at the till `wxpay_goods_id`: the platform's code, at most 32 characters.
    pub platform_goods_id: Option<String>,
    /// `goods_name`: at most 256 characters.
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

    /// Checked, and as a member of a body; left out where nothing is set, because the platform takes no empty members.
    ///
    /// # Errors
    /// When a field breaks its rule, or the goods cost more than the order.
    pub(crate) fn in_body(
        detail: Option<&Self>,
        total: PayAmount,
        code: GoodsCode,
    ) -> Result<Option<BodyDetail<'_>>, BuildError> {
        let Some(detail) = detail else { return Ok(None) };
        detail.check(total, code)?;
        let body = BodyDetail {
            cost_price: detail.cost_price,
            invoice_id: detail.invoice_id.as_deref(),
            goods_detail: detail.goods.iter().map(|goods| goods.in_body(code)).collect(),
        };
        let size = serde_json::to_vec(&body.goods_detail)
            .map_err(BuildError::encode)?
            .len();
        if size > GOODS_BYTES {
            return Err(BuildError::Conflict {
                fields: "detail.goods_detail",
                problem: "the list has more than 6144 bytes (v3 sheet, section 13.2)",
            });
        }
        let is_empty = body.cost_price.is_none() && body.invoice_id.is_none() && body.goods_detail.is_empty();
        Ok((!is_empty).then_some(body))
    }

    fn check(&self, total: PayAmount, code: GoodsCode) -> Result<(), BuildError> {
        if let Some(price) = self.cost_price {
            not_negative("detail.cost_price", price)?;
        }
        INVOICE_ID.check_maybe(self.invoice_id.as_deref())?;
        let mut sum = Fen::ZERO;
        for goods in &self.goods {
            let price = goods.check(code)?;
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
        Ok(())
    }
}

/// Under which name a call takes the platform's code of goods.
#[derive(Clone, Copy)]
pub(crate) enum GoodsCode {
    /// `wechatpay_goods_id`: orders.
    Order,
    /// `wxpay_goods_id`: payments by code.
    Till,
}

/// The member `detail`.
#[derive(Serialize)]
pub(crate) struct BodyDetail<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_price: Option<Fen>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    goods_detail: Vec<BodyGoods<'a>>,
}

#[derive(Serialize)]
struct BodyGoods<'a> {
    merchant_goods_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    wechatpay_goods_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wxpay_goods_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goods_name: Option<&'a str>,
    quantity: u32,
    unit_price: Fen,
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

    fn in_body(&self, code: GoodsCode) -> BodyGoods<'_> {
        let platform_goods_id = self.platform_goods_id.as_deref();
        let (wechatpay_goods_id, wxpay_goods_id) = match code {
            GoodsCode::Order => (platform_goods_id, None),
            GoodsCode::Till => (None, platform_goods_id),
        };
        BodyGoods {
            merchant_goods_id: &self.goods_id,
            wechatpay_goods_id,
            wxpay_goods_id,
            goods_name: self.name.as_deref(),
            quantity: self.quantity,
            unit_price: self.unit_price,
        }
    }

    /// The price of all of them.
    fn check(&self, code: GoodsCode) -> Result<Fen, BuildError> {
        GOODS_ID.check(&self.goods_id)?;
        let platform_goods_id = match code {
            GoodsCode::Order => PLATFORM_GOODS_ID,
            GoodsCode::Till => TILL_GOODS_ID,
        };
        platform_goods_id.check_maybe(self.platform_goods_id.as_deref())?;
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
const TILL_GOODS_ID: Rule = Rule::new("detail.goods_detail[].wxpay_goods_id", 32)
    .alphabet(Alphabet::BASIC_PLANE)
    .source("v3 sheet, section 16.1");
const GOODS_NAME: Rule = Rule::new("detail.goods_detail[].goods_name", 256)
    .alphabet(Alphabet::BASIC_PLANE)
    .source(SHEET);

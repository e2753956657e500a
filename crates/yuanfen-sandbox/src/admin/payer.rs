//! A payer as JSON: who shows a payment code and what happens when it is charged, and what a payer says afterwards.

use bytes::Bytes;
use http::Response;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};
use yuanfen_core::Fen;

use super::answer::{Wrong, answer};
use super::ask::Ask;
use crate::{Coupon, FarSide, Payer, Platform, Reaction};

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Described {
    openid: Option<String>,
    bank: Option<String>,
    #[serde(deserialize_with = "coupons")]
    coupons: Vec<DescribedCoupon>,
    reaction: Reaction,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DescribedCoupon {
    id: String,
    amount_fen: i64,
    prepaid: bool,
}

/// What a payer says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Said {
    pub(super) stars: u8,
    pub(super) text: String,
}

/// A list of objects; serde would take lists without names as well.
fn coupons<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<DescribedCoupon>, D::Error> {
    let described = Vec::<Map<String, Value>>::deserialize(deserializer)?;
    let read = |coupon| DescribedCoupon::deserialize(Value::Object(coupon)).map_err(D::Error::custom);
    described.into_iter().map(read).collect()
}

/// A payer shows a code. An empty body is the sandbox's own payer, who pays.
pub(super) fn show_code(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    let platform = ask.platform()?;
    if !matches!(platform, Platform::WechatV2 | Platform::WechatV3) {
        return Err(Wrong::conflict("this platform charges no payment codes"));
    }
    let described = if ask.body().is_empty() {
        Described::default()
    } else {
        ask.json("a payer")?
    };
    let coupons = described.coupons.into_iter();
    let coupons = coupons.map(|coupon| Coupon::new(coupon.id, Fen::new(coupon.amount_fen), coupon.prepaid));
    let payer = Payer {
        openid: described.openid,
        bank: described.bank,
        coupons: coupons.collect(),
        reaction: described.reaction,
    };
    Ok(answer(&json!({ "code": far_side.payment_code(platform, payer) })))
}

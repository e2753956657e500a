//! A payer as JSON: who shows a payment code and what happens when it is charged, and what a payer says afterwards.

use serde::Deserialize;
use yuanfen_core::Fen;

use crate::{Coupon, Payer, Reaction};

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Described {
    openid: Option<String>,
    bank: Option<String>,
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

/// Stars and words.
///
/// # Errors
/// Says what is wrong with the JSON.
pub(super) fn read_comment(json: &[u8]) -> Result<Said, serde_json::Error> {
    serde_json::from_slice(json)
}

/// An empty body is the sandbox's own payer, who pays.
///
/// # Errors
/// Says what is wrong with the JSON.
pub(super) fn read(json: &[u8]) -> Result<Payer, serde_json::Error> {
    let described = if json.is_empty() {
        Described::default()
    } else {
        serde_json::from_slice(json)?
    };
    let coupons = described.coupons.into_iter();
    let coupons = coupons.map(|coupon| Coupon::new(coupon.id, Fen::new(coupon.amount_fen), coupon.prepaid));
    Ok(Payer {
        openid: described.openid,
        bank: described.bank,
        coupons: coupons.collect(),
        reaction: described.reaction,
    })
}

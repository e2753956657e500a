//! Coupons: what they are called, what each takes back, and the JSON that stands for them where a call asks so.
//!
//! The sheet has the JSON as one opaque text. Its members here are the ones that vendors' own kits read.

use serde_json::{Value, json};
use yuanfen_core::Fen;

use crate::book::{Coupon, Payment};

/// A coupon that the merchant receives is one of money; another is a discount.
pub(super) const fn kind(coupon: &Coupon) -> &'static str {
    if coupon.prepaid { "CASH" } else { "NO_CASH" }
}

/// `promotion_detail` of a payment; nothing where no coupon paid.
pub(super) fn of_payment(payment: &Payment) -> Option<String> {
    let all = payment.coupons.iter();
    detail(all.map(|coupon| promotion(coupon, None)))
}

/// `promotion_detail` of a refund that takes back so much of each coupon.
pub(super) fn of_refund(back: &[(&Coupon, Fen)]) -> Option<String> {
    let all = back.iter();
    detail(all.map(|(coupon, back)| promotion(coupon, Some(*back))))
}

fn detail(promotions: impl Iterator<Item = Value>) -> Option<String> {
    let promotions = Value::Array(promotions.collect());
    (promotions != json!([])).then(|| json!({ "promotion_detail": promotions }).to_string())
}

fn promotion(coupon: &Coupon, back: Option<Fen>) -> Value {
    let mut promotion = json!({
        "promotion_id": coupon.id,
        "scope": "GLOBAL",
        "type": if coupon.prepaid { "COUPON" } else { "DISCOUNT" },
        "amount": coupon.amount,
    });
    if let (Some(members), Some(back)) = (promotion.as_object_mut(), back) {
        members.insert("refund_amount".to_owned(), json!(back));
    }
    promotion
}

//! Coupons: what they are called, what each takes back, and the JSON that stands for them where a call asks so.
//!
//! The sheet has the JSON as one opaque text. Its members here are the ones that vendors' own kits read.

use serde_json::{Value, json};
use yuanfen_core::Fen;

use crate::bills::{Shares, proportion};
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

/// What each coupon of the payment takes back of a refund that divides so: coupons of one kind share what that kind
/// takes back in proportion, and together take back all of it.
pub(super) fn taken_back(payment: &Payment, shares: Shares) -> Vec<(&Coupon, Fen)> {
    let received = shares.coupons.try_sub(shares.given_up).unwrap_or(Fen::ZERO);
    let mut back = Vec::new();
    for (prepaid, part) in [(true, received), (false, shares.given_up)] {
        let of_kind = || payment.coupons.iter().filter(move |coupon| coupon.prepaid == prepaid);
        let whole = Fen::try_sum(of_kind().map(|coupon| coupon.amount)).unwrap_or(Fen::ZERO);
        let (mut passed, mut given) = (Fen::ZERO, Fen::ZERO);
        for coupon in of_kind() {
            passed = passed.try_add(coupon.amount).unwrap_or(passed);
            let until = proportion(part, passed, whole);
            back.push((coupon, until.try_sub(given).unwrap_or(Fen::ZERO)));
            given = until;
        }
    }
    back
}

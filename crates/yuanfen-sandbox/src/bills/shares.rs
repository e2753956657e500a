//! How payments and refunds divide between the payer, coupons and the merchant, to the last fen.

use yuanfen_core::Fen;

use crate::book::{Coupon, Order, Payment, Refund, proportion};

/// How a payment or a refund divides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shares {
    /// What the payer paid, or gets back.
    pub(crate) payer: Fen,
    /// What coupons paid, or take back.
    pub(crate) coupons: Fen,
    /// What discounts that the merchant does not receive paid, or take back.
    pub(crate) given_up: Fen,
    /// What the merchant receives, or gives back.
    pub(crate) settled: Fen,
}

impl Shares {
    /// Of the payment, or of one of its refunds.
    pub(crate) fn of(order: &Order, payment: &Payment, refund: Option<&Refund>) -> Self {
        match refund {
            None => Self::divide(order.amount, payment.by_coupons(), payment.given_up()),
            Some(refund) => Self::divide(refund.amount, refund.by_coupons, refund.given_up),
        }
    }

    fn divide(total: Fen, coupons: Fen, given_up: Fen) -> Self {
        let less = |part| total.try_sub(part).unwrap_or(Fen::ZERO);
        Self {
            payer: less(coupons),
            coupons,
            given_up,
            settled: less(given_up),
        }
    }

    /// What each coupon of the payment takes back of a refund that divides so: coupons of one kind share what that kind
    /// takes back in proportion, and together take back all of it.
    pub(crate) fn by_coupon(self, payment: &Payment) -> Vec<(&Coupon, Fen)> {
        let received = self.coupons.try_sub(self.given_up).unwrap_or(Fen::ZERO);
        let mut back = Vec::new();
        for (prepaid, part) in [(true, received), (false, self.given_up)] {
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
}

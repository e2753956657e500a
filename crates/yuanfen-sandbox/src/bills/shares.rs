//! How payments and refunds divide between the payer, coupons and the merchant, to the last fen.

use yuanfen_core::Fen;

use crate::book::{Order, Payment, Refund, RefundState};

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
    /// Of the payment, or of one of its refunds. A refund takes coupons back in its proportion of the order, rounded
    /// so that refunds of the whole order take back exactly the coupons.
    pub(crate) fn of(order: &Order, payment: &Payment, refund: Option<&Refund>) -> Self {
        let sum = |prepaid_too: bool| {
            let coupons = payment.coupons.iter().filter(|coupon| prepaid_too || !coupon.prepaid);
            Fen::try_sum(coupons.map(|coupon| coupon.amount)).unwrap_or(Fen::ZERO)
        };
        let (coupons, given_up) = (sum(true), sum(false));
        match refund {
            None => Self::divide(order.amount, coupons, given_up),
            Some(refund) => {
                let before = order
                    .refunds
                    .iter()
                    .take_while(|earlier| earlier.refund_no != refund.refund_no)
                    .filter(|earlier| earlier.state != RefundState::Closed);
                let before = Fen::try_sum(before.map(|earlier| earlier.amount)).unwrap_or(Fen::ZERO);
                let after = before.try_add(refund.amount).unwrap_or(before);
                let share = |whole: Fen| {
                    let until = |point: Fen| proportion(whole, point, order.amount);
                    until(after).try_sub(until(before)).unwrap_or(Fen::ZERO)
                };
                Self::divide(refund.amount, share(coupons), share(given_up))
            }
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
}

/// So much of `whole` as `part` is of `all`, rounded down.
pub(crate) fn proportion(whole: Fen, part: Fen, all: Fen) -> Fen {
    let product = i128::from(whole.get()).saturating_mul(i128::from(part.get()));
    let share = product.checked_div(i128::from(all.get())).unwrap_or(0);
    Fen::new(i64::try_from(share).unwrap_or(0))
}

//! One order, its payment, and where it stands.

use std::fmt;

use yuanfen_core::{Fen, UnixTime};

use super::{Account, BookError, Charge, Details, Placement, Refund, RefundState, fingerprint};

/// One order. `Debug` shows neither payer nor details.
#[derive(Clone)]
#[non_exhaustive]
pub struct Order {
    /// Counted from 1 over all accounts, in the order in which orders were placed first.
    pub number: u64,
    /// Where it was placed, and by whom.
    pub account: Account,
    /// The merchant's number.
    pub order_no: String,
    /// What is to be paid.
    pub amount: Fen,
    /// When it was placed first.
    pub placed_at: UnixTime,
    /// When it closes by itself if nobody pays.
    pub expires_at: Option<UnixTime>,
    /// Where notices go.
    pub notify_url: Option<String>,
    /// The payer that the order names, in the platform's terms (an openid).
    pub payer: Option<String>,
    /// What the platform remembers of the request under names of its own.
    pub details: Details,
    /// The numbers of the orders that are paid with this one; they are orders of the same account.
    pub parts: Vec<String>,
    /// The number of the order with which this one is paid and closed, where it is a part.
    pub whole: Option<String>,
    /// How it is charged, where it was placed at a till with a payer's code.
    pub charge: Option<Charge>,
    /// The payment, once there is one.
    pub payment: Option<Payment>,
    /// When it was closed.
    pub closed_at: Option<UnixTime>,
    /// When it was taken back at the till.
    pub revoked_at: Option<UnixTime>,
    /// What last kept the payer from paying.
    pub setback: Option<Setback>,
    /// What the payer said of it afterwards.
    pub comment: Option<Comment>,
    /// Refunds in the order they were asked for.
    pub refunds: Vec<Refund>,
    /// The digest of all parameters that a repeat must repeat.
    pub(super) fingerprint: String,
}

/// How an order was paid. `Debug` does not show the payer.
#[derive(Clone)]
#[non_exhaustive]
pub struct Payment {
    /// The platform's number of the payment.
    pub transaction_id: String,
    /// When.
    pub at: UnixTime,
    /// Who paid, in the platform's terms (an openid).
    pub payer: String,
    /// From which kind of account, in the platform's terms (`CMC_DEBIT`, `OTHERS`).
    pub bank: String,
    /// What coupons paid.
    pub coupons: Vec<Coupon>,
}

/// A coupon that paid a part of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coupon {
    /// Its number.
    pub id: String,
    /// What it paid.
    pub amount: Fen,
    /// Whether the merchant receives that part (a prepaid coupon) or not (a discount).
    pub prepaid: bool,
}

impl Payment {
    /// What coupons paid.
    pub(crate) fn by_coupons(&self) -> Fen {
        Fen::try_sum(self.coupons.iter().map(|coupon| coupon.amount)).unwrap_or(Fen::ZERO)
    }

    /// What coupons paid that the merchant does not receive.
    pub(crate) fn given_up(&self) -> Fen {
        let discounts = self.coupons.iter().filter(|coupon| !coupon.prepaid);
        Fen::try_sum(discounts.map(|coupon| coupon.amount)).unwrap_or(Fen::ZERO)
    }

    /// The same payment as one of the parts of its order has it: a number of its own, and no coupon, since coupons paid
    /// a part of the whole.
    pub(super) fn of_part(&self, index: usize) -> Self {
        let start = self.transaction_id.len().saturating_sub(2);
        let start = self.transaction_id.get(..start).unwrap_or_default();
        Self {
            transaction_id: format!("{start}{:02}", index.saturating_add(1)),
            coupons: Vec::new(),
            ..self.clone()
        }
    }
}

impl Coupon {
    /// A coupon over so much; the merchant receives it if it is prepaid.
    #[must_use]
    pub fn new(id: impl Into<String>, amount: Fen, prepaid: bool) -> Self {
        Self {
            id: id.into(),
            amount,
            prepaid,
        }
    }
}

/// What a payer says of what was bought. `Debug` does not show the words.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Comment {
    /// When.
    pub at: UnixTime,
    /// One to five.
    pub stars: u8,
    /// In words.
    pub text: String,
}

/// What kept a payer from paying. The order stays open, but at a till nobody can pay it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Setback {
    /// The payer closed the page.
    Cancelled,
    /// The bank refused.
    Failed,
    /// The payer at the till let the time pass.
    TimedOut,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OrderState {
    /// Open; nobody paid yet.
    Unpaid,
    /// Paid, nothing refunded.
    Paid,
    /// Closed before anybody paid: by the merchant or by its expiry.
    Closed,
    /// Paid, and at least one refund was started; not everything went back.
    Refunding,
    /// Everything went back.
    Refunded,
    /// At the till: the payer types the password, or the bank has not answered yet.
    PayerTyping,
    /// At the till: the payment failed for good.
    PaymentFailed,
    /// At the till: taken back. What was paid went back in full.
    Revoked,
}

impl Order {
    pub(super) fn new(placement: Placement, now: UnixTime) -> Self {
        let fingerprint = fingerprint(&placement);
        Self {
            number: 0,
            account: placement.account,
            order_no: placement.order_no,
            amount: placement.amount,
            placed_at: now,
            expires_at: placement.expires_at,
            notify_url: placement.notify_url,
            payer: placement.payer,
            details: placement.details,
            parts: Vec::new(),
            whole: None,
            charge: None,
            payment: None,
            closed_at: None,
            revoked_at: None,
            setback: None,
            comment: None,
            refunds: Vec::new(),
            fingerprint,
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> OrderState {
        if self.revoked_at.is_some() {
            return OrderState::Revoked;
        }
        if self.payment.is_none() {
            return match &self.charge {
                _ if self.closed_at.is_some() => OrderState::Closed,
                Some(charge) if charge.waits_until.is_some() => OrderState::PayerTyping,
                Some(_) if self.setback == Some(Setback::Failed) => OrderState::PaymentFailed,
                Some(_) | None => OrderState::Unpaid,
            };
        }
        if self.refunds.is_empty() {
            OrderState::Paid
        } else if self.sum(|state| state == RefundState::Succeeded) == self.amount {
            OrderState::Refunded
        } else {
            OrderState::Refunding
        }
    }

    /// What could still be refunded: what was paid, less every refund that was not given up.
    #[must_use]
    pub fn refundable(&self) -> Fen {
        if self.payment.is_none() {
            return Fen::ZERO;
        }
        self.amount
            .try_sub(self.sum(|state| state != RefundState::Closed))
            .unwrap_or(Fen::ZERO)
    }

    /// The refund of that number.
    #[must_use]
    pub fn refund(&self, refund_no: &str) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.refund_no == refund_no)
    }

    /// What the platform remembers under that name.
    #[must_use]
    pub fn detail(&self, name: &str) -> Option<&str> {
        self.details.get(name).map(String::as_str)
    }

    /// The same order with another amount, which its refunds have as well and no coupon pays a part of.
    pub(crate) fn with_amount(&self, amount: Fen) -> Self {
        let mut other = self.clone();
        other.amount = amount;
        for refund in &mut other.refunds {
            refund.amount = amount;
        }
        if let Some(payment) = &mut other.payment {
            payment.coupons.clear();
        }
        other
    }

    /// The same order under another number of the same length: its last character is a digit that it was not.
    pub(crate) fn renumbered(&self) -> Self {
        let mut other = self.clone();
        let last = other.order_no.pop();
        other.order_no.push(if last == Some('0') { '1' } else { '0' });
        other
    }

    fn sum(&self, counts: impl Fn(RefundState) -> bool) -> Fen {
        let amounts = self.refunds.iter().filter(|refund| counts(refund.state));
        // Refunds never exceed the order, so the sum fits.
        Fen::try_sum(amounts.map(|refund| refund.amount)).unwrap_or(self.amount)
    }

    /// Whether somebody can pay it by itself: its payer in the cashier, or at the till while they type.
    ///
    /// # Errors
    /// Why nobody can.
    pub(super) fn check_open(&self) -> Result<(), BookError> {
        if self.whole.is_some() {
            return Err(BookError::Part);
        }
        match self.state() {
            OrderState::PayerTyping => Ok(()),
            OrderState::Unpaid if self.charge.is_none() => Ok(()),
            OrderState::Unpaid | OrderState::PaymentFailed => Err(BookError::NoPayer),
            OrderState::Closed => Err(BookError::Closed),
            OrderState::Revoked => Err(BookError::Revoked),
            OrderState::Paid | OrderState::Refunding | OrderState::Refunded => Err(BookError::Paid),
        }
    }

    /// Whether it closed because its time was up, and could be paid by itself until then.
    pub(super) fn ran_out(&self) -> bool {
        let by_itself = self.closed_at.is_some() && self.closed_at == self.expires_at;
        by_itself && self.charge.is_none() && self.whole.is_none() && self.state() == OrderState::Closed
    }

    pub(super) const fn stop_waiting(&mut self) {
        if let Some(charge) = &mut self.charge {
            charge.waits_until = None;
        }
    }

    /// When it changes by itself, if nothing happens before.
    pub(super) fn next_deadline(&self) -> Option<UnixTime> {
        if self.payment.is_some() || self.closed_at.is_some() || self.revoked_at.is_some() {
            return None;
        }
        let waits_until = self.charge.as_ref().and_then(|charge| charge.waits_until);
        waits_until.into_iter().chain(self.expires_at).min()
    }

    pub(super) fn expire(&mut self, now: UnixTime) {
        if self.state() == OrderState::PayerTyping {
            let waits_until = self.charge.as_ref().and_then(|charge| charge.waits_until);
            if waits_until.is_some_and(|end| end <= now) {
                self.stop_waiting();
                self.setback = Some(Setback::TimedOut);
            }
        }
        if self.payment.is_none() && self.closed_at.is_none() && self.revoked_at.is_none() {
            self.closed_at = self.expires_at.filter(|end| *end <= now);
        }
    }
}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Order")
            .field("account", &self.account)
            .field("order_no", &self.order_no)
            .field("amount", &self.amount)
            .field("state", &self.state())
            .field("payment", &self.payment)
            .field("refunds", &self.refunds.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Payment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payment")
            .field("transaction_id", &self.transaction_id)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Comment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Comment")
            .field("at", &self.at)
            .field("stars", &self.stars)
            .finish_non_exhaustive()
    }
}

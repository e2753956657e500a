//! Orders and refunds as a platform keeps them: what state they are in and what may happen to them next.
//!
//! The five platforms differ in names, codes and limits of their messages; what an order is they share. So the book
//! knows no wire name: a platform module reads its message, asks the book, and says the outcome in its own words.

use std::collections::BTreeMap;
use std::fmt;

use yuanfen_core::{Fen, UnixTime};

use crate::Platform;

/// Most refunds of one order.
pub(crate) const MOST_REFUNDS: usize = 50;
/// How long after its payment an order can be refunded, in seconds: 365 days.
const REFUNDABLE_FOR: i64 = 365 * 86_400;

/// What a platform remembers of a request under names of its own: `attach`, the sign type, a scene.
pub type Details = BTreeMap<&'static str, String>;

/// All orders of a sandbox.
#[derive(Debug, Default)]
pub(crate) struct Book {
    orders: BTreeMap<(Platform, String), Order>,
}

/// One order. `Debug` shows neither payer nor details.
#[derive(Clone)]
#[non_exhaustive]
pub struct Order {
    /// Where it was placed.
    pub platform: Platform,
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
    /// The payment, once there is one.
    pub payment: Option<Payment>,
    /// When it was closed.
    pub closed_at: Option<UnixTime>,
    /// What last kept the payer from paying.
    pub setback: Option<Setback>,
    /// Refunds in the order they were asked for.
    pub refunds: Vec<Refund>,
    /// All parameters that a repeat must repeat, in a spelling of the platform's module.
    fingerprint: String,
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

/// What kept a payer from paying; the order stays open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Setback {
    /// The payer closed the page.
    Cancelled,
    /// The bank refused.
    Failed,
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
}

/// One refund. `Debug` does not show its details.
#[derive(Clone)]
#[non_exhaustive]
pub struct Refund {
    /// The merchant's number.
    pub refund_no: String,
    /// The platform's number.
    pub refund_id: String,
    /// What goes back.
    pub amount: Fen,
    /// Where it stands.
    pub state: RefundState,
    /// When it was asked for.
    pub created_at: UnixTime,
    /// When it came to its end.
    pub settled_at: Option<UnixTime>,
    /// Where its notices go.
    pub notify_url: Option<String>,
    /// What the platform remembers of the request under names of its own.
    pub details: Details,
    fingerprint: String,
}

/// Where a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefundState {
    /// Accepted, not yet with the payer.
    Processing,
    /// With the payer.
    Succeeded,
    /// Given up; the money stays with the merchant.
    Closed,
    /// The payer's account does not take it; somebody must handle it.
    Abnormal,
}

/// Why the book does not do what is asked. Each platform has its own codes for these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BookError {
    /// No such order.
    #[error("no such order")]
    UnknownOrder,
    /// No such refund.
    #[error("no such refund")]
    UnknownRefund,
    /// The order is paid already.
    #[error("the order is paid already")]
    Paid,
    /// The order is closed.
    #[error("the order is closed")]
    Closed,
    /// The order is not paid.
    #[error("the order is not paid")]
    Unpaid,
    /// The number was used before, with other parameters.
    #[error("the number was used before, with other parameters")]
    Differs,
    /// The request states another order total than the order has.
    #[error("the stated total is not the order's")]
    Total,
    /// Not a positive amount.
    #[error("the amount is not positive")]
    Amount,
    /// More than what is left of the order.
    #[error("more than what is left of the order")]
    Exceeds,
    /// One refund too many for this order.
    #[error("more than {MOST_REFUNDS} refunds of one order")]
    TooMany,
    /// Paid too long ago.
    #[error("the order was paid more than 365 days ago")]
    Overdue,
    /// The refund came to its end already.
    #[error("the refund came to its end already")]
    Settled,
}

/// What an order is placed with.
#[derive(Debug)]
pub(crate) struct Placement {
    pub(crate) platform: Platform,
    pub(crate) order_no: String,
    pub(crate) amount: Fen,
    pub(crate) expires_at: Option<UnixTime>,
    pub(crate) notify_url: Option<String>,
    pub(crate) payer: Option<String>,
    pub(crate) details: Details,
    pub(crate) fingerprint: String,
}

/// What a refund is asked for with.
#[derive(Debug)]
pub(crate) struct RefundRequest {
    pub(crate) refund_no: String,
    /// Made by the platform; used only where the refund is new.
    pub(crate) refund_id: String,
    pub(crate) amount: Fen,
    /// The order's total as the request states it, where it does.
    pub(crate) total: Option<Fen>,
    pub(crate) notify_url: Option<String>,
    pub(crate) details: Details,
    pub(crate) fingerprint: String,
}

impl Order {
    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> OrderState {
        if self.payment.is_none() {
            return if self.closed_at.is_some() {
                OrderState::Closed
            } else {
                OrderState::Unpaid
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

    fn sum(&self, counts: impl Fn(RefundState) -> bool) -> Fen {
        let amounts = self.refunds.iter().filter(|refund| counts(refund.state));
        // Refunds never exceed the order, so the sum fits.
        Fen::try_sum(amounts.map(|refund| refund.amount)).unwrap_or(self.amount)
    }

    fn expire(&mut self, now: UnixTime) {
        if self.payment.is_none() && self.closed_at.is_none() {
            self.closed_at = self.expires_at.filter(|end| *end <= now);
        }
    }
}

impl Refund {
    /// What the platform remembers under that name.
    #[must_use]
    pub fn detail(&self, name: &str) -> Option<&str> {
        self.details.get(name).map(String::as_str)
    }
}

impl Book {
    /// Places an order, or finds that the identical one is there already. Says whether it is new.
    ///
    /// # Errors
    /// [`BookError::Paid`], [`BookError::Closed`], [`BookError::Differs`] of an order of that number.
    pub(crate) fn place(&mut self, placement: Placement, now: UnixTime) -> Result<(&mut Order, bool), BookError> {
        use std::collections::btree_map::Entry;

        match self.orders.entry((placement.platform, placement.order_no.clone())) {
            Entry::Occupied(found) => {
                let order = found.into_mut();
                order.expire(now);
                match order.state() {
                    OrderState::Closed => Err(BookError::Closed),
                    OrderState::Paid | OrderState::Refunding | OrderState::Refunded => Err(BookError::Paid),
                    OrderState::Unpaid if order.fingerprint != placement.fingerprint => Err(BookError::Differs),
                    OrderState::Unpaid => Ok((order, false)),
                }
            }
            Entry::Vacant(free) => Ok((
                free.insert(Order {
                    platform: placement.platform,
                    order_no: placement.order_no,
                    amount: placement.amount,
                    placed_at: now,
                    expires_at: placement.expires_at,
                    notify_url: placement.notify_url,
                    payer: placement.payer,
                    details: placement.details,
                    payment: None,
                    closed_at: None,
                    setback: None,
                    refunds: Vec::new(),
                    fingerprint: placement.fingerprint,
                }),
                true,
            )),
        }
    }

    /// Closes every order whose time is up.
    pub(crate) fn expire(&mut self, now: UnixTime) {
        for order in self.orders.values_mut() {
            order.expire(now);
        }
    }

    /// The order of that number, as it stands now.
    pub(crate) fn order(&mut self, platform: Platform, order_no: &str, now: UnixTime) -> Option<&mut Order> {
        let order = self.orders.get_mut(&(platform, order_no.to_owned()))?;
        order.expire(now);
        Some(order)
    }

    /// The order whose payment has that number.
    pub(crate) fn by_transaction(&mut self, platform: Platform, transaction_id: &str) -> Option<&mut Order> {
        self.find(platform, |order| {
            order
                .payment
                .as_ref()
                .is_some_and(|payment| payment.transaction_id == transaction_id)
        })
    }

    /// The order of which the platform remembers that value under that name.
    pub(crate) fn by_detail(
        &mut self,
        platform: Platform,
        name: &'static str,
        value: &str,
        now: UnixTime,
    ) -> Option<&mut Order> {
        let order = self.find(platform, |order| order.detail(name) == Some(value))?;
        order.expire(now);
        Some(order)
    }

    fn find(&mut self, platform: Platform, is_it: impl Fn(&Order) -> bool) -> Option<&mut Order> {
        self.orders
            .values_mut()
            .find(|order| order.platform == platform && is_it(order))
    }

    /// Closes an order nobody paid. Closing it again changes nothing and is no error.
    ///
    /// # Errors
    /// [`BookError::UnknownOrder`], [`BookError::Paid`].
    pub(crate) fn close(&mut self, platform: Platform, order_no: &str, now: UnixTime) -> Result<&mut Order, BookError> {
        let order = self.order(platform, order_no, now).ok_or(BookError::UnknownOrder)?;
        if order.payment.is_some() {
            return Err(BookError::Paid);
        }
        order.closed_at.get_or_insert(now);
        Ok(order)
    }

    /// Books a payment.
    ///
    /// # Errors
    /// [`BookError::UnknownOrder`], [`BookError::Paid`], [`BookError::Closed`].
    pub(crate) fn pay(
        &mut self,
        platform: Platform,
        order_no: &str,
        payment: Payment,
        now: UnixTime,
    ) -> Result<&mut Order, BookError> {
        let order = self.open(platform, order_no, now)?;
        order.setback = None;
        order.payment = Some(payment);
        Ok(order)
    }

    /// Notes that the payer did not get through; the order stays open.
    ///
    /// # Errors
    /// [`BookError::UnknownOrder`], [`BookError::Paid`], [`BookError::Closed`].
    pub(crate) fn set_back(
        &mut self,
        platform: Platform,
        order_no: &str,
        setback: Setback,
        now: UnixTime,
    ) -> Result<&mut Order, BookError> {
        let order = self.open(platform, order_no, now)?;
        order.setback = Some(setback);
        Ok(order)
    }

    fn open(&mut self, platform: Platform, order_no: &str, now: UnixTime) -> Result<&mut Order, BookError> {
        let order = self.order(platform, order_no, now).ok_or(BookError::UnknownOrder)?;
        match order.state() {
            OrderState::Unpaid => Ok(order),
            OrderState::Closed => Err(BookError::Closed),
            OrderState::Paid | OrderState::Refunding | OrderState::Refunded => Err(BookError::Paid),
        }
    }

    /// Accepts a refund, or finds that the identical one is there already. Says whether it is new. A number that was
    /// used for another order, or with other parameters, is refused.
    ///
    /// # Errors
    /// [`BookError::UnknownOrder`], [`BookError::Unpaid`], [`BookError::Differs`], [`BookError::Total`],
    /// [`BookError::Amount`], [`BookError::Overdue`], [`BookError::TooMany`], [`BookError::Exceeds`], in this order.
    pub(crate) fn refund(
        &mut self,
        platform: Platform,
        order_no: &str,
        request: RefundRequest,
        now: UnixTime,
    ) -> Result<(&Refund, bool), BookError> {
        let taken_elsewhere = self
            .by_refund(platform, &request.refund_no)
            .is_some_and(|(order, _)| order.order_no != order_no);
        let order = self.order(platform, order_no, now).ok_or(BookError::UnknownOrder)?;
        let paid_at = order.payment.as_ref().ok_or(BookError::Unpaid)?.at;
        if taken_elsewhere {
            return Err(BookError::Differs);
        }
        let known = order
            .refunds
            .iter()
            .position(|refund| refund.refund_no == request.refund_no);
        if let Some(index) = known {
            let same = order
                .refunds
                .get(index)
                .filter(|refund| refund.fingerprint == request.fingerprint);
            return same.map(|refund| (refund, false)).ok_or(BookError::Differs);
        }
        if request.total.is_some_and(|total| total != order.amount) {
            return Err(BookError::Total);
        }
        if request.amount <= Fen::ZERO {
            return Err(BookError::Amount);
        }
        if now.since(paid_at) > REFUNDABLE_FOR {
            return Err(BookError::Overdue);
        }
        if order.refunds.len() >= MOST_REFUNDS {
            return Err(BookError::TooMany);
        }
        if request.amount > order.refundable() {
            return Err(BookError::Exceeds);
        }
        order.refunds.push(Refund {
            refund_no: request.refund_no,
            refund_id: request.refund_id,
            amount: request.amount,
            state: RefundState::Processing,
            created_at: now,
            settled_at: None,
            notify_url: request.notify_url,
            details: request.details,
            fingerprint: request.fingerprint,
        });
        order
            .refunds
            .last()
            .map(|refund| (refund, true))
            .ok_or(BookError::UnknownRefund)
    }

    /// The refund of that number and its order.
    pub(crate) fn by_refund(&self, platform: Platform, refund_no: &str) -> Option<(&Order, &Refund)> {
        self.orders
            .values()
            .filter(|order| order.platform == platform)
            .find_map(|order| order.refund(refund_no).map(|refund| (order, refund)))
    }

    /// Brings a refund to its end. An abnormal one can still succeed or be closed.
    ///
    /// # Errors
    /// [`BookError::UnknownRefund`], [`BookError::Settled`].
    pub(crate) fn settle_refund(
        &mut self,
        platform: Platform,
        refund_no: &str,
        end: RefundState,
        now: UnixTime,
    ) -> Result<&Order, BookError> {
        let order = self
            .find(platform, |order| order.refund(refund_no).is_some())
            .ok_or(BookError::UnknownRefund)?;
        let refund = order
            .refunds
            .iter_mut()
            .find(|refund| refund.refund_no == refund_no)
            .ok_or(BookError::UnknownRefund)?;
        let may = match refund.state {
            RefundState::Processing => end != RefundState::Processing,
            RefundState::Abnormal => matches!(end, RefundState::Succeeded | RefundState::Closed),
            RefundState::Succeeded | RefundState::Closed => false,
        };
        if !may {
            return Err(BookError::Settled);
        }
        refund.state = end;
        refund.settled_at = Some(now);
        Ok(order)
    }

    /// All orders of a platform, by number.
    pub(crate) fn of(&self, platform: Platform) -> impl Iterator<Item = &Order> {
        self.orders.values().filter(move |order| order.platform == platform)
    }
}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Order")
            .field("platform", &self.platform)
            .field("order_no", &self.order_no)
            .field("amount", &self.amount)
            .field("state", &self.state())
            .field("payment", &self.payment)
            .field("refunds", &self.refunds.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Refund {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refund")
            .field("refund_no", &self.refund_no)
            .field("amount", &self.amount)
            .field("state", &self.state)
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

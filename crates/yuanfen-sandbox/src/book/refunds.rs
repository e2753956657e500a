//! Refunds: never more than the order, one for each number, each to one end.

use std::fmt;
use std::sync::Arc;

use yuanfen_core::{Fen, UnixTime};

use super::{Account, Book, BookError, Details, Order, Payment, Shelf};

/// Most refunds of one order.
pub(crate) const MOST_REFUNDS: usize = 50;
/// How long after its payment an order can be refunded, in seconds: 365 days.
const REFUNDABLE_FOR: i64 = 365 * 86_400;

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
    /// So much of it goes back to coupons.
    pub by_coupons: Fen,
    /// So much of that was never the merchant's.
    pub given_up: Fen,
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
    pub(super) fingerprint: String,
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

/// What a refund is asked for with.
#[derive(Debug)]
pub(crate) struct RefundRequest {
    pub(crate) refund_no: String,
    /// Made by the platform; used only where the refund is new.
    pub(crate) refund_id: String,
    pub(crate) amount: Fen,
    /// The order's total as the request states it, where it does.
    pub(crate) total: Option<Fen>,
    /// Whether the platform wants a minute between two refunds of one order.
    pub(crate) spaced: bool,
    pub(crate) notify_url: Option<String>,
    pub(crate) details: Details,
    pub(crate) fingerprint: String,
}

impl Refund {
    /// What the platform remembers under that name.
    #[must_use]
    pub fn detail(&self, name: &str) -> Option<&str> {
        self.details.get(name).map(String::as_str)
    }
}

impl Book {
    /// Accepts a refund, or finds that the identical one is there already. Says whether it is new. A number that was
    /// used for another order, or with other parameters, is refused.
    ///
    /// # Errors
    /// [`BookError::UnknownOrder`], [`BookError::Unpaid`], [`BookError::Revoked`], [`BookError::Differs`],
    /// [`BookError::Total`], [`BookError::Amount`], [`BookError::Overdue`], [`BookError::TooMany`],
    /// [`BookError::Exceeds`], [`BookError::TooSoon`], [`BookError::Poor`], in this order.
    pub(crate) fn refund(
        &mut self,
        account: impl Into<Account>,
        order_no: &str,
        request: RefundRequest,
        now: UnixTime,
    ) -> Result<(&Refund, bool), BookError> {
        let account = account.into();
        let taken_elsewhere = self
            .by_refund(account, &request.refund_no)
            .is_some_and(|(order, _)| order.order_no != order_no);
        let position = self.open(account, order_no, now)?;
        let order = self.at(position)?;
        let payment = order.payment.as_ref().ok_or(BookError::Unpaid)?;
        if order.revoked_at.is_some() {
            return Err(BookError::Revoked);
        }
        if taken_elsewhere {
            return Err(BookError::Differs);
        }
        let known = order
            .refunds
            .iter()
            .position(|refund| refund.refund_no == request.refund_no);
        if let Some(index) = known {
            let refund = self.at(position)?.refunds.get(index);
            let same = refund.filter(|refund| refund.fingerprint == request.fingerprint);
            return same.map(|refund| (refund, false)).ok_or(BookError::Differs);
        }
        if request.total.is_some_and(|total| total != order.amount) {
            return Err(BookError::Total);
        }
        if request.amount <= Fen::ZERO {
            return Err(BookError::Amount);
        }
        if now.since(payment.at) > REFUNDABLE_FOR {
            return Err(BookError::Overdue);
        }
        if order.refunds.len() >= MOST_REFUNDS {
            return Err(BookError::TooMany);
        }
        if request.amount > order.refundable() {
            return Err(BookError::Exceeds);
        }
        let before = order.refunds.last().map(|refund| refund.created_at);
        self.rules.check_pause(before.filter(|_| request.spaced), now)?;
        let (by_coupons, given_up) = taken_back(order, payment, request.amount);
        let of_merchant = request.amount.try_sub(given_up).unwrap_or(request.amount);
        self.rules.check_balance(account, of_merchant)?;
        let refund = Refund {
            refund_no: request.refund_no,
            refund_id: request.refund_id,
            amount: request.amount,
            by_coupons,
            given_up,
            state: RefundState::Processing,
            created_at: now,
            settled_at: None,
            notify_url: request.notify_url,
            details: request.details,
            fingerprint: request.fingerprint,
        };
        self.change(position, |order| order.refunds.push(refund))?;
        self.rules.move_balance(account, negative(of_merchant));
        let refund = self.at(position)?.refunds.last();
        refund.map(|refund| (refund, true)).ok_or(BookError::UnknownRefund)
    }

    /// Sends a refund that the payer's account did not take on to another one: it is under way again.
    ///
    /// # Errors
    /// [`BookError::UnknownRefund`], and [`BookError::Settled`] of one that is not abnormal.
    pub(crate) fn send_refund_on(&mut self, account: impl Into<Account>, refund_no: &str) -> Result<(), BookError> {
        self.change_refund(account.into(), refund_no, |refund| {
            if refund.state != RefundState::Abnormal {
                return Err(BookError::Settled);
            }
            refund.state = RefundState::Processing;
            refund.settled_at = None;
            Ok(())
        })
        .map(|_| ())
    }

    /// The refund of that number and its order.
    pub(crate) fn by_refund(&self, account: impl Into<Account>, refund_no: &str) -> Option<(&Order, &Refund)> {
        let position = self.catalog.find(account.into(), Shelf::Refund, refund_no)?;
        let order = self.at(position).ok()?;
        Some((order, order.refund(refund_no)?))
    }

    /// The refund to which the platform gave that number, and its order.
    pub(crate) fn by_refund_id(&self, account: impl Into<Account>, refund_id: &str) -> Option<(&Order, &Refund)> {
        let position = self.catalog.find(account.into(), Shelf::RefundId, refund_id)?;
        let order = self.at(position).ok()?;
        let refund = order.refunds.iter().find(|refund| refund.refund_id == refund_id)?;
        Some((order, refund))
    }

    /// Brings a refund to its end. An abnormal one can still succeed or be closed.
    ///
    /// # Errors
    /// [`BookError::UnknownRefund`], [`BookError::Settled`].
    pub(crate) fn settle_refund(
        &mut self,
        account: impl Into<Account>,
        refund_no: &str,
        end: RefundState,
        now: UnixTime,
    ) -> Result<Arc<Order>, BookError> {
        let account = account.into();
        let order = self.change_refund(account, refund_no, |refund| {
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
            Ok(())
        })?;
        if let Some(refund) = order.refund(refund_no).filter(|_| end == RefundState::Closed) {
            let of_merchant = refund.amount.try_sub(refund.given_up).unwrap_or(refund.amount);
            self.rules.move_balance(account, of_merchant);
        }
        Ok(order)
    }

    /// # Errors
    /// [`BookError::UnknownRefund`], and what the change says, which then changes nothing.
    fn change_refund(
        &mut self,
        account: Account,
        refund_no: &str,
        change: impl FnOnce(&mut Refund) -> Result<(), BookError>,
    ) -> Result<Arc<Order>, BookError> {
        let position = self.catalog.find(account, Shelf::Refund, refund_no);
        let position = position.ok_or(BookError::UnknownRefund)?;
        self.change(position, |order| {
            let refund = order.refunds.iter_mut().find(|refund| refund.refund_no == refund_no);
            refund.ok_or(BookError::UnknownRefund).and_then(change)
        })??;
        self.at(position).map(Arc::clone)
    }
}

/// What of a new refund goes back to coupons, and how much of that was never the merchant's: so much that all refunds
/// that stand take back their proportion of the order, rounded down, and those of the whole order all of it. It is
/// settled with the refund: one that is given up later moves nothing of it.
fn taken_back(order: &Order, payment: &Payment, amount: Fen) -> (Fen, Fen) {
    let standing = || {
        order
            .refunds
            .iter()
            .filter(|refund| refund.state != RefundState::Closed)
    };
    let sum = |of: fn(&Refund) -> Fen| Fen::try_sum(standing().map(of)).unwrap_or(Fen::ZERO);
    let until = sum(|refund| refund.amount).try_add(amount).unwrap_or(order.amount);
    let share = |whole: Fen, taken: Fen, most: Fen| {
        let due = proportion(whole, until, order.amount).get().saturating_sub(taken.get());
        Fen::new(due.clamp(0, most.get().max(0)))
    };
    let by_coupons = share(payment.by_coupons(), sum(|refund| refund.by_coupons), amount);
    let given_up = share(payment.given_up(), sum(|refund| refund.given_up), by_coupons);
    (by_coupons, given_up)
}

/// So much of `whole` as `part` is of `all`, rounded down.
pub(crate) fn proportion(whole: Fen, part: Fen, all: Fen) -> Fen {
    let product = i128::from(whole.get()).saturating_mul(i128::from(part.get()));
    let share = product.checked_div(i128::from(all.get())).unwrap_or(0);
    Fen::new(i64::try_from(share).unwrap_or(0))
}

const fn negative(amount: Fen) -> Fen {
    Fen::new(amount.get().saturating_neg())
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

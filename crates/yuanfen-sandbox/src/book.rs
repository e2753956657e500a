//! Orders and refunds as a platform keeps them: what state they are in and what may happen to them next.
//!
//! The five platforms differ in names, codes and limits of their messages; what an order is they share. So the book
//! knows no wire name: a platform module reads its message, asks the book, and says the outcome in its own words.

mod account;
mod order;
mod payer;
mod refunds;
mod till;

use std::collections::BTreeMap;
use std::fmt;

use yuanfen_core::{Fen, UnixTime};

pub use self::account::Account;
pub use self::order::{Comment, Coupon, Order, OrderState, Payment, Setback};
pub(crate) use self::payer::Terms;
pub use self::payer::{Payer, Reaction};
pub(crate) use self::refunds::{MOST_REFUNDS, RefundRequest};
pub use self::refunds::{Refund, RefundState};
pub use self::till::Charge;
use self::till::PaymentCode;
pub(crate) use self::till::Shown;
use crate::Platform;

/// What a platform remembers of a request under names of its own: `attach`, the sign type, a scene.
pub type Details = BTreeMap<&'static str, String>;

/// All orders of a sandbox, and the codes that payers show. `Debug` shows no code.
#[derive(Default)]
pub(crate) struct Book {
    orders: BTreeMap<(Account, String), Order>,
    codes: BTreeMap<(Platform, String), PaymentCode>,
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
    /// The order was taken back.
    #[error("the order was taken back")]
    Revoked,
    /// A part of the order was refunded, so it is not taken back.
    #[error("a part of the order was refunded already")]
    Refunded,
    /// The order was charged at a till: it is taken back, not closed.
    #[error("the order was charged at a till, which is taken back and not closed")]
    AtTill,
    /// The order was not charged at a till, and only those are taken back.
    #[error("the order was not charged at a till")]
    NotAtTill,
    /// Charged too long ago to be taken back.
    #[error("the order was charged more than 7 days ago")]
    Late,
    /// The payer whose code was charged is gone: gave up, failed, or let the time pass.
    #[error("nobody is paying this order any more")]
    NoPayer,
    /// The number was begun with another payer's code.
    #[error("the number was begun with another payer's code")]
    OtherPayer,
    /// The order is a part of another one, and paid with it.
    #[error("the order is a part of another one, and is paid with it")]
    Part,
    /// A comment has one to five stars.
    #[error("a comment has one to five stars")]
    Stars,
    /// No payer shows such a code.
    #[error("no payer shows such a code")]
    CodeUnknown,
    /// The code is more than a minute old.
    #[error("the code is more than a minute old")]
    CodeExpired,
    /// The code was charged for another order.
    #[error("the code was charged before")]
    CodeUsed,
    /// Another merchant asked for the payer behind the code and alone can charge it.
    #[error("only another merchant can charge the code")]
    CodeOfAnother,
}

/// What an order is placed with.
#[derive(Debug)]
pub(crate) struct Placement {
    pub(crate) account: Account,
    pub(crate) order_no: String,
    pub(crate) amount: Fen,
    pub(crate) expires_at: Option<UnixTime>,
    pub(crate) notify_url: Option<String>,
    pub(crate) payer: Option<String>,
    pub(crate) details: Details,
    pub(crate) fingerprint: String,
}

impl Book {
    /// Places an order, or finds that the identical one is there already. Says whether it is new.
    ///
    /// # Errors
    /// [`BookError::Paid`], [`BookError::Closed`], [`BookError::Revoked`], [`BookError::Differs`] of an order of that
    /// number.
    pub(crate) fn place(&mut self, placement: Placement, now: UnixTime) -> Result<(&mut Order, bool), BookError> {
        use std::collections::btree_map::Entry;

        match self.orders.entry((placement.account, placement.order_no.clone())) {
            Entry::Occupied(found) => {
                let order = found.into_mut();
                order.expire(now);
                match order.state() {
                    OrderState::Closed => Err(BookError::Closed),
                    OrderState::Revoked => Err(BookError::Revoked),
                    OrderState::Paid | OrderState::Refunding | OrderState::Refunded => Err(BookError::Paid),
                    OrderState::PayerTyping | OrderState::PaymentFailed => Err(BookError::Differs),
                    OrderState::Unpaid if order.charge.is_some() => Err(BookError::Differs),
                    OrderState::Unpaid if order.fingerprint != placement.fingerprint => Err(BookError::Differs),
                    OrderState::Unpaid => Ok((order, false)),
                }
            }
            Entry::Vacant(free) => Ok((free.insert(Order::new(placement, now)), true)),
        }
    }

    /// Places an order whose parts are orders of their own, or finds that the identical one is there already. The parts
    /// must be free, which is the caller's check; they are paid and closed with the whole.
    ///
    /// # Errors
    /// As [`Self::place`] has it.
    pub(crate) fn place_whole(
        &mut self,
        whole: Placement,
        parts: Vec<Placement>,
        now: UnixTime,
    ) -> Result<&mut Order, BookError> {
        let key = (whole.account, whole.order_no.clone());
        let expires_at = whole.expires_at;
        let (_, is_new) = self.place(whole, now)?;
        if is_new {
            let mut numbers = Vec::with_capacity(parts.len());
            for mut part in parts {
                part.expires_at = expires_at;
                let mut part = Order::new(part, now);
                part.whole = Some(key.1.clone());
                numbers.push(part.order_no.clone());
                self.orders.insert((part.account, part.order_no.clone()), part);
            }
            if let Some(order) = self.orders.get_mut(&key) {
                order.parts = numbers;
            }
        }
        self.orders.get_mut(&key).ok_or(BookError::UnknownOrder)
    }

    /// Closes every order whose time is up.
    pub(crate) fn expire(&mut self, now: UnixTime) {
        for order in self.orders.values_mut() {
            order.expire(now);
        }
    }

    /// The order of that number, as it stands now.
    pub(crate) fn order(&mut self, account: impl Into<Account>, order_no: &str, now: UnixTime) -> Option<&mut Order> {
        let order = self.orders.get_mut(&(account.into(), order_no.to_owned()))?;
        order.expire(now);
        Some(order)
    }

    /// The order whose payment has that number. Of one that is paid in parts each part has a number, the whole has none
    /// that anybody is told.
    pub(crate) fn by_transaction(&mut self, account: impl Into<Account>, transaction_id: &str) -> Option<&mut Order> {
        self.find(account, |order| {
            let payment = order.payment.as_ref().filter(|_| order.parts.is_empty());
            payment.is_some_and(|payment| payment.transaction_id == transaction_id)
        })
    }

    /// The order of which the platform remembers that value under that name.
    pub(crate) fn by_detail(
        &mut self,
        account: impl Into<Account>,
        name: &'static str,
        value: &str,
        now: UnixTime,
    ) -> Option<&mut Order> {
        let order = self.find(account, |order| order.detail(name) == Some(value))?;
        order.expire(now);
        Some(order)
    }

    fn find(&mut self, account: impl Into<Account>, is_it: impl Fn(&Order) -> bool) -> Option<&mut Order> {
        let account = account.into();
        self.orders
            .values_mut()
            .find(|order| order.account == account && is_it(order))
    }

    /// Closes an order nobody paid. Closing it again changes nothing and is no error.
    ///
    /// # Errors
    /// [`BookError::UnknownOrder`], [`BookError::Paid`], [`BookError::AtTill`].
    pub(crate) fn close(
        &mut self,
        account: impl Into<Account>,
        order_no: &str,
        now: UnixTime,
    ) -> Result<&mut Order, BookError> {
        let order = self.order(account, order_no, now).ok_or(BookError::UnknownOrder)?;
        if order.charge.is_some() {
            return Err(BookError::AtTill);
        }
        if order.payment.is_some() {
            return Err(BookError::Paid);
        }
        order.closed_at.get_or_insert(now);
        let (account, parts) = (order.account, order.parts.clone());
        for part in &parts {
            if let Some(part) = self.order(account, part, now) {
                part.closed_at.get_or_insert(now);
            }
        }
        self.order(account, order_no, now).ok_or(BookError::UnknownOrder)
    }

    /// That payer pays the whole order, or the payer at the till does where none is named.
    ///
    /// # Errors
    /// [`BookError::UnknownOrder`], [`BookError::Paid`], [`BookError::Closed`], [`BookError::Revoked`],
    /// [`BookError::NoPayer`], [`BookError::Part`]; [`BookError::Amount`] and [`BookError::Exceeds`] of coupons.
    pub(crate) fn pay(
        &mut self,
        account: impl Into<Account>,
        order_no: &str,
        payer: Option<Payer>,
        terms: Terms,
        now: UnixTime,
    ) -> Result<&mut Order, BookError> {
        let order = self.order(account, order_no, now).ok_or(BookError::UnknownOrder)?;
        let at_till = order.charge.as_ref().map(|charge| charge.payer.clone());
        let payer = payer.or(at_till).unwrap_or_default();
        payer.check_coupons(order.amount)?;
        order.check_open()?;
        order.stop_waiting();
        order.setback = None;
        let payment = payer.payment(order.payer.as_deref(), terms, now);
        order.payment = Some(payment.clone());
        let (account, parts) = (order.account, order.parts.clone());
        for (index, part) in parts.iter().enumerate() {
            if let Some(part) = self.order(account, part, now) {
                part.payment = Some(payment.of_part(index));
            }
        }
        self.order(account, order_no, now).ok_or(BookError::UnknownOrder)
    }

    /// Notes that the payer did not get through. The order stays open, but at a till nobody can pay it any more.
    ///
    /// # Errors
    /// [`BookError::UnknownOrder`], [`BookError::Paid`], [`BookError::Closed`], [`BookError::Revoked`],
    /// [`BookError::NoPayer`], [`BookError::Part`].
    pub(crate) fn set_back(
        &mut self,
        account: impl Into<Account>,
        order_no: &str,
        setback: Setback,
        now: UnixTime,
    ) -> Result<&mut Order, BookError> {
        let order = self.order(account, order_no, now).ok_or(BookError::UnknownOrder)?;
        order.check_open()?;
        order.stop_waiting();
        order.setback = Some(setback);
        Ok(order)
    }

    /// The payer comments on a paid order; another comment takes the first one's place.
    ///
    /// # Errors
    /// [`BookError::UnknownOrder`], [`BookError::Unpaid`], [`BookError::Stars`].
    pub(crate) fn comment(
        &mut self,
        account: impl Into<Account>,
        order_no: &str,
        comment: Comment,
        now: UnixTime,
    ) -> Result<&mut Order, BookError> {
        let order = self.order(account, order_no, now).ok_or(BookError::UnknownOrder)?;
        if order.payment.is_none() {
            return Err(BookError::Unpaid);
        }
        if !(1..=5).contains(&comment.stars) {
            return Err(BookError::Stars);
        }
        order.comment = Some(comment);
        Ok(order)
    }

    /// All orders of an account, by number.
    pub(crate) fn of(&self, account: impl Into<Account>) -> impl Iterator<Item = &Order> {
        let account = account.into();
        self.orders.values().filter(move |order| order.account == account)
    }
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Book")
            .field("orders", &self.orders.len())
            .field("codes", &self.codes.len())
            .finish()
    }
}

//! Orders and refunds as a platform keeps them: what state they are in and what may happen to them next.
//!
//! The five platforms differ in names, codes and limits of their messages; what an order is they share. So the book
//! knows no wire name: a platform module reads its message, asks the book, and says the outcome in its own words.

mod account;
mod catalog;
mod error;
mod order;
mod payer;
mod refunds;
mod rules;
#[cfg(test)]
mod tests;
mod till;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use yuanfen_core::{CalendarDate, Fen, UnixTime};
use yuanfen_sign::sha256_hex;

pub use self::account::Account;
use self::catalog::{Catalog, Position, Shelf};
pub use self::error::BookError;
pub use self::order::{Comment, Coupon, Order, OrderState, Payment, Setback};
pub(crate) use self::payer::Terms;
pub use self::payer::{Payer, Reaction};
pub(crate) use self::refunds::{MOST_REFUNDS, RefundRequest, proportion};
pub use self::refunds::{Refund, RefundState};
use self::rules::Rules;
pub use self::till::Charge;
use self::till::PaymentCode;
pub(crate) use self::till::Shown;
use crate::Platform;

/// What a platform remembers of a request under names of its own: `attach`, the sign type, a scene.
pub type Details = BTreeMap<&'static str, String>;

/// All orders of a sandbox, and the codes that payers show. `Debug` shows no code.
///
/// No order is ever forgotten, so an order's position is its name inside the book. Orders change in [`Book::change`]
/// alone, which keeps the catalog and the deadlines with them; what is handed out is to be read.
#[derive(Default)]
pub(crate) struct Book {
    /// As they were placed. Who tells of an order as it stood once shares it; the next change makes a copy.
    orders: Vec<Arc<Order>>,
    catalog: Catalog,
    /// When orders change by themselves, soonest first. An order that is paid leaves its deadline behind, which then
    /// passes without effect.
    deadlines: BTreeSet<(UnixTime, Position)>,
    codes: BTreeMap<(Platform, String), PaymentCode>,
    /// How often an order was placed or changed.
    changes: u64,
    /// Days of which somebody had the bills made before their time.
    made_early: BTreeSet<CalendarDate>,
    pub(crate) rules: Rules,
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
    pub(crate) fn place(&mut self, placement: Placement, now: UnixTime) -> Result<(&Order, bool), BookError> {
        let (position, is_new) = match self.position(placement.account, &placement.order_no, now) {
            None => (self.enter(Order::new(placement, now)), true),
            Some(position) => {
                let order = self.at(position)?;
                match order.state() {
                    OrderState::Closed => return Err(BookError::Closed),
                    OrderState::Revoked => return Err(BookError::Revoked),
                    OrderState::Paid | OrderState::Refunding | OrderState::Refunded => return Err(BookError::Paid),
                    OrderState::PayerTyping | OrderState::PaymentFailed => return Err(BookError::Differs),
                    OrderState::Unpaid if order.charge.is_some() => return Err(BookError::Differs),
                    OrderState::Unpaid if order.fingerprint != fingerprint(&placement) => {
                        return Err(BookError::Differs);
                    }
                    OrderState::Unpaid => (position, false),
                }
            }
        };
        self.at(position).map(|order| (&**order, is_new))
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
    ) -> Result<&Order, BookError> {
        let (account, order_no) = (whole.account, whole.order_no.clone());
        let expires_at = whole.expires_at;
        let (_, is_new) = self.place(whole, now)?;
        let position = self.open(account, &order_no, now)?;
        if is_new {
            let mut numbers = Vec::with_capacity(parts.len());
            for mut part in parts {
                part.expires_at = expires_at;
                let mut part = Order::new(part, now);
                part.whole = Some(order_no.clone());
                numbers.push(part.order_no.clone());
                self.enter(part);
            }
            self.change(position, |order| order.parts = numbers)?;
        }
        self.at(position).map(|order| &**order)
    }

    /// Makes the bills of a day without waiting for the next morning.
    pub(crate) fn make_bills(&mut self, day: CalendarDate) {
        self.made_early.insert(day);
    }

    /// Whether the bills of a day were made before their time.
    pub(crate) fn has_bills_of(&self, day: CalendarDate) -> bool {
        self.made_early.contains(&day)
    }

    /// Closes every order whose time is up. Costs what is closed.
    pub(crate) fn expire(&mut self, now: UnixTime) {
        while let Some((_, position)) = self.deadlines.first().filter(|(end, _)| *end <= now).copied() {
            self.deadlines.pop_first();
            if self.at(position).is_ok_and(|order| order.next_deadline().is_some()) {
                // The order is there.
                _ = self.change(position, |order| order.expire(now));
            }
        }
    }

    /// The order of that number, as it stands now.
    pub(crate) fn order(&mut self, account: impl Into<Account>, order_no: &str, now: UnixTime) -> Option<&Order> {
        let position = self.position(account.into(), order_no, now)?;
        self.at(position).ok().map(|order| &**order)
    }

    /// The order whose payment has that number. Of one that is paid in parts each part has a number, the whole has none
    /// that anybody is told.
    pub(crate) fn by_transaction(&self, account: impl Into<Account>, transaction_id: &str) -> Option<&Order> {
        let position = self.catalog.find(account.into(), Shelf::Transaction, transaction_id)?;
        self.at(position).ok().map(|order| &**order)
    }

    /// The order of which the platform remembers that value under that name. The value is one that the platform gave
    /// out, or made sure of, for this order alone.
    pub(crate) fn by_detail(
        &mut self,
        account: impl Into<Account>,
        name: &'static str,
        value: &str,
        now: UnixTime,
    ) -> Option<&Order> {
        let (account, shelf) = (account.into(), Shelf::Detail(name));
        self.expire(now);
        if !self.catalog.has(account, shelf) {
            self.catalog.put_up(account, shelf);
            for (position, order) in self.orders.iter().enumerate() {
                self.catalog.enter(order, position);
            }
        }
        let position = self.catalog.find(account, shelf, value)?;
        // An order that remembers another value by now is not taken off its shelf.
        let order = self.at(position).ok().filter(|order| order.detail(name) == Some(value));
        order.map(|order| &**order)
    }

    /// The platform remembers a value of an order under a name of its own.
    ///
    /// # Errors
    /// [`BookError::UnknownOrder`].
    pub(crate) fn remember(
        &mut self,
        account: impl Into<Account>,
        order_no: &str,
        values: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Result<&Order, BookError> {
        let position = self.catalog.find(account.into(), Shelf::Order, order_no);
        let position = position.ok_or(BookError::UnknownOrder)?;
        self.change(position, |order| order.details.extend(values))?;
        self.at(position).map(|order| &**order)
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
    ) -> Result<&Order, BookError> {
        let position = self.open(account.into(), order_no, now)?;
        let order = self.at(position)?;
        if order.charge.is_some() {
            return Err(BookError::AtTill);
        }
        if order.payment.is_some() {
            return Err(BookError::Paid);
        }
        for position in self.with_parts(position, now)? {
            self.change(position, |order| _ = order.closed_at.get_or_insert(now))?;
        }
        self.at(position).map(|order| &**order)
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
    ) -> Result<Arc<Order>, BookError> {
        let position = self.open(account.into(), order_no, now)?;
        self.at(position)?.check_open()?;
        self.settle(position, payer, terms, now)
    }

    /// The same of an order whose time was up before the payer, who had opened the cashier, was done. One that is still
    /// open is simply paid.
    ///
    /// # Errors
    /// As [`Self::pay`] has it; [`BookError::Closed`] of an order that the merchant closed.
    pub(crate) fn pay_late(
        &mut self,
        account: impl Into<Account>,
        order_no: &str,
        terms: Terms,
        now: UnixTime,
    ) -> Result<Arc<Order>, BookError> {
        let position = self.open(account.into(), order_no, now)?;
        let order = self.at(position)?;
        if !order.ran_out() {
            order.check_open()?;
        }
        self.settle(position, None, terms, now)
    }

    /// Pays an order and its parts.
    ///
    /// # Errors
    /// [`BookError::Amount`] and [`BookError::Exceeds`] of coupons.
    fn settle(
        &mut self,
        position: Position,
        payer: Option<Payer>,
        terms: Terms,
        now: UnixTime,
    ) -> Result<Arc<Order>, BookError> {
        let order = self.at(position)?;
        let at_till = order.charge.as_ref().map(|charge| charge.payer.clone());
        let payer = payer.or(at_till).unwrap_or_default();
        payer.check_coupons(order.amount)?;
        let payment = payer.payment(order.payer.as_deref(), terms, now);
        let parts = self.with_parts(position, now)?.into_iter().skip(1);
        for (index, part) in parts.enumerate() {
            self.change(part, |order| {
                order.closed_at = None;
                order.payment = Some(payment.of_part(index));
            })?;
        }
        self.change(position, |order| {
            order.stop_waiting();
            order.setback = None;
            order.closed_at = None;
            order.payment = Some(payment);
        })?;
        self.at(position).map(Arc::clone)
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
    ) -> Result<&Order, BookError> {
        let position = self.open(account.into(), order_no, now)?;
        self.at(position)?.check_open()?;
        self.change(position, |order| {
            order.stop_waiting();
            order.setback = Some(setback);
        })?;
        self.at(position).map(|order| &**order)
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
    ) -> Result<&Order, BookError> {
        let position = self.open(account.into(), order_no, now)?;
        if self.at(position)?.payment.is_none() {
            return Err(BookError::Unpaid);
        }
        if !(1..=5).contains(&comment.stars) {
            return Err(BookError::Stars);
        }
        self.change(position, |order| order.comment = Some(comment))?;
        self.at(position).map(|order| &**order)
    }

    /// Orders as they stand now, the latest first: of one account or of all, only those placed before that one.
    pub(crate) fn latest(
        &mut self,
        account: Option<Account>,
        before: Option<u64>,
        limit: usize,
        now: UnixTime,
    ) -> Vec<Arc<Order>> {
        self.expire(now);
        let end = before.and_then(|before| usize::try_from(before.saturating_sub(1)).ok());
        let earlier = self.orders.iter().take(end.unwrap_or(usize::MAX)).rev();
        earlier
            .filter(|order| account.is_none_or(|account| account == order.account))
            .take(limit)
            .cloned()
            .collect()
    }

    /// All orders of an account, by number.
    pub(crate) fn of(&self, account: impl Into<Account>) -> impl Iterator<Item = &Order> {
        let positions = self.catalog.all(account.into(), Shelf::Order);
        positions.filter_map(|position| self.orders.get(position).map(|order| &**order))
    }

    /// How often an order was placed or changed: a number that tells whether one was since.
    pub(crate) const fn changes(&self) -> u64 {
        self.changes
    }

    fn enter(&mut self, mut order: Order) -> Position {
        let position = self.orders.len();
        order.number = u64::try_from(position).unwrap_or(u64::MAX).saturating_add(1);
        self.file(&order, position);
        self.orders.push(Arc::new(order));
        position
    }

    /// The only place where an order changes.
    ///
    /// # Errors
    /// [`BookError::UnknownOrder`].
    fn change<T>(&mut self, position: Position, change: impl FnOnce(&mut Order) -> T) -> Result<T, BookError> {
        let order = self.orders.get_mut(position).ok_or(BookError::UnknownOrder)?;
        let made = change(Arc::make_mut(order));
        let order = Arc::clone(order);
        self.file(&order, position);
        Ok(made)
    }

    /// Sees that the order is found by its numbers and at its deadline, and counts that it changed.
    fn file(&mut self, order: &Order, position: Position) {
        self.changes = self.changes.wrapping_add(1);
        self.catalog.enter(order, position);
        if let Some(end) = order.next_deadline() {
            self.deadlines.insert((end, position));
        }
    }

    /// # Errors
    /// [`BookError::UnknownOrder`].
    fn at(&self, position: Position) -> Result<&Arc<Order>, BookError> {
        self.orders.get(position).ok_or(BookError::UnknownOrder)
    }

    fn position(&mut self, account: Account, order_no: &str, now: UnixTime) -> Option<Position> {
        self.expire(now);
        self.catalog.find(account, Shelf::Order, order_no)
    }

    /// # Errors
    /// [`BookError::UnknownOrder`].
    fn open(&mut self, account: Account, order_no: &str, now: UnixTime) -> Result<Position, BookError> {
        self.position(account, order_no, now).ok_or(BookError::UnknownOrder)
    }

    /// The order itself and then its parts, in their order.
    ///
    /// # Errors
    /// [`BookError::UnknownOrder`].
    fn with_parts(&mut self, position: Position, now: UnixTime) -> Result<Vec<Position>, BookError> {
        let order = Arc::clone(self.at(position)?);
        let parts = order.parts.iter();
        let parts = parts.filter_map(|number| self.position(order.account, number, now));
        Ok(std::iter::once(position).chain(parts).collect())
    }
}

/// What a repeat must repeat. The text may be a whole body, so the digest stands for it.
fn fingerprint(placement: &Placement) -> String {
    sha256_hex(placement.fingerprint.as_bytes())
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Book")
            .field("orders", &self.orders.len())
            .field("codes", &self.codes.len())
            .finish()
    }
}

//! Where an order is found by one of its numbers.

use std::collections::BTreeMap;

use super::{Account, Order};

/// Where an order stands in the book: how many were placed before it.
pub(super) type Position = usize;

/// What kind of number an order is looked up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shelf {
    /// The merchant's number of the order.
    Order,
    /// The platform's number of the payment.
    Transaction,
    /// The merchant's number of a refund.
    Refund,
    /// The platform's number of a refund.
    RefundId,
    /// What the platform remembers under that name. Most names are never asked for, so such a shelf is put up when it
    /// is first wanted.
    Detail(&'static str),
}

/// The numbers of all orders. Numbers are unique on their shelf; where two orders have the same the later one is found.
#[derive(Debug, Default)]
pub(super) struct Catalog(BTreeMap<(Account, Shelf), BTreeMap<Box<str>, Position>>);

impl Catalog {
    pub(super) fn find(&self, account: Account, shelf: Shelf, number: &str) -> Option<Position> {
        self.0.get(&(account, shelf))?.get(number).copied()
    }

    /// Everything on a shelf, by number.
    pub(super) fn all(&self, account: Account, shelf: Shelf) -> impl Iterator<Item = Position> {
        let shelf = self.0.get(&(account, shelf));
        shelf.into_iter().flat_map(|numbers| numbers.values().copied())
    }

    pub(super) fn has(&self, account: Account, shelf: Shelf) -> bool {
        self.0.contains_key(&(account, shelf))
    }

    /// An empty shelf. Orders that are entered from now on stand on it; the others must be entered again.
    pub(super) fn put_up(&mut self, account: Account, shelf: Shelf) {
        self.0.entry((account, shelf)).or_default();
    }

    /// Puts an order on every shelf that it belongs on. To do so again does no harm.
    pub(super) fn enter(&mut self, order: &Order, position: Position) {
        self.put(order.account, Shelf::Order, &order.order_no, position);
        // Of an order that is paid in parts nobody is told the payment's number.
        if let Some(payment) = order.payment.as_ref().filter(|_| order.parts.is_empty()) {
            self.put(order.account, Shelf::Transaction, &payment.transaction_id, position);
        }
        for refund in &order.refunds {
            self.put(order.account, Shelf::Refund, &refund.refund_no, position);
            self.put(order.account, Shelf::RefundId, &refund.refund_id, position);
        }
        for (name, value) in &order.details {
            let shelf = Shelf::Detail(name);
            if self.has(order.account, shelf) {
                self.put(order.account, shelf, value, position);
            }
        }
    }

    fn put(&mut self, account: Account, shelf: Shelf, number: &str, position: Position) {
        let numbers = self.0.entry((account, shelf)).or_default();
        match numbers.get_mut(number) {
            Some(known) => *known = position,
            None => {
                numbers.insert(number.into(), position);
            }
        }
    }
}

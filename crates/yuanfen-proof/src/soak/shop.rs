//! The shop places its orders, in batches and before their notices are sent: each batch in one transaction of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use yuanfen_core::{OrderNo, PayAmount, RefundNo};
use yuanfen_inbox::{ExpectError, Expected, Inbox, PendingOrder, PendingRefund};

use super::Trouble;
use super::accounts::{Accounts, refunded_order};
use super::database::Place;
use super::plan::{Order, Plan};

/// So many orders at once.
const BATCH: usize = 100;

/// A database that was killed comes back.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Shop<S> {
    inbox: Inbox<S>,
    accounts: Accounts,
    plan: Arc<Plan>,
    placed: usize,
}

impl<S: Place> Shop<S> {
    pub(super) fn new(inbox: Inbox<S>, plan: Arc<Plan>) -> Result<Self, Trouble> {
        Ok(Self {
            inbox,
            accounts: Accounts::new()?,
            plan,
            placed: 0,
        })
    }

    /// Places all orders up to that one. A batch of which nobody knows whether it was committed is placed again: to expect
    /// the same once more changes nothing.
    pub(super) async fn place(&mut self, order: usize) -> Result<(), Trouble> {
        while self.placed <= order {
            let end = (self.placed + BATCH).min(self.plan.orders.len());
            let orders = self.plan.orders.get(self.placed..end).unwrap_or_default();
            let deadline = Instant::now() + PATIENCE;
            loop {
                match self.batch(orders).await {
                    Ok(()) => break,
                    Err(ExpectError::Store(_)) if Instant::now() < deadline => {
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            self.placed = end.max(self.placed + 1);
        }
        Ok(())
    }

    async fn batch(&self, orders: &[Order]) -> Result<(), ExpectError> {
        let store = self.inbox.store();
        let (turn, mut transaction) = store.begin().await?;
        for expected in orders.iter().filter_map(|order| self.expected(order)) {
            self.inbox.expect(&mut transaction, expected).await?;
        }
        store.commit(transaction).await?;
        drop(turn);
        Ok(())
    }

    fn expected(&self, order: &Order) -> Option<Expected> {
        let amount = PayAmount::from_fen(order.expected?).ok()?;
        let (route, account) = self.accounts.of(order.route);
        Some(if order.is_refund {
            let refund_no = RefundNo::new(&order.number).ok()?;
            let order_no = OrderNo::new(refunded_order(&order.number)).ok()?;
            PendingRefund::new(route, account, refund_no, order_no, amount).into()
        } else {
            PendingOrder::new(route, account, OrderNo::new(&order.number).ok()?, amount, None).into()
        })
    }
}

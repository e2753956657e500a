//! What was called and what was told: the logs, oldest first for tests, newest first for who looks on.

use std::sync::Arc;

use super::FarSide;
use crate::book::{Account, Order};
use crate::deliver::NoticeAttempt;
use crate::exchange::Exchange;
use crate::platforms::Platform;

impl FarSide {
    /// Calls in the order they came: the latest 4096, or fewer where they are long (64 MiB).
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        let kept: Vec<Arc<Exchange>> = self.state().exchanges.iter().cloned().collect();
        kept.into_iter().map(Arc::unwrap_or_clone).collect()
    }

    /// How many calls a platform had.
    #[must_use]
    pub fn calls(&self, platform: Platform) -> u64 {
        self.state().calls.get(&platform).copied().unwrap_or(0)
    }

    /// Attempts to deliver notices in the order they ended: the latest 4096, or fewer where they are long (64 MiB).
    #[must_use]
    pub fn notices(&self) -> Vec<NoticeAttempt> {
        let kept: Vec<Arc<NoticeAttempt>> = self.state().post.attempts().iter().cloned().collect();
        kept.into_iter().map(Arc::unwrap_or_clone).collect()
    }

    /// The latest calls before that number, newest first.
    pub(crate) fn latest_exchanges(&self, before: Option<u64>, limit: usize) -> Vec<Arc<Exchange>> {
        self.state().exchanges.latest(before, limit)
    }

    /// The same of calls that name a text, such as an order's number, in their target or body or in the answer.
    pub(crate) fn exchanges_about(&self, text: &str, before: Option<u64>, limit: usize) -> Vec<Arc<Exchange>> {
        // All of the log may be read through: the sandbox goes on meanwhile.
        let earlier = self.latest_exchanges(before, usize::MAX);
        earlier
            .into_iter()
            .filter(|exchange| exchange.names(text))
            .take(limit)
            .collect()
    }

    /// The call of that number, if the log still has it.
    pub(crate) fn exchange(&self, number: u64) -> Option<Arc<Exchange>> {
        self.state().exchanges.find(number).cloned()
    }

    /// The latest attempts to deliver notices before that number, newest first.
    pub(crate) fn latest_notices(&self, before: Option<u64>, limit: usize) -> Vec<Arc<NoticeAttempt>> {
        self.state().post.attempts().latest(before, limit)
    }

    /// The attempt of that number, if the log still has it.
    pub(crate) fn notice(&self, number: u64) -> Option<Arc<NoticeAttempt>> {
        self.state().post.attempts().find(number).cloned()
    }

    /// The latest orders before that number, newest first, of one account or of all.
    pub(crate) fn latest_orders(&self, account: Option<Account>, before: Option<u64>, limit: usize) -> Vec<Arc<Order>> {
        let now = self.now();
        self.state().book.latest(account, before, limit, now)
    }
}

//! Rules that the book keeps only where it is told to, since tests have no time and merchants here are rich.

use std::collections::BTreeMap;

use yuanfen_core::{CalendarDate, Fen, UnixTime};

use super::{Account, BookError};
use crate::Platform;

/// How many times a day a payer pays at tills without a password, where that is counted.
const MOST_WITHOUT_PASSWORD: u32 = 10;
/// How long after one refund of an order another may be asked for, in seconds, where that is kept.
const BETWEEN_REFUNDS: i64 = 60;

/// What the book was told to mind.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// A minute must pass between two refunds of one order, on platforms that say so.
    pub(crate) spaces_refunds: bool,
    /// A payer types the password after ten payments without one on a day.
    pub(crate) counts_passwords: bool,
    /// What merchants hold to refund from, where that is not without end.
    balances: BTreeMap<Account, Fen>,
    without_password: WithoutPassword,
}

/// How often payers paid without a password on one day.
#[derive(Debug, Default)]
struct WithoutPassword {
    day: Option<CalendarDate>,
    times: BTreeMap<(Platform, String), u32>,
}

impl Rules {
    /// What an account holds to refund from; `None` is without end.
    pub(crate) fn balance(&self, account: Account) -> Option<Fen> {
        self.balances.get(&account).copied()
    }

    pub(crate) fn set_balance(&mut self, account: Account, balance: Option<Fen>) {
        match balance {
            Some(balance) => self.balances.insert(account, balance),
            None => self.balances.remove(&account),
        };
    }

    /// # Errors
    /// [`BookError::TooSoon`] less than a minute after the refund before, where that is kept.
    pub(super) fn check_pause(&self, before: Option<UnixTime>, now: UnixTime) -> Result<(), BookError> {
        let is_early = before.is_some_and(|before| now.since(before) < BETWEEN_REFUNDS);
        if self.spaces_refunds && is_early {
            return Err(BookError::TooSoon);
        }
        Ok(())
    }

    /// # Errors
    /// [`BookError::Poor`] where the account holds less.
    pub(super) fn check_balance(&self, account: Account, amount: Fen) -> Result<(), BookError> {
        match self.balance(account) {
            Some(balance) if balance < amount => Err(BookError::Poor),
            _ => Ok(()),
        }
    }

    /// Moves an amount on to an account, or off it where it is negative, if it is counted.
    pub(super) fn move_balance(&mut self, account: Account, amount: Fen) {
        if let Some(balance) = self.balances.get_mut(&account) {
            *balance = balance.try_add(amount).unwrap_or(*balance);
        }
    }

    /// Whether that payer paid without a password as often as anybody may today.
    pub(super) fn wants_password(&mut self, platform: Platform, payer: &str, now: UnixTime) -> bool {
        let times = self.times(platform, payer, now);
        self.counts_passwords && times >= MOST_WITHOUT_PASSWORD
    }

    /// Notes that a payer paid without a password.
    pub(super) fn paid_without_password(&mut self, platform: Platform, payer: &str, now: UnixTime) {
        let times = self.times(platform, payer, now).saturating_add(1);
        self.without_password.times.insert((platform, payer.to_owned()), times);
    }

    fn times(&mut self, platform: Platform, payer: &str, now: UnixTime) -> u32 {
        let today = Some(now.beijing_date());
        if self.without_password.day != today {
            self.without_password.day = today;
            self.without_password.times.clear();
        }
        let times = self.without_password.times.get(&(platform, payer.to_owned()));
        times.copied().unwrap_or(0)
    }
}

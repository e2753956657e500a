//! Bills without waiting for them.

use yuanfen_core::CalendarDate;

use super::{FarSide, State, side};
use crate::bills::{self, BillDay, BillKind, TradeBill};
use crate::book::Account;

impl FarSide {
    /// Makes the bills of a day at once, whatever the time: from now on every account of either WeChat Pay can ask for
    /// them. They show what the day has by the time of asking, so those of a day that is not over go on growing.
    ///
    /// Else the bills of a day are made from nine o'clock of the next morning in Beijing and ready at ten (sections
    /// 18.3 of APIv3's sheet and 6.8 of v2's).
    pub fn make_bills(&self, day: CalendarDate) {
        self.state().book.make_bills(day);
    }

    /// The bill of a day as the platform writes it, ready or not; `None` where nothing happened on that day, or the
    /// account's platform makes no bills. A service provider's is over all of its sub-merchants.
    #[must_use]
    pub fn bill(&self, account: impl Into<Account>, kind: BillKind, day: CalendarDate) -> Option<String> {
        let account = account.into();
        let mut state = self.state();
        let State { sides, book, .. } = &mut *state;
        let holder = side(sides, account.platform)?.holder(account)?;
        match kind {
            BillKind::Trade => bills::trade(book, holder, day, TradeBill::All),
            BillKind::FundFlow => bills::fund_flow(book, holder, day),
        }
    }

    /// The days of which there are bills, ready or not, the latest first.
    pub(crate) fn bill_days(&self) -> Vec<BillDay> {
        let now = self.now();
        let mut state = self.state();
        let State { sides, book, .. } = &mut *state;
        let mut days = Vec::new();
        for account in Account::all() {
            let side = side(sides, account.platform);
            if side.is_some_and(|side| side.holder(account).is_some()) {
                days.extend(bills::days(book, account, now));
            }
        }
        days.sort_by_key(|listed| (std::cmp::Reverse(listed.day), listed.account));
        days
    }
}

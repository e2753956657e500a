//! How often WeChat Pay lets a merchant call, where it is told to mind (section 10.5 of APIv3's sheet, 6.4 of v2's).

use std::collections::BTreeMap;

use yuanfen_core::UnixTime;

use crate::book::Account;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rate {
    /// Refunds that are asked for.
    Refunds,
    /// Those of them that fail.
    FailedRefunds,
    RefundQueries,
    FundFlowBills,
    Certificates,
    Charges,
}

impl Rate {
    /// The most of one second and one merchant.
    const fn most(self) -> u32 {
        match self {
            Self::Refunds => 150,
            Self::FailedRefunds => 6,
            Self::RefundQueries => 300,
            Self::FundFlowBills => 3,
            Self::Certificates => 1000,
            Self::Charges => 33,
        }
    }
}

/// The calls of the running second. A second is one of the sandbox's clock.
#[derive(Debug, Default)]
pub(super) struct Rates {
    is_kept: bool,
    second: Option<UnixTime>,
    calls: BTreeMap<(Account, Rate), u32>,
}

impl Rates {
    pub(super) fn keep(&mut self, keep: bool) {
        self.is_kept = keep;
        self.calls.clear();
    }

    /// Whether they are.
    pub(super) const fn are_kept(&self) -> bool {
        self.is_kept
    }

    /// Whether a merchant had as many of them in this second as it may.
    pub(super) fn is_used_up(&mut self, account: Account, rate: Rate, now: UnixTime) -> bool {
        if self.second != Some(now) {
            self.second = Some(now);
            self.calls.clear();
        }
        let calls = self.calls.get(&(account, rate)).copied().unwrap_or(0);
        self.is_kept && calls >= rate.most()
    }

    /// Counts one.
    pub(super) fn count(&mut self, account: Account, rate: Rate) {
        let calls = self.calls.entry((account, rate)).or_default();
        *calls = calls.saturating_add(1);
    }
}

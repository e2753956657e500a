//! What goes wrong, as data: the same plan and the same seed make the same trouble.

mod check;
mod kind;
mod refusals;
mod state;
mod text;

use serde::{Deserialize, Serialize};

pub use self::check::FaultPlanError;
pub(crate) use self::check::{Place, read_json};
pub use self::kind::{FaultKind, FaultKindError};
pub(crate) use self::refusals::Words as RefusalWords;
pub use self::refusals::{RefusalCode, RefusalCodeError};
pub use self::state::FaultTally;
pub(crate) use self::state::{FaultState, Occasion, Strikes, Subject};
pub use self::text::FaultTextError;
use crate::{Account, Platform};

/// Rules that are tried in their order on every call and every notice; all that match take effect.
///
/// What repeats and what does not: on a virtual clock, the same seed, plan and calls one after another give the same
/// answers and notices, byte for byte. Odds are drawn for each rule by itself and for each operation by itself, from the
/// seed, the rule's text and how many calls of that operation matched it before: another rule, another operation or a call
/// elsewhere changes nothing about them. A rule that names its account and operation counts the same calls whatever else
/// runs beside them; which of two calls that arrive at the same time is counted first, no seed can say. Numbers that the
/// platforms make up come from one row for all, so they do depend on the order in which calls arrive.
///
/// As JSON it is the list of its rules. Reading it, in whatever way, refuses rules that could never strike, such as
/// `lose-notice` during `refund`; [`from_json`](Self::from_json) says which rule and which member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<FaultRule>", into = "Vec<FaultRule>")]
#[non_exhaustive]
pub struct FaultPlan {
    /// The rules.
    pub rules: Vec<FaultRule>,
}

/// One thing that goes wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FaultRule {
    /// What goes wrong.
    pub kind: FaultKind,
    /// On which platform; on all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// For which caller, which says the platform too: `wechat-v3` for the direct merchant, `wechat-v3-provider` for the
    /// service provider. For all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// In which operation, as [`Exchange::operation`](crate::Exchange::operation) names it (notices are
    /// `pay-notice` and `refund-notice`); in all where absent. [`Platform::operations`] has the names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// About which order: the merchant's number of the order that a call or notice names, or whose payment or refund it
    /// names. About all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_no: Option<String>,
    /// About orders whose number begins so. About all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_no_prefix: Option<String>,
    /// How many matching calls pass unharmed first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skip: u32,
    /// How many calls it hits then; all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// How many in a thousand of those it hits, drawn from the sandbox's seed; every one where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permille: Option<u16>,
}

/// serde hands over a reference.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// When faults are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// A call arrived.
    Call,
    /// A notice is handed to the courier.
    Posting,
    /// The courier is about to deliver it.
    Attempt,
}

impl FaultPlan {
    /// Nothing goes wrong.
    #[must_use]
    pub const fn none() -> Self {
        Self { rules: Vec::new() }
    }

    /// The same with one more rule.
    #[must_use]
    pub fn with(mut self, rule: FaultRule) -> Self {
        self.rules.push(rule);
        self
    }
}

impl From<FaultRule> for FaultPlan {
    fn from(rule: FaultRule) -> Self {
        Self { rules: vec![rule] }
    }
}

impl From<FaultKind> for FaultPlan {
    /// That fault everywhere and always.
    fn from(kind: FaultKind) -> Self {
        Self::from(FaultRule::new(kind))
    }
}

impl From<FaultPlan> for Vec<FaultRule> {
    fn from(plan: FaultPlan) -> Self {
        plan.rules
    }
}

impl FaultRule {
    /// That fault everywhere and always.
    #[must_use]
    pub const fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            platform: None,
            account: None,
            operation: None,
            order_no: None,
            order_no_prefix: None,
            skip: 0,
            times: None,
            permille: None,
        }
    }

    /// Only on that platform.
    #[must_use]
    pub const fn on(mut self, platform: Platform) -> Self {
        self.platform = Some(platform);
        self
    }

    /// Only for that caller.
    #[must_use]
    pub fn of(mut self, account: impl Into<Account>) -> Self {
        self.account = Some(account.into());
        self
    }

    /// Only in that operation.
    #[must_use]
    pub fn during(mut self, operation: impl Into<String>) -> Self {
        self.operation = Some(operation.into());
        self
    }

    /// Only about the order of that number.
    #[must_use]
    pub fn about(mut self, order_no: impl Into<String>) -> Self {
        self.order_no = Some(order_no.into());
        self
    }

    /// Only about orders whose number begins so.
    #[must_use]
    pub fn about_prefix(mut self, beginning: impl Into<String>) -> Self {
        self.order_no_prefix = Some(beginning.into());
        self
    }

    /// Only the nth matching call, counted from 1.
    #[must_use]
    pub const fn nth(mut self, nth: u32) -> Self {
        self.skip = nth.saturating_sub(1);
        self.times = Some(1);
        self
    }

    /// Only the first so many matching calls.
    #[must_use]
    pub const fn first(mut self, times: u32) -> Self {
        self.skip = 0;
        self.times = Some(times);
        self
    }

    /// Only so many in a thousand.
    #[must_use]
    pub const fn permille(mut self, permille: u16) -> Self {
        self.permille = Some(permille);
        self
    }
}

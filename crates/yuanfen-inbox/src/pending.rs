//! What the shop expects to hear about: orders and refunds, with the amounts that it asked for.

use std::time::Duration;

use yuanfen_core::{Facts, Fen, OrderNo, PayAmount, RefundNo, RemoteId, Standing, Transition, UnixTime};

/// An order that the shop is about to place.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PendingOrder {
    /// The route's name, as in [`EventKey::route`](yuanfen_core::EventKey::route).
    pub route: String,
    /// The merchant, as in [`EventKey::account`](yuanfen_core::EventKey::account).
    pub account: String,
    /// Our number of it.
    pub order_no: OrderNo,
    /// What the payer is asked for, in fen.
    pub amount: PayAmount,
    /// `CNY` unless it is set otherwise.
    pub currency: String,
    /// The merchant that notices must name, where they name one: the account unless it is set otherwise, such as the
    /// sub-merchant for which a service provider acts.
    pub merchant: Option<String>,
    /// The app that notices must name, where they name one; `None` where any will do.
    pub app: Option<String>,
    /// When the payer can no longer pay: the order is closed then, where the route has a close. Tell the platform the same
    /// time, if it takes one, and place nothing under this number after it. `None` where the platform alone decides.
    pub expires_at: Option<UnixTime>,
    /// The platform's number, where it is known: hints of some routes name nothing else.
    pub remote_id: Option<RemoteId>,
}

impl PendingOrder {
    /// An order of that number for that amount, with that account of that route.
    pub fn new(
        route: impl Into<String>,
        account: impl Into<String>,
        order_no: OrderNo,
        amount: PayAmount,
        expires_at: Option<UnixTime>,
    ) -> Self {
        let account = account.into();
        Self {
            route: route.into(),
            merchant: Some(account.clone()),
            account,
            order_no,
            amount,
            currency: "CNY".to_owned(),
            app: None,
            expires_at,
            remote_id: None,
        }
    }
}

/// A refund that the shop is about to ask for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PendingRefund {
    /// The route's name, as in [`EventKey::route`](yuanfen_core::EventKey::route).
    pub route: String,
    /// The merchant, as in [`EventKey::account`](yuanfen_core::EventKey::account).
    pub account: String,
    /// Our number of it.
    pub refund_no: RefundNo,
    /// The order of which it gives money back.
    pub order_no: OrderNo,
    /// What the payer gets back, in fen.
    pub amount: PayAmount,
    /// `CNY` unless it is set otherwise.
    pub currency: String,
    /// The merchant that notices must name, where they name one: the account unless it is set otherwise.
    pub merchant: Option<String>,
    /// The app that notices must name, where they name one; `None` where any will do.
    pub app: Option<String>,
}

impl PendingRefund {
    /// A refund of that number for that amount of that order, with that account of that route.
    pub fn new(
        route: impl Into<String>,
        account: impl Into<String>,
        refund_no: RefundNo,
        order_no: OrderNo,
        amount: PayAmount,
    ) -> Self {
        let account = account.into();
        Self {
            route: route.into(),
            merchant: Some(account.clone()),
            account,
            refund_no,
            order_no,
            amount,
            currency: "CNY".to_owned(),
            app: None,
        }
    }
}

/// Whether an order or a refund is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PendingKind {
    /// An order.
    Order,
    /// A refund.
    Refund,
}

impl PendingKind {
    /// The name in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Refund => "refund",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Order, Self::Refund]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }

    /// What a transition is about; `None` for one without a name.
    #[must_use]
    pub const fn of(transition: Transition) -> Option<Self> {
        match transition {
            Transition::OrderPaid | Transition::OrderSettled | Transition::OrderFailed | Transition::OrderClosed => {
                Some(Self::Order)
            }
            Transition::RefundSucceeded | Transition::RefundAbnormal | Transition::RefundClosed => Some(Self::Refund),
            _ => None,
        }
    }
}

/// Whether something is still expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PendingState {
    /// It has not come to its end; it is queried on its route's schedule.
    Open,
    /// Its end is known.
    Over,
    /// The schedule ran out before its end was known: a person or a bill has to find it out.
    GivenUp,
    /// The schedule ran out, and to the last the platform said that nobody had paid; or it was
    /// [withdrawn](crate::Inbox::withdraw).
    Lapsed,
}

impl PendingState {
    /// The name in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Over => "over",
            Self::GivenUp => "given-up",
            Self::Lapsed => "lapsed",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Open, Self::Over, Self::GivenUp, Self::Lapsed]
            .into_iter()
            .find(|state| state.as_str() == name)
    }
}

/// What is expected, as it is handed to a store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expected {
    /// The route's name.
    pub route: String,
    /// The merchant.
    pub account: String,
    /// An order or a refund.
    pub kind: PendingKind,
    /// Our number of it.
    pub number: String,
    /// The order of a refund.
    pub order_no: Option<String>,
    /// The platform's number.
    pub remote_id: Option<String>,
    /// The amount.
    pub amount: Fen,
    /// The currency.
    pub currency: String,
    /// The merchant that notices must name.
    pub merchant: Option<String>,
    /// The app that notices must name.
    pub app: Option<String>,
    /// When the payer can no longer pay.
    pub expires_at: Option<UnixTime>,
}

impl From<PendingOrder> for Expected {
    fn from(order: PendingOrder) -> Self {
        Self {
            route: order.route,
            account: order.account,
            kind: PendingKind::Order,
            number: order.order_no.as_str().to_owned(),
            order_no: None,
            remote_id: order.remote_id.map(|id| id.as_str().to_owned()),
            amount: order.amount.fen(),
            currency: order.currency,
            merchant: order.merchant,
            app: order.app,
            expires_at: order.expires_at,
        }
    }
}

impl From<PendingRefund> for Expected {
    fn from(refund: PendingRefund) -> Self {
        Self {
            route: refund.route,
            account: refund.account,
            kind: PendingKind::Refund,
            number: refund.refund_no.as_str().to_owned(),
            order_no: Some(refund.order_no.as_str().to_owned()),
            remote_id: None,
            amount: refund.amount.fen(),
            currency: refund.currency,
            merchant: refund.merchant,
            app: refund.app,
            expires_at: None,
        }
    }
}

/// A fact that is not as the shop expects it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` is {told}, and {expected} is expected")]
#[non_exhaustive]
pub struct Mismatch {
    /// Its name in [`Facts`].
    pub field: &'static str,
    /// What is expected.
    pub expected: String,
    /// What the event says.
    pub told: String,
}

impl Expected {
    /// The first field in which the same number is expected otherwise. The platform's number may differ: one of them may
    /// not know it yet.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<&'static str> {
        let pairs = [
            ("order_no", self.order_no != other.order_no),
            ("amount", self.amount != other.amount),
            ("currency", self.currency != other.currency),
            ("merchant", self.merchant != other.merchant),
            ("app", self.app != other.app),
            ("expires_at", self.expires_at != other.expires_at),
        ];
        pairs.into_iter().find_map(|(name, differs)| differs.then_some(name))
    }

    /// Compares what an event settles with what is expected.
    ///
    /// Currency, merchant, app and the numbers of order and refund count where both name them, and so does a refund's amount,
    /// which not every platform names. A payment must name its amount.
    ///
    /// # Errors
    /// [`Mismatch`] at the first fact that differs.
    pub fn check(&self, transition: Transition, facts: &Facts) -> Result<(), Mismatch> {
        let mismatch = |field, expected: &str, told: &str| Mismatch {
            field,
            expected: expected.to_owned(),
            told: told.to_owned(),
        };
        let fen = |amount: Fen| format!("{} fen", amount.get());
        match facts.amount {
            Some(told) if told != self.amount => {
                return Err(mismatch("amount", &fen(self.amount), &fen(told)));
            }
            None if transition.is_payment() => return Err(mismatch("amount", &fen(self.amount), "not named")),
            Some(_) | None => {}
        }
        let (order_no, refund_no) = match self.kind {
            PendingKind::Order => (Some(&self.number), None),
            PendingKind::Refund => (self.order_no.as_ref(), Some(&self.number)),
        };
        let texts = [
            ("currency", Some(&self.currency), facts.currency.as_ref()),
            ("merchant", self.merchant.as_ref(), facts.merchant.as_ref()),
            ("app", self.app.as_ref(), facts.app.as_ref()),
            ("order_no", order_no, facts.order_no.as_ref()),
            ("refund_no", refund_no, facts.refund_no.as_ref()),
        ];
        for (field, expected, told) in texts {
            if let (Some(expected), Some(told)) = (expected, told)
                && expected != told
            {
                return Err(mismatch(field, expected, told));
            }
        }
        Ok(())
    }
}

/// Something that is expected, as it is stored.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoredPending {
    /// Its number in this store.
    pub id: i64,
    /// What is expected.
    pub expected: Expected,
    /// When the shop began to expect it.
    pub placed_at: UnixTime,
    /// Whether it still is.
    pub state: PendingState,
    /// When it is queried next, while it is open.
    pub next_query_at: UnixTime,
    /// When it was queried last.
    pub last_query_at: Option<UnixTime>,
    /// How often it was queried.
    pub queries: u32,
    /// How often in a row the platform did not know the number.
    pub absences: u32,
    /// What the event was about that said it was paid ([`EventKey::subject`](yuanfen_core::EventKey::subject)).
    pub paid_as: Option<String>,
    /// What the last query said.
    pub standing: Option<Standing>,
    /// What the last failed query said.
    pub last_error: Option<String>,
    /// When its end was known, or when it was given up.
    pub over_at: Option<UnixTime>,
}

impl StoredPending {
    /// A hint has nothing wait for longer, however old it is.
    pub(crate) const LONGEST_HINT_GAP: Duration = Duration::from_secs(6 * 3600);

    /// When it is queried after a hint that comes now: now, unless it was queried a moment ago. Hints are unsigned, so the
    /// pause after the last query is at least `gap`, and a sixteenth of its age where that is longer, up to six hours: whoever
    /// sends thousands of them brings about a few more queries than the schedule has.
    #[must_use]
    pub fn due_by_hint(&self, now: UnixTime, gap: Duration) -> UnixTime {
        let age = u64::try_from(now.since(self.placed_at)).unwrap_or_default();
        let gap = gap.max(Duration::from_secs(age >> 4).min(Self::LONGEST_HINT_GAP));
        // One in the future was a clock's that was ahead.
        let last = self.last_query_at.filter(|last| *last <= now);
        last.map_or(now, |last| last.after(gap).max(now))
    }
}

/// Something expected that a worker has claimed, to query it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClaimedPending {
    /// What is expected.
    pub pending: StoredPending,
    /// The number of this claim.
    pub fence: i64,
}

impl ClaimedPending {
    /// That order or refund under that claim.
    #[must_use]
    pub const fn new(pending: StoredPending, fence: i64) -> Self {
        Self { pending, fence }
    }
}

//! A payment by scanned code: charge it, wait while the payer types, ask what became of it, and undo it when nobody can
//! say.

mod call;
mod machine;

use std::time::Duration;

use crate::{Fate, Standing};

pub use call::CodePaymentCall;
pub use machine::CodePayment;

/// The times and limits of one route. All times are whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CodePaymentRule {
    /// The wait before each query while nobody knows what became of the payment, the first one included. Zero counts as
    /// one, here and in every other pause.
    pub unknown_pause: u64,
    /// The wait before each query while the payer is typing.
    pub typing_pause: u64,
    /// How long after the payment call it is asked about, before it is reversed.
    pub patience: u64,
    /// How long after the payment call it may be reversed at the earliest.
    pub reverse_after: u64,
    /// The wait between two reversals.
    pub reverse_pause: u64,
    /// How often it is reversed at most. With zero it is only asked about.
    pub reversals: u32,
    /// How often "no such number" must be heard in a row, the reversal tried, before it is believed.
    pub absences: u32,
    /// How long after the payment call it is given up as still unknown. No wait goes beyond it and no reversal is begun
    /// after it; one last query may be sent when it is reached.
    pub deadline: u64,
}

impl CodePaymentRule {
    /// The times that WeChat Pay publishes for version 3; version 2 asks every ten seconds while the payer types (v2
    /// sheet, section 6.6; v3 sheet, section 16.2). How often it is reversed, with which pause, and when it is given up,
    /// the documents leave open.
    pub const WECHAT: Self = Self {
        unknown_pause: 5,
        typing_pause: 5,
        patience: 45,
        reverse_after: 15,
        reverse_pause: 5,
        reversals: 5,
        absences: 3,
        deadline: 180,
    };

    /// The same with another wait while the payer is typing, in seconds.
    #[must_use]
    pub const fn with_typing_pause(self, typing_pause: u64) -> Self {
        Self { typing_pause, ..self }
    }

    /// The same with another patience, in seconds.
    #[must_use]
    pub const fn with_patience(self, patience: u64) -> Self {
        Self { patience, ..self }
    }

    /// The same with another limit on reversals.
    #[must_use]
    pub const fn with_reversals(self, reversals: u32) -> Self {
        Self { reversals, ..self }
    }

    /// The same with another deadline, in seconds.
    #[must_use]
    pub const fn with_deadline(self, deadline: u64) -> Self {
        Self { deadline, ..self }
    }
}

/// What was learned since the last step. What does not answer that step counts as not knowing what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodePaymentEvent {
    /// The payment call was answered: paid.
    Paid,
    /// The payment call was answered: the payer is typing.
    Typing,
    /// The payment call failed with that fate. "System error", "bank error", a timeout and a bad signature are
    /// [`Fate::Unknown`], never a refusal. [`Fate::Already`] is a number that was used before this call.
    PayFailed(Fate),
    /// The query answered, or proved that there is no such number.
    Stands(Standing),
    /// The query failed, so nothing was learned.
    QueryFailed,
    /// The reversal was answered: it is done.
    Reversed,
    /// The reversal was answered: it is not done, and has to be called again (`recall=Y`, or the payer is typing).
    ReverseAgain,
    /// The reversal failed with that fate. [`Fate::Already`] is an order that was reversed or closed before.
    ReverseFailed(Fate),
    /// The wait is over.
    Waited,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodePaymentStep {
    /// Send the payment, then tell what came of it. Said once and never again.
    Pay,
    /// Send the query, then tell what it said.
    Query,
    /// Let that much time pass, then say so.
    Wait(Duration),
    /// Send the reversal, then tell what came of it. It closes an unpaid order and **refunds a paid one**.
    Reverse,
    /// Nothing; this is the outcome.
    Done(CodePaymentOutcome),
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CodePaymentOutcome {
    /// It is paid. Where the number was used before ([`Fate::Already`]), compare the amount: it may be another sale's.
    Paid,
    /// The platform refused it, or a query found it closed or failed: no money moved. The next code takes a new number.
    Refused,
    /// It is undone: closed, or refunded where it was paid meanwhile, so that the payer may see a charge and its refund.
    /// The next code takes a new number.
    Reversed,
    /// The platform knows no such number, as often as the rule asks, and the reversal was tried: nothing was charged.
    /// The next code takes a new number.
    Absent,
    /// Nothing left this process. The same number and code may be sent anew.
    NotSent,
    /// Nobody can say. The payer may have been charged, and what was charged may yet be refunded: a later query, a bill
    /// or a person has to settle it. Until then the payer is not to be charged again for the same thing.
    StillUnknown,
}

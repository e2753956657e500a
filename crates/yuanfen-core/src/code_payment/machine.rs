//! The state machine itself.

use std::time::Duration;

use super::{CodePaymentEvent, CodePaymentOutcome, CodePaymentRule, CodePaymentStep};
use crate::{Fate, Standing, UnixTime};

/// One payment by scanned code, from the payment call to its end. It has no clock and sends nothing:
/// [`step`](Self::step) says what to do, [`observe`](Self::observe) takes what came of it. The transport's client drives
/// it.
///
/// - The payment is sent once. Nothing but a refusal by the platform, or a query, says that it failed.
/// - After an unknown answer, and while the payer types, it is asked about. When patience is over it is asked about once
///   more and then reversed, unless that query says that it is paid.
/// - A reversal whose outcome is unknown is repeated, within limits, and then asked about. "Paid" is not believed after
///   it: the reversal may still arrive and refund it.
/// - A number that was used before this call is asked about and never reversed: it may be another sale's.
///
/// All times count from when the payment call was over. The earliest time of a reversal counts only waits that were
/// asked for and are over, so that no clock that jumps ahead shortens it; one that is set back moves nothing but the
/// duration of the calls it falls into.
///
/// ```
/// use yuanfen_core::{
///     CodePayment, CodePaymentEvent, CodePaymentOutcome, CodePaymentRule, CodePaymentStep, Standing, UnixTime,
/// };
/// let now = UnixTime::from_seconds(1_700_000_000);
/// let mut payment = CodePayment::new(&CodePaymentRule::WECHAT, now);
/// assert_eq!(payment.step(now), CodePaymentStep::Pay);
/// payment.observe(CodePaymentEvent::Typing);
/// assert!(matches!(payment.step(now), CodePaymentStep::Wait(_)));
/// payment.observe(CodePaymentEvent::Waited);
/// assert_eq!(payment.step(now), CodePaymentStep::Query);
/// payment.observe(CodePaymentEvent::Stands(Standing::Succeeded));
/// assert_eq!(payment.step(now), CodePaymentStep::Done(CodePaymentOutcome::Paid));
/// ```
#[derive(Clone, Debug)]
pub struct CodePayment {
    rule: CodePaymentRule,
    phase: Phase,
    doing: Doing,
    time: Elapsed,
    /// Begun by another process, which may have reversed it as well.
    resumed: bool,
    given_up: bool,
    /// The payer was typing when last heard of.
    typing: bool,
    /// The last thing that was done is a query, and it left things open.
    asked: bool,
    /// The pause before the next query is over.
    paused: bool,
    /// A query has found it, or the payment call's answer named it.
    known: bool,
    /// The platform said that the number was used before the payment call.
    used_before: bool,
    absences: u32,
    reversals: u32,
    /// The fates of all reversals, joined.
    reversal: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The payment was not handed out, or nobody has told what came of it.
    Pay,
    /// It is asked about.
    Ask,
    /// It is to be reversed.
    Undo,
    /// It is not, or no longer, to be reversed: it is asked about until there is an end.
    Conclude,
    /// Time is up: what comes of the query that is out is the end.
    Last,
    End(CodePaymentOutcome),
}

/// What was handed out and not told about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Nothing,
    Pay,
    /// Seconds, and the elapsed time at which they are over.
    Wait(u64, u64),
    Query,
    Reverse,
}

impl CodePayment {
    /// Begins with the payment.
    #[must_use]
    pub const fn new(rule: &CodePaymentRule, now: UnixTime) -> Self {
        Self {
            rule: *rule,
            phase: Phase::Pay,
            doing: Doing::Nothing,
            time: Elapsed::since(now),
            resumed: false,
            given_up: false,
            typing: false,
            asked: false,
            paused: false,
            known: false,
            used_before: false,
            absences: 0,
            reversals: 0,
            reversal: Fate::NotSent,
        }
    }

    /// Goes on with a payment that another process may have sent, and may have reversed: all that is known is its number.
    /// It begins with a query, and all times count from now. The payment itself is never sent.
    #[must_use]
    pub const fn resume(rule: &CodePaymentRule, now: UnixTime) -> Self {
        Self {
            phase: Phase::Ask,
            resumed: true,
            paused: true,
            ..Self::new(rule, now)
        }
    }

    /// The cashier or the payer no longer wants it: it is not waited for but reversed as soon as that is allowed, after a
    /// query. Where that query says "paid", it is [`CodePaymentOutcome::Paid`]: refund it. A payment that was not handed
    /// out is [`CodePaymentOutcome::NotSent`].
    ///
    /// A wait that was handed out need not be sat through; ask for the next step.
    pub const fn give_up(&mut self) {
        self.given_up = true;
        if let (Phase::Ask, Doing::Wait(..)) = (self.phase, self.doing) {
            self.doing = Doing::Nothing;
        }
    }

    /// What to do now. Asking twice without telling anything in between gives the same query or the same wait, until time
    /// is up; a payment or a reversal is not handed out again, its outcome is then unknown.
    #[must_use]
    pub fn step(&mut self, now: UnixTime) -> CodePaymentStep {
        match self.doing {
            Doing::Pay => self.observe(CodePaymentEvent::PayFailed(Fate::Unknown)),
            Doing::Reverse => self.observe(CodePaymentEvent::ReverseFailed(Fate::Unknown)),
            Doing::Nothing | Doing::Wait(..) | Doing::Query => {}
        }
        let spent = self.time.at(now);
        match self.phase {
            Phase::End(outcome) => return CodePaymentStep::Done(outcome),
            Phase::Pay if self.given_up => return self.end(CodePaymentOutcome::NotSent),
            Phase::Pay => {
                self.doing = Doing::Pay;
                return CodePaymentStep::Pay;
            }
            Phase::Ask | Phase::Undo | Phase::Conclude | Phase::Last => {}
        }
        if self.doing == Doing::Query {
            return CodePaymentStep::Query;
        }
        let left = self.rule.deadline.saturating_sub(spent);
        if left == 0 {
            self.phase = Phase::Last;
            return if self.asked {
                self.end(CodePaymentOutcome::StillUnknown)
            } else {
                self.query()
            };
        }
        if let Doing::Wait(seconds, _) = self.doing {
            // It ends when somebody says so, not when a clock does.
            return CodePaymentStep::Wait(Duration::from_secs(seconds));
        }
        if self.phase == Phase::Ask && (self.given_up || spent >= self.rule.patience) {
            self.phase = Phase::Undo;
        }
        if self.phase == Phase::Undo && self.reversals >= self.rule.reversals {
            self.phase = Phase::Conclude;
        }
        if self.phase == Phase::Undo {
            self.undo(spent, left)
        } else if self.paused {
            self.query()
        } else {
            let patience = match self.phase {
                Phase::Ask => self.rule.patience.saturating_sub(spent),
                _ => left,
            };
            self.wait(self.pause(), spent, patience.min(left))
        }
    }

    /// Takes what came of the last step.
    pub fn observe(&mut self, event: CodePaymentEvent) {
        let doing = self.doing;
        match doing {
            Doing::Nothing => {}
            Doing::Wait(seconds, until) => {
                if event == CodePaymentEvent::Waited {
                    self.doing = Doing::Nothing;
                    self.time.waited(seconds, until);
                    self.paused = true;
                }
            }
            Doing::Pay => {
                self.doing = Doing::Nothing;
                self.pay_was(event);
            }
            Doing::Query => {
                self.doing = Doing::Nothing;
                self.query_was(event);
            }
            Doing::Reverse => {
                self.doing = Doing::Nothing;
                self.reverse_was(event);
            }
        }
    }

    fn pay_was(&mut self, event: CodePaymentEvent) {
        self.time.restart();
        self.phase = match event {
            CodePaymentEvent::Paid => Phase::End(CodePaymentOutcome::Paid),
            CodePaymentEvent::PayFailed(Fate::NotSent) => Phase::End(CodePaymentOutcome::NotSent),
            CodePaymentEvent::PayFailed(Fate::Refused) => Phase::End(CodePaymentOutcome::Refused),
            CodePaymentEvent::Typing => {
                self.typing = true;
                self.known = true;
                Phase::Ask
            }
            CodePaymentEvent::PayFailed(Fate::Already) => {
                self.used_before = true;
                self.paused = true;
                Phase::Conclude
            }
            _ => Phase::Ask,
        };
    }

    fn query_was(&mut self, event: CodePaymentEvent) {
        self.asked = true;
        self.paused = false;
        if let CodePaymentEvent::Stands(standing) = event {
            self.stands(standing);
        }
        if self.phase == Phase::Last {
            self.phase = Phase::End(CodePaymentOutcome::StillUnknown);
        }
    }

    fn stands(&mut self, standing: Standing) {
        self.typing = standing == Standing::Pending;
        if standing == Standing::NotFound {
            self.absences = self.absences.saturating_add(1);
        } else {
            self.known = true;
            self.absences = 0;
        }
        // A reversal may have been done, or may still arrive.
        let reversing = self.reversal >= Fate::Unknown;
        let end = match standing {
            Standing::Succeeded if !reversing => Some(CodePaymentOutcome::Paid),
            Standing::Failed if reversing || self.resumed => Some(CodePaymentOutcome::Reversed),
            Standing::Failed => Some(CodePaymentOutcome::Refused),
            Standing::NotFound if self.is_absent() => Some(CodePaymentOutcome::Absent),
            Standing::Accepted | Standing::Pending | Standing::Succeeded | Standing::NotFound => None,
        };
        if let Some(outcome) = end {
            self.phase = Phase::End(outcome);
        }
    }

    /// The platform does not unsay that it knows a number, and before the reversal was tried it may be slow.
    const fn is_absent(&self) -> bool {
        let tried = (self.reversals > 0 || self.rule.reversals == 0) && !matches!(self.phase, Phase::Ask | Phase::Undo);
        tried && !self.known && !self.used_before && self.absences >= self.rule.absences
    }

    fn reverse_was(&mut self, event: CodePaymentEvent) {
        self.reversals = self.reversals.saturating_add(1);
        let fate = match event {
            CodePaymentEvent::Reversed => {
                self.phase = Phase::End(CodePaymentOutcome::Reversed);
                return;
            }
            CodePaymentEvent::ReverseFailed(fate) => fate,
            // Not done yet may be done in part.
            _ => Fate::Unknown,
        };
        self.reversal = self.reversal.join(fate);
        self.phase = match fate {
            Fate::NotSent | Fate::Unknown => Phase::Undo,
            Fate::Refused | Fate::Already => Phase::Conclude,
        };
        self.asked = false;
        self.paused = true;
    }

    /// The next step on the way to a reversal.
    fn undo(&mut self, spent: u64, left: u64) -> CodePaymentStep {
        let early = self.rule.reverse_after.saturating_sub(self.time.waited);
        if early > 0 {
            return self.wait(early, spent, left);
        }
        // What may have been reversed is reversed again without a question; the pause comes in between.
        let pause = self
            .rule
            .reverse_pause
            .max(1)
            .saturating_sub(self.time.waited_since_reversal);
        if self.reversals > 0 && pause > 0 {
            return self.wait(pause, spent, left);
        }
        if !self.asked && self.reversal < Fate::Unknown {
            return self.query();
        }
        self.time.waited_since_reversal = 0;
        self.doing = Doing::Reverse;
        CodePaymentStep::Reverse
    }

    const fn pause(&self) -> u64 {
        if self.typing {
            self.rule.typing_pause
        } else {
            self.rule.unknown_pause
        }
    }

    fn wait(&mut self, seconds: u64, spent: u64, most: u64) -> CodePaymentStep {
        let seconds = seconds.min(most).max(1);
        self.doing = Doing::Wait(seconds, spent.saturating_add(seconds));
        self.asked = false;
        CodePaymentStep::Wait(Duration::from_secs(seconds))
    }

    const fn query(&mut self) -> CodePaymentStep {
        self.doing = Doing::Query;
        CodePaymentStep::Query
    }

    const fn end(&mut self, outcome: CodePaymentOutcome) -> CodePaymentStep {
        self.phase = Phase::End(outcome);
        CodePaymentStep::Done(outcome)
    }
}

/// How much time has passed: what the clock shows between two looks at it, and at least the waits that are over.
#[derive(Clone, Copy, Debug)]
struct Elapsed {
    looked: UnixTime,
    spent: u64,
    /// At least so much has passed, whatever the clock shows.
    floor: u64,
    /// All waits that are over.
    waited: u64,
    waited_since_reversal: u64,
    fresh: bool,
}

impl Elapsed {
    const fn since(now: UnixTime) -> Self {
        Self {
            looked: now,
            spent: 0,
            floor: 0,
            waited: 0,
            waited_since_reversal: 0,
            fresh: false,
        }
    }

    /// Counts from the next look at the clock.
    const fn restart(&mut self) {
        self.fresh = true;
    }

    fn at(&mut self, now: UnixTime) -> u64 {
        if self.fresh {
            *self = Self::since(now);
        }
        let seen = u64::try_from(now.since(self.looked)).unwrap_or(0);
        self.looked = now;
        self.spent = self.spent.saturating_add(seen).max(self.floor);
        self.spent
    }

    const fn waited(&mut self, seconds: u64, until: u64) {
        self.floor = until;
        self.waited = self.waited.saturating_add(seconds);
        self.waited_since_reversal = self.waited_since_reversal.saturating_add(seconds);
    }
}

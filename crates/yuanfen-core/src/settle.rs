//! What to do after an outcome is unknown: query, wait, repeat under the same number where that is allowed, and say
//! so honestly when it is still unknown.

use std::time::Duration;

use crate::{Fate, UnixTime};

/// What a query says about an order or a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Standing {
    /// It is there and has not reached an end: an unpaid order, a refund in the works.
    Accepted,
    /// It is being decided at this moment: the payer is typing, or the platform does not know yet.
    Pending,
    /// It reached its good end: paid, refunded.
    Succeeded,
    /// It reached an end that moved no money: closed, revoked, failed.
    Failed,
    /// The platform does not know the number (yet).
    NotFound,
}

/// Whether the identical request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Repeat {
    /// Also while the thing is there unpaid: the repeat hands out the reply that was lost (v2 and v3 orders).
    ForTheReply,
    /// Only after the platform said, more than once, that it does not know the number (refunds).
    WhenAbsent,
    /// Never under the same number.
    Never,
}

/// How one kind of call on one route is settled.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SettleRule {
    /// Whether the identical request may be sent again.
    pub repeat: Repeat,
    /// Seconds to wait before each query, in order; the last one goes on until the deadline.
    pub pauses: &'static [u64],
    /// How often "no such number" must be heard before it is believed: platforms are eventually consistent.
    pub absences: u32,
    /// How often the request is repeated at most.
    pub repeats: u32,
    /// Seconds after which it is given up as still unknown.
    pub deadline: u64,
}

impl SettleRule {
    /// For orders whose identical repeat is answered again: v2 and v3.
    pub const REPEATABLE_ORDER: Self = Self {
        repeat: Repeat::ForTheReply,
        pauses: &[0, 2, 5, 10],
        absences: 2,
        repeats: 2,
        deadline: 90,
    };
    /// For refunds under a number that refunds once: queried, and repeated with the same number only when absent.
    pub const REFUND: Self = Self {
        repeat: Repeat::WhenAbsent,
        pauses: &[1, 5, 15, 30],
        absences: 2,
        repeats: 1,
        deadline: 180,
    };
    /// For calls that are never sent twice: asked about until the deadline.
    pub const NEVER_REPEATED: Self = Self {
        repeat: Repeat::Never,
        pauses: &[2, 5, 10],
        absences: 3,
        repeats: 0,
        deadline: 90,
    };

    /// The same with other waits before its queries.
    #[must_use]
    pub const fn with_pauses(self, pauses: &'static [u64]) -> Self {
        Self { pauses, ..self }
    }

    /// The same with another deadline, in seconds.
    #[must_use]
    pub const fn with_deadline(self, deadline: u64) -> Self {
        Self { deadline, ..self }
    }
}

/// What was learned since the last step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Observation {
    /// The query answered.
    Stands(Standing),
    /// The query failed, so nothing was learned.
    QueryFailed,
    /// The wait is over.
    Waited,
    /// The repeated request was answered: the caller holds its reply.
    Replied,
    /// The repeated request failed with that fate.
    RepeatFailed(Fate),
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettleStep {
    /// Send the query, then tell what it said.
    Query,
    /// Let that much time pass, then say so.
    Wait(Duration),
    /// Send the identical request again, same number, then tell what came of it.
    Repeat,
    /// Nothing; this is the outcome.
    Done(SettleVerdict),
}

/// The outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettleVerdict {
    /// The repeated request was answered: its reply counts as the reply to the first.
    Replied,
    /// It happened: it is there, not yet at its end ([`Standing::Accepted`]), or it reached its good end
    /// ([`Standing::Succeeded`]).
    Happened(Standing),
    /// It reached an end that moved no money.
    Failed,
    /// The platform says, as often as the rule asks, that it knows no such number, and the rule forbids a repeat.
    Absent,
    /// Still unknown when time ran out. A person, a bill or a later query has to settle it; nothing may be sent anew
    /// under another number.
    StillUnknown,
}

/// The state machine. It has no clock and sends nothing: [`step`](Self::step) says what to do,
/// [`observe`](Self::observe) takes what came of it. The transport's client drives it.
///
/// ```
/// use yuanfen_core::{Fate, Observation, Settle, SettleRule, SettleStep, SettleVerdict, Standing, UnixTime};
/// let start = UnixTime::from_seconds(1_700_000_000);
/// let mut settle = Settle::new(&SettleRule::REFUND, Fate::Unknown, start);
/// assert!(matches!(settle.step(start), SettleStep::Wait(_)));
/// settle.observe(Observation::Waited);
/// assert_eq!(settle.step(start), SettleStep::Query);
/// settle.observe(Observation::Stands(Standing::Succeeded));
/// assert_eq!(settle.step(start), SettleStep::Done(SettleVerdict::Happened(Standing::Succeeded)));
/// ```
#[derive(Clone, Debug)]
pub struct Settle {
    rule: SettleRule,
    start: UnixTime,
    state: State,
    queries: usize,
    absences: u32,
    repeats: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Pause,
    Ask,
    Resend,
    End(SettleVerdict),
}

impl Settle {
    /// Begins after a call that ended with that fate.
    ///
    /// `NotSent` may be repeated at once where the rule knows repeats at all; `Refused` is an end; `Unknown` and
    /// `Already` begin with a query.
    #[must_use]
    pub const fn new(rule: &SettleRule, fate: Fate, now: UnixTime) -> Self {
        let state = match fate {
            Fate::NotSent if rule.repeats > 0 => State::Resend,
            Fate::NotSent => State::End(SettleVerdict::Absent),
            Fate::Refused => State::End(SettleVerdict::Failed),
            Fate::Unknown => State::Pause,
            Fate::Already => State::Ask,
        };
        Self {
            rule: *rule,
            start: now,
            state,
            queries: 0,
            absences: 0,
            repeats: 0,
        }
    }

    /// What to do now. Asking twice without telling anything in between gives the same answer.
    #[must_use]
    pub fn step(&mut self, now: UnixTime) -> SettleStep {
        let spent = u64::try_from(now.since(self.start)).unwrap_or(0);
        // A repeat is not started when time is up: its outcome could not be followed any more.
        let over = spent >= self.rule.deadline && self.queries > 0;
        if over && !matches!(self.state, State::End(_)) {
            self.state = State::End(SettleVerdict::StillUnknown);
        }
        match self.state {
            State::Pause => match self.pause() {
                0 => {
                    self.state = State::Ask;
                    SettleStep::Query
                }
                seconds => SettleStep::Wait(Duration::from_secs(seconds)),
            },
            State::Ask => SettleStep::Query,
            State::Resend => SettleStep::Repeat,
            State::End(verdict) => SettleStep::Done(verdict),
        }
    }

    fn pause(&self) -> u64 {
        let pauses = self.rule.pauses;
        pauses.get(self.queries).or_else(|| pauses.last()).copied().unwrap_or(5)
    }

    /// Takes what came of the last step.
    pub fn observe(&mut self, observation: Observation) {
        if matches!(self.state, State::End(_)) {
            return;
        }
        self.state = match observation {
            Observation::Waited => State::Ask,
            Observation::QueryFailed => {
                self.queries = self.queries.saturating_add(1);
                State::Pause
            }
            Observation::Stands(standing) => {
                self.queries = self.queries.saturating_add(1);
                self.stands(standing)
            }
            Observation::Replied => State::End(SettleVerdict::Replied),
            Observation::RepeatFailed(fate) => {
                self.repeats = self.repeats.saturating_add(1);
                self.absences = 0;
                match fate {
                    // Not even sent: what was known before still holds, so it may be tried again after a pause.
                    Fate::NotSent | Fate::Refused | Fate::Unknown => State::Pause,
                    Fate::Already => State::Ask,
                }
            }
        };
    }

    fn stands(&mut self, standing: Standing) -> State {
        let may_repeat = self.repeats < self.rule.repeats;
        if standing != Standing::NotFound {
            self.absences = 0;
        }
        match standing {
            Standing::Succeeded => State::End(SettleVerdict::Happened(standing)),
            Standing::Accepted if self.rule.repeat == Repeat::ForTheReply && may_repeat => State::Resend,
            Standing::Accepted => State::End(SettleVerdict::Happened(standing)),
            Standing::Failed => State::End(SettleVerdict::Failed),
            Standing::Pending => State::Pause,
            Standing::NotFound => {
                self.absences = self.absences.saturating_add(1);
                match self.rule.repeat {
                    _ if self.absences < self.rule.absences => State::Pause,
                    Repeat::ForTheReply | Repeat::WhenAbsent if may_repeat => State::Resend,
                    // After a repeat whose outcome is unknown as well, absence proves nothing soon enough.
                    _ if self.repeats > 0 => State::Pause,
                    Repeat::ForTheReply | Repeat::WhenAbsent | Repeat::Never => State::End(SettleVerdict::Absent),
                }
            }
        }
    }
}

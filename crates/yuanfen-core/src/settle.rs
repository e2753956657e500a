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
    /// The platform does not know the number (yet). Where a route signs its answers, only a signed one may say so: this
    /// is what a repeat is founded on.
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
    /// Never under the same number, not even where nothing was sent.
    Never,
}

/// How one kind of call on one route is settled.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SettleRule {
    /// Whether the identical request may be sent again.
    pub repeat: Repeat,
    /// Seconds to wait before each query, in order; the last one goes on until the deadline. A last one of zero asks as
    /// fast as the route answers.
    pub pauses: &'static [u64],
    /// How often "no such number" must be heard before it is believed: platforms are eventually consistent.
    pub absences: u32,
    /// How often the request is repeated at most.
    pub repeats: u32,
    /// Seconds after which it is given up as still unknown. No wait goes beyond it and no repeat is begun after it; one
    /// last query may be sent when it is reached.
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
    /// Nothing is there: the platform says, as often as the rule asks, that it knows no such number, and the rule allows
    /// no further repeat; or no attempt ever left this process.
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
    /// The fates of all attempts joined.
    fate: Fate,
    /// The fates of the repeats alone, joined.
    repeated: Fate,
    /// A query has found it there, unpaid.
    accepted: bool,
    /// A query has found it there, in whatever state.
    known: bool,
    queries: usize,
    absences: u32,
    repeats: u32,
    /// Seconds of the wait that was asked for last, and of all that are over: a clock that is set back does not move
    /// the deadline beyond them.
    waiting: u64,
    waited: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Pause,
    /// `last`: time is up, so whatever comes of it is the end.
    Ask {
        last: bool,
    },
    /// `begun`: the repeat was handed out, so it may be on its way.
    Resend {
        begun: bool,
    },
    End(SettleVerdict),
}

impl Settle {
    /// Begins after a call that ended with that fate.
    ///
    /// `NotSent` is repeated at once where the rule allows repeats, and is [`SettleVerdict::Absent`] where it does not;
    /// `Refused` is an end; `Unknown` and `Already` begin with a query.
    #[must_use]
    pub const fn new(rule: &SettleRule, fate: Fate, now: UnixTime) -> Self {
        let state = match (fate, rule.repeat) {
            (Fate::NotSent, Repeat::ForTheReply | Repeat::WhenAbsent) if rule.repeats > 0 => {
                State::Resend { begun: false }
            }
            (Fate::NotSent, _) => State::End(SettleVerdict::Absent),
            (Fate::Refused, _) => State::End(SettleVerdict::Failed),
            (Fate::Unknown, _) => State::Pause,
            (Fate::Already, _) => State::Ask { last: false },
        };
        Self {
            rule: *rule,
            start: now,
            state,
            fate,
            repeated: Fate::NotSent,
            accepted: false,
            known: false,
            queries: 0,
            absences: 0,
            repeats: 0,
            waiting: 0,
            waited: 0,
        }
    }

    /// What to do now. Asking twice without telling anything in between gives the same answer, until time is up.
    #[must_use]
    pub fn step(&mut self, now: UnixTime) -> SettleStep {
        let spent = u64::try_from(now.since(self.start)).unwrap_or(0).max(self.waited);
        let left = self.rule.deadline.saturating_sub(spent);
        if left == 0 {
            self.run_out();
        }
        if self.state == State::Pause {
            self.waiting = self.pause().min(left);
            if self.waiting > 0 {
                return SettleStep::Wait(Duration::from_secs(self.waiting));
            }
            self.state = self.after_pause();
        }
        match self.state {
            State::Pause | State::Ask { .. } => SettleStep::Query,
            State::Resend { .. } => {
                self.state = State::Resend { begun: true };
                SettleStep::Repeat
            }
            State::End(verdict) => SettleStep::Done(verdict),
        }
    }

    /// Takes what came of the last step.
    pub fn observe(&mut self, observation: Observation) {
        let last = match self.state {
            State::End(_) => return,
            State::Ask { last } => last,
            State::Pause | State::Resend { .. } => false,
        };
        let next = match observation {
            Observation::Waited if self.state == State::Pause => {
                self.waited = self.waited.saturating_add(self.waiting);
                self.after_pause()
            }
            Observation::Waited => self.state,
            Observation::QueryFailed => {
                self.queries = self.queries.saturating_add(1);
                State::Pause
            }
            Observation::Stands(standing) => {
                self.queries = self.queries.saturating_add(1);
                self.stands(standing)
            }
            Observation::Replied => State::End(SettleVerdict::Replied),
            Observation::RepeatFailed(fate) => self.repeat_failed(fate),
        };
        self.state = match next {
            State::End(verdict) => State::End(verdict),
            _ if last => State::End(self.given_up()),
            next => next,
        };
    }

    /// Time is up. What was never asked about is asked about once; a question that is due is the last one.
    fn run_out(&mut self) {
        let asked = self.queries > 0 || self.fate == Fate::NotSent;
        self.state = match self.state {
            State::End(verdict) => State::End(verdict),
            State::Pause if !asked => State::Ask { last: true },
            State::Ask { .. } => State::Ask { last: true },
            State::Resend { begun: true } => {
                // It may be on its way, and nobody has told what came of it.
                self.fate = self.fate.join(Fate::Unknown);
                State::End(self.given_up())
            }
            State::Pause | State::Resend { begun: false } => State::End(self.given_up()),
        };
    }

    /// The most that can be said when no more is asked.
    const fn given_up(&self) -> SettleVerdict {
        if self.accepted {
            return SettleVerdict::Happened(Standing::Accepted);
        }
        match self.fate {
            Fate::NotSent => SettleVerdict::Absent,
            Fate::Refused | Fate::Unknown | Fate::Already => SettleVerdict::StillUnknown,
        }
    }

    fn pause(&self) -> u64 {
        let pauses = self.rule.pauses;
        let repeats = usize::try_from(self.repeats).unwrap_or(usize::MAX);
        let index = self.queries.max(repeats);
        pauses.get(index).or_else(|| pauses.last()).copied().unwrap_or(5)
    }

    /// What never left this process is not asked about but sent again.
    fn after_pause(&self) -> State {
        if self.fate == Fate::NotSent {
            State::Resend { begun: false }
        } else {
            State::Ask { last: false }
        }
    }

    fn may_repeat(&self) -> bool {
        self.rule.repeat != Repeat::Never && self.repeats < self.rule.repeats
    }

    fn repeat_failed(&mut self, fate: Fate) -> State {
        self.repeats = self.repeats.saturating_add(1);
        self.fate = self.fate.join(fate);
        self.repeated = self.repeated.join(fate);
        match fate {
            // Not even sent: what was known before still holds.
            Fate::NotSent if self.fate == Fate::NotSent && !self.may_repeat() => State::End(SettleVerdict::Absent),
            Fate::NotSent => State::Pause,
            // Nothing before this one left the process, so its refusal is the whole outcome.
            Fate::Refused if self.fate == Fate::Refused => State::End(SettleVerdict::Failed),
            // An earlier attempt may have got through. What was refused for good is not sent again.
            Fate::Refused => {
                self.repeats = self.repeats.max(self.rule.repeats);
                self.absences = 0;
                State::Pause
            }
            Fate::Unknown => {
                self.absences = 0;
                State::Pause
            }
            Fate::Already => State::Ask { last: false },
        }
    }

    fn stands(&mut self, standing: Standing) -> State {
        if standing != Standing::NotFound {
            self.known = true;
            self.absences = 0;
            // What the platform knows was sent, whoever sent it.
            self.fate = self.fate.join(Fate::Unknown);
        }
        match standing {
            Standing::Succeeded => State::End(SettleVerdict::Happened(standing)),
            Standing::Accepted if self.rule.repeat == Repeat::ForTheReply && self.may_repeat() => {
                self.accepted = true;
                State::Resend { begun: false }
            }
            Standing::Accepted => State::End(SettleVerdict::Happened(standing)),
            Standing::Failed => State::End(SettleVerdict::Failed),
            Standing::Pending => State::Pause,
            // The platform has said that it is there; it does not unsay that by not finding it once.
            Standing::NotFound if self.known || self.fate == Fate::Already => State::Pause,
            Standing::NotFound => {
                self.absences = self.absences.saturating_add(1);
                if self.absences < self.rule.absences {
                    State::Pause
                } else if self.may_repeat() {
                    State::Resend { begun: false }
                } else if self.repeated >= Fate::Unknown {
                    // A repeat whose outcome is unknown as well may still arrive: absence proves nothing soon enough.
                    State::Pause
                } else {
                    State::End(SettleVerdict::Absent)
                }
            }
        }
    }
}

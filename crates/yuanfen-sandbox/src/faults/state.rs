//! A plan at work: how often each rule matched and struck, and what strikes now.

use std::borrow::Cow;
use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::time::Duration;

use http::StatusCode;
use yuanfen_core::PayAmount;

use super::kind::gateway_status;
use super::{FaultKind, FaultPlan, FaultRule, Moment, RefusalCode};
use crate::ambient::mix;
use crate::book::Order;
use crate::{Account, Platform};

/// How often a rule matched and struck since its plan was set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FaultTally {
    /// The rule.
    pub rule: FaultRule,
    /// How many calls or notices it matched, those that `skip` let pass included.
    pub matched: u32,
    /// How many it struck.
    pub struck: u32,
}

/// Where and when faults are drawn.
pub(crate) struct Occasion {
    pub(crate) moment: Moment,
    pub(crate) platform: Platform,
    pub(crate) operation: &'static str,
}

/// Who calls or is told, and about which order, as far as that can be read.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) account: Account,
    pub(crate) order_no: Option<String>,
}

/// A plan at work.
#[derive(Debug, Default)]
pub(crate) struct FaultState {
    rules: Vec<RuleState>,
}

#[derive(Debug)]
struct RuleState {
    tally: FaultTally,
    /// From the sandbox's seed and the rule's text.
    seed: u64,
    /// How many draws each operation had.
    draws: BTreeMap<(Platform, &'static str), u64>,
}

impl FaultState {
    pub(crate) fn new(plan: FaultPlan, seed: u64) -> Self {
        let mut twins: BTreeMap<String, u64> = BTreeMap::new();
        let rules = plan.rules.into_iter().map(|rule| {
            // Two rules of the same text draw apart from each other.
            let text = rule.to_string();
            let twin = twins.entry(text.clone()).or_default();
            *twin = twin.wrapping_add(1);
            RuleState {
                seed: fold(seed.wrapping_add(*twin), &text),
                draws: BTreeMap::new(),
                tally: FaultTally {
                    rule,
                    matched: 0,
                    struck: 0,
                },
            }
        });
        Self { rules: rules.collect() }
    }

    pub(crate) fn tallies(&self) -> Vec<FaultTally> {
        self.rules.iter().map(|state| state.tally.clone()).collect()
    }

    /// What strikes now. The subject is only asked for where a rule depends on it.
    pub(crate) fn draw(&mut self, occasion: &Occasion, subject: impl FnOnce() -> Subject) -> Strikes {
        let subject = LazyCell::new(subject);
        let mut struck = Vec::new();
        for state in &mut self.rules {
            let tally = &mut state.tally;
            let matches = is_there(&tally.rule, occasion) && (!asks(&tally.rule) || is_about(&tally.rule, &subject));
            if !matches {
                continue;
            }
            let rule = &tally.rule;
            tally.matched = tally.matched.saturating_add(1);
            if tally.matched <= rule.skip || rule.times.is_some_and(|times| tally.struck >= times) {
                continue;
            }
            if let Some(permille) = rule.permille {
                let draws = state.draws.entry((occasion.platform, occasion.operation)).or_default();
                *draws = draws.wrapping_add(1);
                let place = fold(fold(state.seed, occasion.platform.name()), occasion.operation);
                if mix(place.wrapping_add(*draws)) % 1000 >= u64::from(permille) {
                    continue;
                }
            }
            tally.struck = tally.struck.saturating_add(1);
            struck.push(rule.kind);
        }
        Strikes(struck)
    }
}

fn is_there(rule: &FaultRule, occasion: &Occasion) -> bool {
    let platform = occasion.platform;
    rule.platform.is_none_or(|wanted| wanted == platform)
        && rule.account.is_none_or(|wanted| wanted.platform == platform)
        && rule
            .operation
            .as_deref()
            .is_none_or(|wanted| wanted == occasion.operation)
        && rule.kind.moments().contains(&occasion.moment)
        && rule.kind.is_on(platform)
}

const fn asks(rule: &FaultRule) -> bool {
    rule.account.is_some() || rule.order_no.is_some() || rule.order_no_prefix.is_some()
}

fn is_about(rule: &FaultRule, subject: &Subject) -> bool {
    let order_no = subject.order_no.as_deref();
    let begins = |beginning: &str| order_no.is_some_and(|number| number.starts_with(beginning));
    rule.account.is_none_or(|wanted| wanted == subject.account)
        && rule.order_no.as_deref().is_none_or(|wanted| order_no == Some(wanted))
        && rule.order_no_prefix.as_deref().is_none_or(begins)
}

/// A number that depends on another one and on every byte of a text.
fn fold(seed: u64, text: &str) -> u64 {
    text.bytes()
        .fold(mix(seed), |folded, byte| mix(folded ^ u64::from(byte)))
}

/// What strikes one call, one notice or one attempt.
#[derive(Clone, Debug, Default)]
pub(crate) struct Strikes(Vec<FaultKind>);

impl Strikes {
    pub(crate) fn has(&self, kind: FaultKind) -> bool {
        self.0.contains(&kind)
    }

    fn sum(&self, milliseconds: impl Fn(FaultKind) -> u64) -> Duration {
        let all = self.0.iter().map(|kind| milliseconds(*kind));
        Duration::from_millis(all.fold(0, u64::saturating_add))
    }

    fn first<T>(&self, of: impl Fn(FaultKind) -> Option<T>) -> Option<T> {
        self.0.iter().find_map(|kind| of(*kind))
    }

    /// How long the answer or notice is held back, on real time.
    pub(crate) fn delay(&self) -> Duration {
        self.sum(|kind| match kind {
            FaultKind::DelayMs(milliseconds) => milliseconds,
            _ => 0,
        })
    }

    /// How long each byte of an answer takes, where it drips.
    pub(crate) fn drip(&self) -> Option<Duration> {
        self.first(|kind| match kind {
            FaultKind::DripMs(milliseconds) => Some(Duration::from_millis(milliseconds)),
            _ => None,
        })
    }

    /// How late a notice is sent, on the sandbox's clock.
    pub(crate) fn hold(&self) -> Duration {
        self.sum(|kind| match kind {
            FaultKind::HoldNoticeSeconds(seconds) => u64::from(seconds).saturating_mul(1000),
            _ => 0,
        })
    }

    /// How far the platform's clock is ahead.
    pub(crate) fn skew_seconds(&self) -> i64 {
        let skews = self.0.iter().map(|kind| match kind {
            FaultKind::SkewSeconds(seconds) => *seconds,
            _ => 0,
        });
        skews.fold(0, i64::saturating_add)
    }

    /// How long ago an answer or notice is said to be signed.
    pub(crate) fn stale_seconds(&self) -> i64 {
        let ages = self.0.iter().map(|kind| match kind {
            FaultKind::StaleSeconds(seconds) => i64::from(*seconds),
            _ => 0,
        });
        ages.fold(0, i64::saturating_add)
    }

    /// The status of a gateway's page.
    pub(crate) fn status(&self) -> Option<StatusCode> {
        self.first(|kind| match kind {
            FaultKind::Status(status) => Some(gateway_status(status)),
            _ => None,
        })
    }

    /// Whether something else is answered than what the platform wrote.
    pub(crate) fn replace_answer(&self) -> bool {
        let kinds = [FaultKind::EmptyReply, FaultKind::Accepted, FaultKind::SystemError];
        self.status().is_some() || kinds.iter().any(|kind| self.has(*kind))
    }

    /// With which code the platform refuses.
    pub(crate) fn refusal(&self) -> Option<RefusalCode> {
        self.first(|kind| match kind {
            FaultKind::Refuse(code) => Some(code),
            _ => None,
        })
    }

    /// The order as it is told of.
    pub(crate) fn told<'o>(&self, order: &'o Order) -> Cow<'o, Order> {
        let amount = self.first(|kind| match kind {
            FaultKind::ChangeAmount(amount) => Some(amount),
            _ => None,
        });
        let mut told = Cow::Borrowed(order);
        if let Some(amount) = amount {
            told = Cow::Owned(told.with_amount(amount.fen()));
        }
        if self.has(FaultKind::ChangeOrder) {
            told = Cow::Owned(told.renumbered());
        }
        told
    }

    /// The amount that a second notice tells.
    pub(crate) fn contradiction(&self) -> Option<PayAmount> {
        self.first(|kind| match kind {
            FaultKind::ContradictNotice(amount) => Some(amount),
            _ => None,
        })
    }

    pub(crate) fn kinds(&self) -> &[FaultKind] {
        &self.0
    }

    pub(crate) fn into_kinds(self) -> Vec<FaultKind> {
        self.0
    }
}

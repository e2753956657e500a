//! Orders and refunds whose notice does not come, on a clock of their own and with a platform that does as it is told.

mod closing;
mod hints;
mod late;
mod machines;
mod notices;
mod schedule;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;
use yuanfen_core::{EventKey, Facts, Fen, Finding, Standing, Transition, UnixTime};
use yuanfen_inbox::store::Store;
use yuanfen_inbox::{
    Converged, Convergence, Expected, Inbox, PendingFilter, QueryError, RoutePlan, Schedule, StoredPending, Workers,
};

use crate::place::{START, Shipping};
use crate::toy::{ACCOUNT, ROUTE};

/// Seconds since the start, as far as a test has let them pass.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<AtomicI64>);

impl Clock {
    pub fn set(&self, seconds: i64) {
        self.0.store(seconds, Ordering::SeqCst);
    }

    pub fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn seconds(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    pub fn now(&self) -> UnixTime {
        UnixTime::from_seconds(START.seconds() + self.seconds())
    }
}

/// What the platform says about a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    Unpaid,
    /// The payer is typing.
    Paying,
    /// The same of a scanned code, which cannot be closed.
    UnpaidAtTheTill,
    /// The bank refused one payment; the payer may try another.
    Refused,
    Paid(i64),
    /// Paid, and its money became available.
    Settled(i64),
    Closed,
    /// The refund has arrived.
    Refunded(i64),
    Error(&'static str),
    Panic,
    Silence,
}

/// A call as the platform saw it: how many seconds after the start, and which.
pub type Call = (i64, String);

#[derive(Debug, Default)]
struct Record {
    says: BTreeMap<String, Says>,
    /// What a close leaves behind, where it is not what was asked for.
    close_finds: Option<Says>,
    calls: Vec<Call>,
    under_way: Vec<String>,
    most_under_way: usize,
    twice_at_once: bool,
}

/// The platform; numbers that it was told nothing about are unknown to it.
#[derive(Clone, Debug, Default)]
pub struct Platform {
    pub clock: Clock,
    record: Arc<Mutex<Record>>,
    pub takes: Duration,
    /// Answers are given when it is let through, where there is one.
    pub gate: Option<Arc<Semaphore>>,
}

impl Platform {
    pub fn says(&self, number: &str, says: Says) {
        self.record.lock().unwrap().says.insert(number.to_owned(), says);
    }

    /// At the next close the order turns out to be that.
    pub fn close_finds(&self, says: Says) {
        self.record.lock().unwrap().close_finds = Some(says);
    }

    /// The calls since this was asked last.
    pub fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.record.lock().unwrap().calls)
    }

    /// As if nobody had called yet.
    pub fn forget(&self) {
        let mut record = self.record.lock().unwrap();
        record.calls.clear();
        record.most_under_way = 0;
    }

    /// Waits until a query has come.
    pub async fn is_asked(&self) {
        let asked = async {
            while self.most_under_way() == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let asked = tokio::time::timeout(Duration::from_secs(60), asked).await;
        asked.expect("a query comes");
    }

    pub fn most_under_way(&self) -> usize {
        self.record.lock().unwrap().most_under_way
    }

    /// Whether one number was ever asked for while it was being asked for.
    pub fn was_asked_twice_at_once(&self) -> bool {
        self.record.lock().unwrap().twice_at_once
    }

    fn begin(&self, call: &str, number: &str) -> Option<Says> {
        let mut record = self.record.lock().unwrap();
        record.calls.push((self.clock.seconds(), format!("{call} {number}")));
        record.twice_at_once |= record.under_way.iter().any(|other| other == number);
        record.under_way.push(number.to_owned());
        record.most_under_way = record.most_under_way.max(record.under_way.len());
        record.says.get(number).cloned()
    }

    fn end(&self, number: &str) {
        let mut record = self.record.lock().unwrap();
        let place = record.under_way.iter().position(|other| other == number).unwrap();
        record.under_way.remove(place);
    }

    async fn query(self, pending: StoredPending) -> Result<Finding, QueryError> {
        let number = pending.expected.number;
        let said = self.begin("query", &number);
        if !self.takes.is_zero() {
            tokio::time::sleep(self.takes).await;
        }
        if let Some(gate) = &self.gate {
            gate.acquire().await.unwrap().forget();
        }
        let key = |transition| EventKey::new(ROUTE, ACCOUNT, &*number, transition);
        let facts = |end_state, fen| {
            let mut facts = Facts::new(end_state);
            facts.amount = Some(Fen::new(fen));
            facts
        };
        let found = match said {
            None => Ok(Finding::open(Standing::NotFound)),
            Some(Says::Unpaid) => Ok(Finding::open(Standing::Accepted)),
            Some(Says::Paying) => Ok(Finding::open(Standing::Pending)),
            Some(Says::UnpaidAtTheTill) => {
                let mut finding = Finding::open(Standing::Accepted);
                finding.may_be_closed = false;
                Ok(finding)
            }
            Some(Says::Refused) => Ok(Finding::open(Standing::Pending).closable()),
            // The state is the one that the toy's notices name.
            Some(Says::Paid(fen)) => Ok(Finding::open(Standing::Succeeded)
                .with(key(Transition::OrderPaid), facts("SUCCESS", fen))
                .over()),
            Some(Says::Settled(fen)) => Ok(Finding::open(Standing::Succeeded)
                .with(key(Transition::OrderPaid), facts("SUCCESS", fen))
                .with(key(Transition::OrderSettled), facts("SUCCESS", fen))
                .over()),
            Some(Says::Refunded(fen)) => Ok(Finding::open(Standing::Succeeded)
                .with(key(Transition::RefundSucceeded), facts("SUCCESS", fen))
                .over()),
            Some(Says::Closed) => Ok(Finding::open(Standing::Failed)
                .with(key(Transition::OrderClosed), Facts::new("CLOSED"))
                .over()),
            Some(Says::Error(text)) => Err(QueryError::new(text)),
            Some(Says::Panic) => {
                self.end(&number);
                panic!("the query of {number} panics, as it was told to")
            }
            Some(Says::Silence) => std::future::pending().await,
        };
        self.end(&number);
        found
    }

    async fn close(self, pending: StoredPending) -> Result<(), QueryError> {
        let number = pending.expected.number;
        self.begin("close", &number);
        self.end(&number);
        let mut record = self.record.lock().unwrap();
        let finds = record.close_finds.take();
        let is_paid = matches!(finds, Some(Says::Paid(_)));
        record.says.insert(number, finds.unwrap_or(Says::Closed));
        if is_paid {
            return Err(QueryError::new("the order is paid"));
        }
        Ok(())
    }

    /// Steps to the second, as fast as it goes.
    pub fn plan(&self) -> RoutePlan {
        self.plan_on(Schedule::WECHAT.with_spread(0))
    }

    pub fn plan_on(&self, schedule: Schedule) -> RoutePlan {
        let platform = self.clone();
        RoutePlan::new(ROUTE, ACCOUNT, schedule, move |pending| platform.clone().query(pending))
            .with_pace(Duration::ZERO)
    }

    pub fn closing_plan(&self) -> RoutePlan {
        let platform = self.clone();
        self.plan().with_close(move |pending| platform.clone().close(pending))
    }
}

/// An inbox on the platform's clock.
pub fn inbox<S: Store>(store: S, platform: &Platform) -> Inbox<S> {
    let clock = platform.clock.clone();
    Inbox::new(store).with_clock(move || clock.now())
}

pub async fn expect<S: Store>(inbox: &Inbox<S>, pending: impl Into<Expected> + Send) {
    let (_turn, mut transaction) = inbox.store().begin().await.unwrap();
    inbox.expect(&mut transaction, pending).await.unwrap();
    inbox.store().commit(transaction).await.unwrap();
}

pub async fn pending<S: Store>(inbox: &Inbox<S>, number: &str) -> StoredPending {
    let mut filter = PendingFilter::default();
    filter.number = Some(number.to_owned());
    let mut found = inbox.pending(&filter).await.unwrap();
    assert_eq!(found.len(), 1);
    found.remove(0)
}

pub fn shipping<S: crate::place::Place>(inbox: &Inbox<S>) -> Workers<S, Shipping> {
    inbox.workers(Shipping)
}

/// What becomes of what is due at every one of these seconds; nothing may be due in between.
pub async fn at_each_second<S: Store>(
    convergence: &Convergence<S>,
    clock: &Clock,
    until: i64,
) -> Vec<(i64, Converged)> {
    let mut seen = Vec::new();
    while clock.seconds() < until {
        clock.pass(1);
        for converged in convergence.drain().await.unwrap() {
            seen.push((clock.seconds(), converged));
        }
    }
    seen
}

//! The inbox itself: a store, a clock and what applies to all routes.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::{Notify, watch};
use yuanfen_core::{Facts, UnixTime};

use crate::phase::Phases;
use crate::store::{Inserted, Store, Subject};
use crate::{EventId, EventState, ExpectError, Expected, NEVER_PLACED, NewEvent, PendingState, Schedule, StoreError};

/// No handler may take longer, nor a lease last longer, whatever the settings say.
const LONGEST_DEADLINE: Duration = Duration::from_secs(3600);
const LONGEST_LEASE: Duration = Duration::from_secs(24 * 3600);

/// What applies to all routes. The defaults are for a shop; change what you have a reason to change.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// How long a handler may take before it is dropped and rolled back: two seconds on SQLite, where it holds the only
    /// write lock and platforms wait five seconds for their answer; thirty on PostgreSQL. An hour at most.
    pub handler_deadline: Duration,
    /// How long a claim holds, so that a worker that died is replaced: a minute. It is never taken for shorter than twice
    /// the handler's deadline, nor for longer than a day. Clocks of machines that share a database should agree within it; if
    /// they do not, an event is tried more often, never done twice. So should their settings: what claims to be due later
    /// than any pause of this process's was written by a clock that was ahead, and is taken now.
    pub lease: Duration,
    /// After so many failed attempts an event is parked: 16, which takes a little over an hour.
    pub attempts: u32,
    /// The pause after the first failure; it doubles with every further one. One second.
    pub first_pause: Duration,
    /// No pause is longer. Ten minutes.
    pub longest_pause: Duration,
    /// How long an idle worker sleeps, when no receiver of its own process wakes it: one second.
    pub idle: Duration,
    /// How long a worker or a query waits for the database to answer: half a minute, and the deadlines of the process's
    /// handlers besides, who may have their turn first. A server that is gone without a word says nothing for ever.
    pub patience: Duration,
    /// How many workers a process runs: one on SQLite, four on PostgreSQL.
    pub workers: usize,
    /// What becomes of a payment for an order that the shop does not [`expect`](Inbox::expect).
    pub unexpected: Unexpected,
    /// An order that a hint asks to look at is not queried sooner than so long after its last query: ten seconds, and more
    /// where it is older ([`StoredPending::due_by_hint`](crate::StoredPending::due_by_hint)). A hint is unsigned, so
    /// anybody can send many.
    pub hint_gap: Duration,
}

impl Settings {
    fn of<S: Store>() -> Self {
        Self {
            handler_deadline: S::HANDLER_DEADLINE,
            lease: Duration::from_secs(60),
            attempts: 16,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(600),
            idle: Duration::from_secs(1),
            patience: Duration::from_secs(30),
            workers: S::WORKERS,
            unexpected: Unexpected::Park,
            hint_gap: Duration::from_secs(10),
        }
    }

    /// The deadline as it is kept.
    pub(crate) fn effective_deadline(&self) -> Duration {
        self.handler_deadline.min(LONGEST_DEADLINE)
    }

    /// The lease as it is taken.
    pub(crate) fn effective_lease(&self) -> Duration {
        let lease = self.lease.min(LONGEST_LEASE);
        whole_seconds(lease.max(self.effective_deadline().saturating_mul(2)))
    }

    /// The pause after that many failed attempts.
    pub(crate) fn pause(&self, attempts: u32) -> Duration {
        let doublings = attempts.saturating_sub(1).min(31);
        let pause = self.first_pause.saturating_mul(1_u32 << doublings);
        whole_seconds(pause.min(self.longest_pause))
    }

    /// No lease or pause that is taken now ends later. One that does was taken by a clock that was ahead.
    pub(crate) fn never_after(&self, now: UnixTime) -> UnixTime {
        now.after(self.effective_lease().max(whole_seconds(self.longest_pause)))
    }

    /// The database's answer, unless it keeps silent: a server that is gone without a word is not waited for for ever. Where
    /// handlers take turns, all of them may have theirs first.
    pub(crate) async fn answered<T>(
        &self,
        asked: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let workers = u32::try_from(self.workers.max(1)).unwrap_or(u32::MAX);
        let turns = self.effective_deadline().saturating_mul(workers);
        let answer = tokio::time::timeout(self.patience.saturating_add(turns), asked).await;
        answer.unwrap_or(Err(StoreError::NoAnswer))
    }
}

/// A longer pause than it says is never too short. The clock of the inbox counts whole seconds.
fn whole_seconds(pause: Duration) -> Duration {
    let seconds = pause.as_secs();
    Duration::from_secs(seconds.saturating_add(u64::from(pause.subsec_nanos() > 0)))
}

/// What becomes of a payment for an order that the shop does not expect: nobody can say whether its amount is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unexpected {
    /// It is parked, and a person looks at it.
    Park,
    /// The handler runs, and compares the amount itself.
    Handle,
}

type Clock = Arc<dyn Fn() -> UnixTime + Send + Sync>;

/// A notification inbox over a database: see the [crate's documentation](crate) for what it promises.
///
/// It is cheap to clone; all clones are one inbox.
#[derive(Clone)]
pub struct Inbox<S> {
    pub(crate) store: S,
    pub(crate) settings: Settings,
    clock: Clock,
    pub(crate) phases: Phases,
    /// Rung when an event was stored.
    pub(crate) events: Arc<Notify>,
    /// Rung when a query became due; every plan of a convergence listens.
    pub(crate) queries: Arc<watch::Sender<()>>,
}

impl<S: Store> Inbox<S> {
    /// An inbox in that store, on the machine's clock.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self {
            store,
            settings: Settings::of::<S>(),
            clock: Arc::new(machine_time),
            phases: Phases::default(),
            events: Arc::new(Notify::new()),
            queries: Arc::new(watch::Sender::new(())),
        }
    }

    /// With other settings: `inbox.with_settings(|settings| settings.attempts = 5)`.
    #[must_use]
    pub fn with_settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// On another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> UnixTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// With a hook that is awaited at every phase of every event. For tests: one that never ends is a process that dies.
    #[cfg(feature = "test-util")]
    #[must_use]
    pub fn with_phase_hook(
        mut self,
        hook: impl Fn(crate::Phase, &yuanfen_core::EventKey) -> crate::PhaseFuture + Send + Sync + 'static,
    ) -> Self {
        self.phases = Phases::new(hook);
        self
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// The settings.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn now(&self) -> UnixTime {
        (self.clock)()
    }

    /// Tells the inbox of an order or a refund that the shop is about to place, in the shop's own transaction: what was
    /// not placed is not expected. Commit before you call the platform, so that no notice comes first.
    ///
    /// Two things follow: every event about it is compared with its amount, currency, merchant and app before a handler
    /// runs; and it is queried on its route's schedule until its end is known. To expect the same once more changes
    /// nothing.
    ///
    /// # Errors
    /// [`ExpectError::Differs`] when the number is taken by something else, [`ExpectError::Over`] when what was expected
    /// under it is open no more, [`ExpectError::ExpiresBefore`] when it expires before now, [`ExpectError::Store`] when it
    /// could not be written, or not durably.
    pub async fn expect(
        &self,
        connection: &mut S::Connection,
        pending: impl Into<Expected> + Send,
    ) -> Result<(), ExpectError> {
        let expected = pending.into();
        let placed_at = self.now();
        let known = match expected.expires_at {
            Some(expires_at) if expires_at <= placed_at => {
                let Expected {
                    route,
                    account,
                    kind,
                    number,
                    ..
                } = &expected;
                let subject = Subject::new(route, account, *kind, number);
                let known = self.store.expected(connection, subject).await?;
                // Under its own number, not another's that the platform calls so.
                let known = known.filter(|known| known.expected.number == *number);
                Some(known.ok_or(ExpectError::ExpiresBefore { placed_at, expires_at })?)
            }
            _ => {
                let next_query_at = placed_at.after(Schedule::FIRST_QUERY);
                let expecting = self.store.expect(connection, &expected, placed_at, next_query_at);
                expecting.await?
            }
        };
        let Some(known) = known else { return Ok(()) };
        let (number, state) = (expected.number.clone(), known.state);
        match known.expected.difference(&expected) {
            Some(field) => Err(ExpectError::Differs { field, number }),
            // Nobody queries it any more, and hints of it are for another.
            None if state != PendingState::Open => Err(ExpectError::Over { number, state }),
            None => Ok(()),
        }
    }

    /// Keeps the platform's number of an order or refund that is expected, from the reply that placed it: hints of some
    /// routes name nothing else. Says whether it is expected. On PostgreSQL call it before you touch your own row of the
    /// order, as a worker does, or one of the two waits in vain.
    ///
    /// # Errors
    /// [`StoreError`] when it could not be written.
    pub async fn keep_remote_id(
        &self,
        connection: &mut S::Connection,
        subject: Subject<'_>,
        remote_id: &yuanfen_core::RemoteId,
    ) -> Result<bool, StoreError> {
        self.store.keep_remote_id(connection, subject, remote_id.as_str()).await
    }

    /// Tells the inbox that nothing more is to be heard of what was expected: the platform has refused to place it, and the
    /// shop does not place it under this number again; or a person has found out its end. It has lapsed then, and is queried
    /// no more, unless a hint opens it again; a payment that a notice proves after all takes effect. Says whether anything
    /// was open or given up.
    ///
    /// Only a refusal is one: after a timeout the order may be there ([`Error::fate`](yuanfen_core::Error::fate)). On
    /// PostgreSQL call it before you touch your own row of the order, as a worker does, or one of the two waits in vain.
    ///
    /// # Errors
    /// [`StoreError`] when it could not be written.
    pub async fn withdraw(&self, connection: &mut S::Connection, subject: Subject<'_>) -> Result<bool, StoreError> {
        self.store.withdraw(connection, subject, self.now()).await
    }

    /// Stores an event, however it was learned, and commits.
    pub(crate) async fn put(&self, event: NewEvent) -> Result<Put, StoreError> {
        let told = event.clone();
        match self.store.insert_event(event).await? {
            Inserted::New(id) => {
                self.events.notify_one();
                Ok(Put::New(id))
            }
            Inserted::Known {
                id,
                state,
                facts: stored,
            } => match contradiction(&stored, &told.facts) {
                None => {
                    if state != EventState::Done && lacks(&stored, &told.facts) {
                        self.store.add_facts(id, told.facts).await?;
                    }
                    Ok(Put::Duplicate(id))
                }
                Some(field) => {
                    let key = told.key.clone();
                    if self.store.insert_conflict(id, told).await? {
                        tracing::error!(
                            event = %id, %key, field,
                            "the platform tells two things about one event: it is parked unless it was done, look at it",
                        );
                    }
                    Ok(Put::Conflict { id, field })
                }
            },
        }
    }
}

impl<S> std::fmt::Debug for Inbox<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbox")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// What became of an event that was to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    New(EventId),
    Duplicate(EventId),
    Conflict { id: EventId, field: &'static str },
}

/// Where two tellings differ. That an order was never placed is the inbox's own word, which the platform's does not contradict.
fn contradiction(stored: &Facts, told: &Facts) -> Option<&'static str> {
    let is_ours = |facts: &Facts| facts.end_state == NEVER_PLACED;
    if is_ours(stored) != is_ours(told) {
        return None;
    }
    stored.contradiction(told)
}

/// Whether a later telling names a fact that the first one did not.
fn lacks(stored: &Facts, told: &Facts) -> bool {
    let is_added = |stored: Option<&String>, told: Option<&String>| stored.is_none() && told.is_some();
    (stored.amount.is_none() && told.amount.is_some())
        || is_added(stored.currency.as_ref(), told.currency.as_ref())
        || is_added(stored.order_no.as_ref(), told.order_no.as_ref())
        || is_added(stored.refund_no.as_ref(), told.refund_no.as_ref())
        || is_added(stored.remote_id.as_ref(), told.remote_id.as_ref())
        || is_added(stored.merchant.as_ref(), told.merchant.as_ref())
        || is_added(stored.app.as_ref(), told.app.as_ref())
}

/// The machine's time. One before 1970 is taken for 1970.
fn machine_time() -> UnixTime {
    let elapsed = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    UnixTime::from_seconds(i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX))
}

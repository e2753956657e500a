//! What the inbox needs of a database.

#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod schema;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod statements;

#[cfg(feature = "sqlite")]
pub use sqlite::Turn as SqliteTurn;

use std::fmt;
use std::future::Future;
use std::ops::DerefMut;
use std::time::Duration;

use yuanfen_core::{Facts, Standing, UnixTime};

use crate::{
    ClaimedEvent, ClaimedPending, EventFilter, EventId, EventState, Expected, NewEvent, ParkReason, PendingFilter,
    PendingKind, PendingState, StoreError, StoredConflict, StoredEvent, StoredPending,
};

/// A database that keeps an inbox: what [`Inbox`](crate::Inbox), its workers and its convergence are built on.
///
/// The rules are the inbox's; a store keeps rows and says honestly what it did. What it must hold:
///
/// - Every method but those that take a connection commits before it returns `Ok`, durably: a machine that loses power
///   the next moment still has it. A store that cannot promise that answers [`StoreError::NotDurable`].
/// - [`insert_event`](Self::insert_event), [`insert_conflict`](Self::insert_conflict) and [`hasten`](Self::hasten) are
///   called while a platform waits for its answer. They must not wait for a handler: at most for the end of one that is
///   under way where the database has a single write lock, and never for the next.
/// - Two claims of one event never own the same fence, and a later one owns the larger.
///
/// Futures may be dropped at any point. What was begun is then either committed or not.
pub trait Store: Clone + fmt::Debug + Send + Sync + 'static {
    /// A connection to the database, as the shop's own code uses it.
    type Connection: Send;

    /// A transaction that the inbox began. Dropped, it is rolled back.
    type Transaction: DerefMut<Target = Self::Connection> + Send;

    /// The right to hold a write lock, given back when it is dropped; `()` where writers do not exclude each other.
    type Turn: Send;

    /// How long a handler may hold its transaction unless the inbox is told otherwise.
    const HANDLER_DEADLINE: Duration;

    /// How many workers one process runs unless it is told otherwise.
    const WORKERS: usize;

    /// Stores an event unless one of its key is there.
    fn insert_event(&self, event: NewEvent) -> impl Future<Output = Result<Inserted, StoreError>> + Send;

    /// Stores what a later delivery says otherwise, once for the same facts; parks the event if it is ready and no
    /// worker has it in a transaction. Says whether the contradiction is new.
    fn insert_conflict(
        &self,
        event_id: EventId,
        event: NewEvent,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Adds to an event that is not done the facts of a later telling that it does not name itself. A worker that has it in
    /// a transaction is not waited for.
    fn add_facts(&self, event_id: EventId, facts: Facts) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Claims the event that is due longest: counts an attempt, raises the fence, and makes it due again at the end of
    /// the lease. What claims to be due only after `never_after` was written by a clock that was ahead, and is due.
    fn claim_event(
        &self,
        now: UnixTime,
        lease_until: UnixTime,
        never_after: UnixTime,
    ) -> impl Future<Output = Result<Option<ClaimedEvent>, StoreError>> + Send;

    /// Waits for its turn to write and begins a transaction that may write at once.
    fn begin(&self) -> impl Future<Output = Result<(Self::Turn, Self::Transaction), StoreError>> + Send;

    /// Marks a claimed event done, if it is still ready under that fence.
    fn mark_done(
        &self,
        connection: &mut Self::Connection,
        claim: &ClaimedEvent,
        now: UnixTime,
    ) -> impl Future<Output = Result<Marked, StoreError>> + Send;

    /// From now on no statement in the transaction runs for longer: a handler that is dropped in the middle of one would
    /// otherwise not be rolled back before its end.
    fn limit(
        &self,
        transaction: &mut Self::Transaction,
        within: Duration,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Whether the mark is still what a commit would commit. It is not where a handler ended the transaction itself, or
    /// went on after a failure by which the database ended it.
    fn still_marked(
        &self,
        connection: &mut Self::Connection,
        claim: &ClaimedEvent,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// What is expected under that number, or else under that number of the platform's.
    fn expected(
        &self,
        connection: &mut Self::Connection,
        subject: Subject<'_>,
    ) -> impl Future<Output = Result<Option<StoredPending>, StoreError>> + Send;

    /// Notes what an event settles about something expected: that it was paid, by an event about `paid_as`, and that it is
    /// over, so that it is queried no more. Says whether that is so; it is not, and nothing is changed, where it was paid by an
    /// event about something else.
    fn settle_pending(
        &self,
        connection: &mut Self::Connection,
        pending: i64,
        paid_as: Option<&str>,
        is_over: bool,
        now: UnixTime,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Commits.
    fn commit(&self, transaction: Self::Transaction) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Rolls back. What cannot be rolled back now is when the transaction is dropped.
    fn roll_back(&self, transaction: Self::Transaction) -> impl Future<Output = ()> + Send;

    /// Gives up a claim, if the event is still ready under that fence; says whether it was.
    fn release_event(
        &self,
        claim: &ClaimedEvent,
        release: Release,
        error: &str,
        now: UnixTime,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Begins to expect something, within the shop's own transaction. Hands out what is expected under its number
    /// already, unchanged, if something is.
    fn expect(
        &self,
        connection: &mut Self::Connection,
        expected: &Expected,
        placed_at: UnixTime,
        next_query_at: UnixTime,
    ) -> impl Future<Output = Result<Option<StoredPending>, StoreError>> + Send;

    /// Lets what is expected under that number lapse, or what was given up; says whether anything was.
    fn withdraw(
        &self,
        connection: &mut Self::Connection,
        subject: Subject<'_>,
        now: UnixTime,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Keeps the platform's number of an order or refund that is expected; says whether it is.
    fn keep_remote_id(
        &self,
        connection: &mut Self::Connection,
        subject: Subject<'_>,
        remote_id: &str,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Moves the next query of something open forward, to [`StoredPending::due_by_hint`]; never backward. What is claimed
    /// is queried once more then, and not while its lease lasts. What was given up or has lapsed, and what is over because
    /// the platform did not know it, is open again. Says whether something answers to the name that is open now.
    fn hasten(
        &self,
        route: &str,
        account: &str,
        name: PendingName<'_>,
        now: UnixTime,
        gap: Duration,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Takes up to `limit` of what is open with an account and due for a query, and claims it:
    /// counts a query, raises the fence, and makes it due again at the end of the lease. Where an event is stored that is
    /// the last to be heard about it, under its number or the platform's, it is ended instead and handed out as over.
    fn claim_pending(
        &self,
        of: &DueOf<'_>,
        now: UnixTime,
        lease_until: UnixTime,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<ClaimedPending>, StoreError>> + Send;

    /// Writes down what came of a query, if it is still open under that fence; says where it is then. Where a hint came
    /// meanwhile, it is due when that hint wants it, unless it is sooner anyway; and it stays open, unless the platform told
    /// its end.
    fn record_query(
        &self,
        claim: &ClaimedPending,
        record: &QueryRecord,
        now: UnixTime,
    ) -> impl Future<Output = Result<Option<PendingState>, StoreError>> + Send;

    /// The stored events that answer to a filter, the oldest first, without their requests.
    fn events(&self, filter: &EventFilter) -> impl Future<Output = Result<Vec<StoredEvent>, StoreError>> + Send;

    /// One event, with its request.
    fn event(&self, id: EventId) -> impl Future<Output = Result<Option<StoredEvent>, StoreError>> + Send;

    /// What contradicts an event.
    fn conflicts(&self, id: EventId) -> impl Future<Output = Result<Vec<StoredConflict>, StoreError>> + Send;

    /// Makes a parked event ready, its attempts forgotten; says whether one was parked. Where it was parked because of its
    /// contradictions, those are resolved that are there before it is ready.
    fn retry(&self, id: EventId, now: UnixTime) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Notes that a person has looked at what contradicts an event that is not ready; says at how many contradictions.
    fn resolve(&self, id: EventId, now: UnixTime) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Parks a ready or dismissed event for a person; says whether one was.
    fn park(&self, id: EventId, now: UnixTime) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Dismisses a parked event; says whether one was parked. Where it was parked because of its contradictions, those are
    /// resolved.
    fn dismiss(&self, id: EventId, now: UnixTime) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// What is expected, as far as it answers to a filter, the oldest first.
    fn pending(&self, filter: &PendingFilter) -> impl Future<Output = Result<Vec<StoredPending>, StoreError>> + Send;

    /// Makes open, and due for a query, what is not, unless the platform told its end; says whether something was.
    fn requery(&self, pending: i64, now: UnixTime) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// How the inbox is doing.
    fn health(&self, now: UnixTime) -> impl Future<Output = Result<Health, StoreError>> + Send;
}

/// What became of an event that was to be stored.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Inserted {
    /// It is stored.
    New(EventId),
    /// One of its key is there already.
    Known {
        /// Its number.
        id: EventId,
        /// Where it is.
        state: EventState,
        /// What it settles.
        facts: Facts,
    },
}

/// Whether a claimed event could be marked done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Marked {
    /// It is marked, and the handler may run in the same transaction.
    Done,
    /// It is no longer ours: it is done, parked, or claimed by another worker.
    NotOurs,
    /// It is ours, but contradicted by a later delivery that no person has looked at.
    Contradicted,
}

/// What becomes of an event whose attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Release {
    /// It is due again then.
    Retry {
        /// When.
        at: UnixTime,
    },
    /// It waits for a person.
    Park {
        /// Why.
        reason: ParkReason,
    },
}

/// What something expected is known by: our number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subject<'a> {
    /// The route's name.
    pub route: &'a str,
    /// The merchant.
    pub account: &'a str,
    /// An order or a refund.
    pub kind: PendingKind,
    /// Our number of it.
    pub number: &'a str,
}

impl<'a> Subject<'a> {
    /// An order or refund of that number.
    #[must_use]
    pub const fn new(route: &'a str, account: &'a str, kind: PendingKind, number: &'a str) -> Self {
        Self {
            route,
            account,
            kind,
            number,
        }
    }
}

/// What a hint calls it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PendingName<'a> {
    /// Our number.
    Ours(PendingKind, &'a str),
    /// The platform's number.
    Remote(&'a str),
}

/// What came of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueryRecord {
    /// Whether it is over or given up now; `None` while it is open.
    pub end: Option<PendingEnd>,
    /// When it is queried next, while it is open.
    pub next_query_at: UnixTime,
    /// What the platform said; `None` where the query failed.
    pub standing: Option<Standing>,
    /// Why the query or the close failed.
    pub error: Option<String>,
}

/// Which of those that are due for a query are taken, where there are more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DueFirst {
    /// Those that are due longest: after an outage, thousands.
    Longest,
    /// Those that became due last. A payer waits for what a hint has made due just now.
    Latest,
}

/// What is due for a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DueOf<'a> {
    /// The route's name.
    pub route: &'a str,
    /// The merchant.
    pub account: &'a str,
    /// Which come first.
    pub first: DueFirst,
    /// What claims to be due only after this was written by a clock that was ahead, and is due when nothing else is.
    pub never_after: UnixTime,
}

impl<'a> DueOf<'a> {
    /// What is due with that account.
    #[must_use]
    pub const fn new(route: &'a str, account: &'a str, first: DueFirst, never_after: UnixTime) -> Self {
        Self {
            route,
            account,
            first,
            never_after,
        }
    }
}

/// Why something is queried no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PendingEnd {
    /// Its end is known.
    Over,
    /// The schedule ran out.
    GivenUp,
    /// The schedule ran out, and nobody had paid.
    Lapsed,
}

/// How an inbox is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Health {
    /// Events that are ready or being worked on.
    pub ready: u64,
    /// How long the oldest of them has been here.
    pub oldest_ready: Option<Duration>,
    /// Events that wait for a person.
    pub parked: u64,
    /// Contradictions that no person has looked at.
    pub conflicts: u64,
    /// Orders and refunds that are expected.
    pub pending: u64,
    /// How long the one of them that is due for a query for longest is overdue.
    pub query_overdue: Option<Duration>,
    /// Orders and refunds that were given up, those not counted that lapsed unpaid.
    pub given_up: u64,
}

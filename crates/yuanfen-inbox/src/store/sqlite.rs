//! SQLite: one file beside the shop's own tables, one writer at a time.

mod open;
mod turns;
mod writer;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::sqlite::SqlitePool;
use sqlx::{Sqlite, SqliteConnection};

use crate::store::{Inserted, Store};

pub use turns::Turn;

use open::must_be_durable;
use turns::{LONG, Turns};
use writer::Writer;

crate::store::statements::statements!(SqliteConnection, sqlx::sqlite::SqliteRow, "");

/// How long a receiver tries to get the write lock: the platforms wait five seconds for their answer.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long a worker tries to get the lock from other processes, once it is its turn in this one.
const WORKER_PATIENCE: Duration = Duration::from_secs(10);

/// While another process has the lock, this process asks for it at such a pace: its workers less often where they have
/// waited for long, because a slow handler has it then, and others wait too. A worker that finds it free after that leaves it
/// to the receivers of all processes for a moment in which each of them asks more than once. Together the two are shorter
/// than the breath of the worker that had it: so workers of several processes take turns.
const RECEIVER_PAUSE: Duration = Duration::from_millis(2);
const WORKER_PAUSE: Duration = Duration::from_millis(20);
const YIELD: Duration = Duration::from_millis(20);

/// SQLite asks after so many steps of its machine whether a statement may go on: well under a millisecond.
const STEPS: i32 = 10_000;

/// A statement may go on for so long when its handler is dropped, so that the deadline is what its failure names.
const GRACE: Duration = Duration::from_millis(20);

/// An inbox in a SQLite file.
///
/// The file is in WAL mode and every commit waits for the disk (`synchronous = FULL`); a connection that does less is
/// refused with [`StoreError::NotDurable`]. The inbox writes over connections of its own, with the pool's options: no
/// number of busy connections in the shop keeps a notice waiting. Notices that arrive at the same time are stored in one
/// commit. Handlers run one at a time: SQLite has one write lock, a handler holds it, and a notice waits for at most one
/// handler. A statement that is still running when its handler's time is up is interrupted, by means of the connection's
/// progress handler.
///
/// Several processes may have the file open, on one machine; it must not be on a network file system.
#[derive(Clone)]
pub struct SqliteStore {
    pool: SqlitePool,
    /// Where the inbox writes. They do not wait for the lock by themselves: who waits, and who comes first, is settled
    /// here.
    own: SqlitePool,
    turns: Arc<Turns>,
    writer: Writer,
    /// Until when the statements of the handler that is under way may run. One is, at most.
    limit: Arc<Mutex<Option<Instant>>>,
}

impl SqliteStore {
    /// The pool.
    #[must_use]
    pub const fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    async fn read(&self) -> Result<sqlx::pool::PoolConnection<Sqlite>, StoreError> {
        Ok(self.pool.acquire().await?)
    }

    /// A transaction that has the lock and commits durably; [`StoreError::Busy`] if another process has it.
    async fn begin_now(&self) -> Result<sqlx::Transaction<'static, Sqlite>, StoreError> {
        let begun = self.own.begin_with("begin immediate").await;
        let mut transaction = begun.map_err(StoreError::from).map_err(busy_or)?;
        self.limit_statements(None);
        must_be_durable(&mut transaction).await?;
        Ok(transaction)
    }

    /// The same in a receiver's turn, which the caller has.
    async fn begin_for_receiver(&self) -> Result<sqlx::Transaction<'static, Sqlite>, StoreError> {
        let began = Instant::now();
        loop {
            match self.begin_now().await {
                Err(StoreError::Busy) if began.elapsed() < PATIENCE => tokio::time::sleep(RECEIVER_PAUSE).await,
                begun => return begun,
            }
        }
    }

    fn limit_statements(&self, until: Option<Instant>) {
        *self.limit.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

/// Begins a transaction if there is none; says whether there was none.
async fn is_begun(connection: &mut SqliteConnection) -> bool {
    sqlx::raw_sql("begin").execute(connection).await.is_ok()
}

/// Whether another connection has the lock, so that it is worth trying again.
fn is_busy(error: &sqlx::Error) -> bool {
    // SQLITE_BUSY and SQLITE_LOCKED, whatever their extended code.
    let code = error.as_database_error().and_then(|error| error.code());
    code.and_then(|code| code.parse::<u32>().ok())
        .is_some_and(|code| matches!(code & 0xff, 5 | 6))
}

/// A busy database is no failure of it.
fn busy_or(error: StoreError) -> StoreError {
    match error {
        StoreError::Database(cause) => match cause.downcast::<sqlx::Error>() {
            Ok(error) if is_busy(&error) => StoreError::Busy,
            Ok(error) => StoreError::Database(error),
            Err(cause) => StoreError::Database(cause),
        },
        error => error,
    }
}

/// Runs statements in a transaction of their own, in a worker's turn.
macro_rules! in_turn {
    ($store:expr, |$connection:ident| $statements:expr) => {{
        let (turn, mut transaction) = Store::begin($store).await?;
        let $connection: &mut SqliteConnection = &mut transaction;
        let value = $statements.await?;
        Store::commit($store, transaction).await?;
        drop(turn);
        Ok(value)
    }};
}

impl Store for SqliteStore {
    type Connection = SqliteConnection;
    type Transaction = sqlx::Transaction<'static, Sqlite>;
    type Turn = Turn;

    const HANDLER_DEADLINE: Duration = Duration::from_secs(2);
    const WORKERS: usize = 1;

    async fn insert_event(&self, event: NewEvent) -> Result<Inserted, StoreError> {
        self.writer.insert(event).await
    }

    async fn insert_conflict(&self, event_id: EventId, event: NewEvent) -> Result<bool, StoreError> {
        let _turn = self.turns.receiver().await;
        let mut transaction = self.begin_for_receiver().await?;
        let is_new = insert_conflict(&mut transaction, event_id, &event).await?;
        self.commit(transaction).await?;
        Ok(is_new)
    }

    async fn add_facts(&self, event_id: EventId, facts: Facts) -> Result<(), StoreError> {
        let _turn = self.turns.receiver().await;
        let mut transaction = self.begin_for_receiver().await?;
        add_facts(&mut transaction, event_id, &facts).await?;
        self.commit(transaction).await
    }

    async fn claim_event(
        &self,
        now: UnixTime,
        lease_until: UnixTime,
        never_after: UnixTime,
    ) -> Result<Option<ClaimedEvent>, StoreError> {
        // Most of the time there is nothing to claim, and finding that out takes no lock.
        let due: Option<i64> = sqlx::query_scalar(
            "select id from yuanfen_inbox_event where state = 'ready' and ready_at <= $1 \
             union all select id from yuanfen_inbox_event where state = 'ready' and ready_at > $2 limit 1",
        )
        .bind(now.seconds())
        .bind(never_after.seconds())
        .fetch_optional(&self.own)
        .await?;
        if due.is_none() {
            return Ok(None);
        }
        // Read when it is committed: one event that cannot be read must not stand before all others for ever.
        let row: Result<_, StoreError> = in_turn!(self, |connection| claim_event(
            connection,
            now,
            lease_until,
            never_after
        ));
        let row = row?;
        row.as_ref().map(read_claim).transpose()
    }

    async fn begin(&self) -> Result<(Turn, Self::Transaction), StoreError> {
        let mut asked = None;
        let mut must_yield = self.turns.has_rivals();
        loop {
            let turn = self.turns.worker().await;
            let asked = *asked.get_or_insert_with(Instant::now);
            match self.begin_now().await {
                Ok(transaction) if !must_yield => return Ok((turn, transaction)),
                // Another process works on the file too, and may have let the lock go just now: receivers come first,
                // whosever they are.
                Ok(transaction) => {
                    self.roll_back(transaction).await;
                    drop(turn);
                    must_yield = false;
                    tokio::time::sleep(YIELD).await;
                }
                // Receivers of this process do not wait behind a worker that waits for another process.
                Err(StoreError::Busy) if asked.elapsed() < LONG => {
                    drop(turn);
                    tokio::time::sleep(RECEIVER_PAUSE).await;
                }
                Err(StoreError::Busy) if asked.elapsed() < WORKER_PATIENCE => {
                    drop(turn);
                    self.turns.meet_rival();
                    must_yield = true;
                    tokio::time::sleep(WORKER_PAUSE).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn limit(&self, transaction: &mut Self::Transaction, within: Duration) -> Result<(), StoreError> {
        self.limit_statements(Some(Instant::now() + within + GRACE));
        let limit = Arc::clone(&self.limit);
        transaction.lock_handle().await?.set_progress_handler(STEPS, move || {
            let until = *limit.lock().unwrap_or_else(PoisonError::into_inner);
            until.is_none_or(|until| Instant::now() < until)
        });
        Ok(())
    }

    async fn still_marked(&self, connection: &mut SqliteConnection, claim: &ClaimedEvent) -> Result<bool, StoreError> {
        self.limit_statements(None);
        // In a transaction there is no second one, and asking for it does no harm.
        if is_begun(connection).await {
            return Ok(false);
        }
        is_marked(connection, claim).await
    }

    async fn mark_done(
        &self,
        connection: &mut SqliteConnection,
        claim: &ClaimedEvent,
        now: UnixTime,
    ) -> Result<Marked, StoreError> {
        mark_done(connection, claim, now).await
    }

    async fn expected(
        &self,
        connection: &mut SqliteConnection,
        subject: Subject<'_>,
    ) -> Result<Option<StoredPending>, StoreError> {
        expected(connection, subject).await
    }

    async fn settle_pending(
        &self,
        connection: &mut SqliteConnection,
        pending: i64,
        paid_as: Option<&str>,
        is_over: bool,
        now: UnixTime,
    ) -> Result<bool, StoreError> {
        settle_pending(connection, pending, paid_as, is_over, now).await
    }

    async fn commit(&self, transaction: Self::Transaction) -> Result<(), StoreError> {
        transaction.commit().await.map_err(StoreError::from).map_err(busy_or)
    }

    async fn roll_back(&self, mut transaction: Self::Transaction) {
        // SQLite rolls back by itself after some failures, an interrupted statement among them. Then sqlx's `rollback`
        // would fail, and it would take the connection for one in a transaction ever after. So there is one.
        is_begun(&mut transaction).await;
        if let Err(error) = transaction.rollback().await {
            tracing::warn!(%error, "a transaction of the inbox could not be rolled back; its connection is closed");
        }
    }

    async fn release_event(
        &self,
        claim: &ClaimedEvent,
        release: Release,
        error: &str,
        now: UnixTime,
    ) -> Result<bool, StoreError> {
        in_turn!(self, |connection| release_event(connection, claim, release, error, now))
    }

    async fn expect(
        &self,
        connection: &mut SqliteConnection,
        what: &Expected,
        placed_at: UnixTime,
        next_query_at: UnixTime,
    ) -> Result<Option<StoredPending>, StoreError> {
        must_be_durable(connection).await?;
        expect(connection, what, placed_at, next_query_at).await
    }

    async fn withdraw(
        &self,
        connection: &mut SqliteConnection,
        subject: Subject<'_>,
        now: UnixTime,
    ) -> Result<bool, StoreError> {
        withdraw(connection, subject, now).await
    }

    async fn keep_remote_id(
        &self,
        connection: &mut SqliteConnection,
        subject: Subject<'_>,
        remote_id: &str,
    ) -> Result<bool, StoreError> {
        keep_remote_id(connection, subject, remote_id).await
    }

    async fn hasten(
        &self,
        route: &str,
        account: &str,
        name: PendingName<'_>,
        now: UnixTime,
        gap: Duration,
    ) -> Result<bool, StoreError> {
        let (is_open, changes) = hinted(&mut *self.own.acquire().await?, route, account, name, now, gap).await?;
        if changes.is_empty() {
            return Ok(is_open);
        }
        let _turn = self.turns.receiver().await;
        let mut transaction = self.begin_for_receiver().await?;
        // Read once more, now that nobody else writes.
        let (is_open, changes) = hinted(&mut transaction, route, account, name, now, gap).await?;
        for change in &changes {
            hasten(&mut transaction, change).await?;
        }
        self.commit(transaction).await?;
        Ok(is_open)
    }

    async fn claim_pending(
        &self,
        of: &DueOf<'_>,
        now: UnixTime,
        lease_until: UnixTime,
        limit: u32,
    ) -> Result<Vec<ClaimedPending>, StoreError> {
        let due: Option<i64> = sqlx::query_scalar(
            "select id from yuanfen_inbox_pending where route = $1 and account = $2 and state = 'open' \
             and next_query_at <= $3 union all select id from yuanfen_inbox_pending \
             where route = $1 and account = $2 and state = 'open' and next_query_at > $4 limit 1",
        )
        .bind(of.route)
        .bind(of.account)
        .bind(now.seconds())
        .bind(of.never_after.seconds())
        .fetch_optional(&self.own)
        .await?;
        if due.is_none() {
            return Ok(Vec::new());
        }
        in_turn!(self, |connection| claim_pending(
            connection,
            of,
            now,
            lease_until,
            limit
        ))
    }

    async fn record_query(
        &self,
        claim: &ClaimedPending,
        record: &QueryRecord,
        now: UnixTime,
    ) -> Result<Option<PendingState>, StoreError> {
        in_turn!(self, |connection| record_query(connection, claim, record, now))
    }

    async fn events(&self, filter: &EventFilter) -> Result<Vec<StoredEvent>, StoreError> {
        events(&mut *self.read().await?, filter).await
    }

    async fn event(&self, id: EventId) -> Result<Option<StoredEvent>, StoreError> {
        event(&mut *self.read().await?, id).await
    }

    async fn conflicts(&self, id: EventId) -> Result<Vec<StoredConflict>, StoreError> {
        conflicts(&mut *self.read().await?, id).await
    }

    async fn retry(&self, id: EventId, now: UnixTime) -> Result<bool, StoreError> {
        in_turn!(self, |connection| retry(connection, id, now))
    }

    async fn resolve(&self, id: EventId, now: UnixTime) -> Result<u64, StoreError> {
        in_turn!(self, |connection| resolve(connection, id, now))
    }

    async fn park(&self, id: EventId, now: UnixTime) -> Result<bool, StoreError> {
        in_turn!(self, |connection| park(connection, id, now))
    }

    async fn dismiss(&self, id: EventId, now: UnixTime) -> Result<bool, StoreError> {
        in_turn!(self, |connection| dismiss(connection, id, now))
    }

    async fn pending(&self, filter: &PendingFilter) -> Result<Vec<StoredPending>, StoreError> {
        pending(&mut *self.read().await?, filter).await
    }

    async fn requery(&self, pending: i64, now: UnixTime) -> Result<bool, StoreError> {
        in_turn!(self, |connection| requery(connection, pending, now))
    }

    async fn health(&self, now: UnixTime) -> Result<Health, StoreError> {
        health(&mut *self.read().await?, now).await
    }
}

//! SQLite: one file beside the shop's own tables, one writer at a time.

mod turns;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, Sqlite, SqliteConnection};

use crate::store::{Inserted, Marked, Store, schema};

pub use turns::Turn;
use turns::Turns;
use writer::Writer;

crate::store::statements::statements!(SqliteConnection, sqlx::sqlite::SqliteRow, "");

/// Every schema since the first.
const SCRIPTS: [&str; 1] = [include_str!("../../migrations/sqlite/0001_inbox.sql")];

/// How long a receiver tries to get the write lock: the platforms wait five seconds for their answer.
const PATIENCE: Duration = Duration::from_secs(4);

/// An inbox in a SQLite file.
///
/// The file is in WAL mode and every commit waits for the disk (`synchronous = FULL`); a connection that does less is
/// refused with [`StoreError::NotDurable`]. Notices are stored over a connection of the store's own, those that arrive
/// at the same time in one commit. Handlers run on the pool's connections, one at a time: SQLite has one write lock, a
/// handler holds it, and a notice waits for at most one handler.
///
/// Several processes may have the file open, on one machine; it must not be on a network file system.
#[derive(Clone)]
pub struct SqliteStore {
    pool: SqlitePool,
    turns: Arc<Turns>,
    writer: Writer,
}

impl SqliteStore {
    /// Options under which the inbox works: WAL, full durability, five seconds of patience with other writers. The
    /// file is made if it is not there.
    #[must_use]
    pub fn options(file: impl AsRef<std::path::Path>) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5))
    }

    /// Opens a file with a pool of its own, and brings its tables to this version's schema. The shop's tables may be in
    /// the same file: [`pool`](Self::pool) is for them too.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be opened, or its tables are of a later version.
    pub async fn open(file: impl AsRef<std::path::Path>) -> Result<Self, StoreError> {
        let pool = SqlitePoolOptions::new().connect_with(Self::options(file)).await?;
        Self::new(pool).await
    }

    /// An inbox on a pool of the shop's, its tables brought to this version's schema. The pool needs the settings of
    /// [`options`](Self::options) and at least two connections.
    ///
    /// # Errors
    /// [`StoreError::NotDurable`] when the pool's connections do less; else as [`open`](Self::open).
    pub async fn new(pool: SqlitePool) -> Result<Self, StoreError> {
        let mut connection = pool.acquire().await?;
        must_be_durable(&mut connection).await?;
        let mut transaction = connection.begin_with("begin immediate").await?;
        schema::upgrade(&mut *transaction, &SCRIPTS).await?;
        transaction.commit().await?;
        drop(connection);
        let turns = Arc::new(Turns::default());
        let writer = Writer::start(pool.connect_options().as_ref().clone(), Arc::clone(&turns));
        Ok(Self { pool, turns, writer })
    }

    /// The pool.
    #[must_use]
    pub const fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    async fn read(&self) -> Result<sqlx::pool::PoolConnection<Sqlite>, StoreError> {
        Ok(self.pool.acquire().await?)
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

/// Refuses a connection whose commits a loss of power could undo.
///
/// Asked on every connection that commits for the inbox, not once: a pool's connections need not be alike.
async fn must_be_durable(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let synchronous: i64 = sqlx::query_scalar("pragma synchronous")
        .fetch_one(&mut *connection)
        .await?;
    // 2 is FULL, 3 is EXTRA.
    if synchronous < 2 {
        return Err(StoreError::NotDurable {
            setting: "synchronous",
            value: synchronous.to_string(),
            needed: "2 (FULL) or 3 (EXTRA)",
        });
    }
    let journal: String = sqlx::query_scalar("pragma journal_mode")
        .fetch_one(&mut *connection)
        .await?;
    if journal != "wal" {
        return Err(StoreError::NotDurable {
            setting: "journal_mode",
            value: journal,
            needed: "wal",
        });
    }
    Ok(())
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
        let key = event.key.clone();
        if let Some(id) = self.writer.insert(event).await? {
            return Ok(Inserted::New(id));
        }
        // It was there when the insert was tried, and events are not deleted.
        match known_event(&mut *self.read().await?, &key).await? {
            Some((id, facts)) => Ok(Inserted::Known { id, facts }),
            None => Err(StoreError::NoSuchEvent),
        }
    }

    async fn insert_conflict(&self, event_id: EventId, event: NewEvent) -> Result<bool, StoreError> {
        let _turn = self.turns.receiver().await;
        let mut transaction = self
            .pool
            .begin_with("begin immediate")
            .await
            .map_err(StoreError::from)
            .map_err(busy_or)?;
        must_be_durable(&mut transaction).await?;
        let is_new = insert_conflict(&mut transaction, event_id, &event).await?;
        transaction.commit().await?;
        Ok(is_new)
    }

    async fn claim_event(&self, now: UnixTime, lease_until: UnixTime) -> Result<Option<ClaimedEvent>, StoreError> {
        // Most of the time there is nothing to claim, and finding that out takes no lock.
        let due: Option<i64> =
            sqlx::query_scalar("select id from yuanfen_inbox_event where state = 'ready' and ready_at <= $1 limit 1")
                .bind(now.seconds())
                .fetch_optional(&self.pool)
                .await?;
        if due.is_none() {
            return Ok(None);
        }
        in_turn!(self, |connection| claim_event(connection, now, lease_until))
    }

    async fn begin(&self) -> Result<(Turn, Self::Transaction), StoreError> {
        let turn = self.turns.worker().await;
        let begun = self.pool.begin_with("begin immediate").await;
        let mut transaction = begun.map_err(StoreError::from).map_err(busy_or)?;
        must_be_durable(&mut transaction).await?;
        Ok((turn, transaction))
    }

    async fn mark_done(
        &self,
        connection: &mut SqliteConnection,
        claim: &ClaimedEvent,
        now: UnixTime,
    ) -> Result<Marked, StoreError> {
        Ok(match mark_done(connection, claim, now).await? {
            None => Marked::NotOurs,
            Some(0) => Marked::Done,
            Some(_) => Marked::Contradicted,
        })
    }

    async fn expected(
        &self,
        connection: &mut SqliteConnection,
        subject: Subject<'_>,
    ) -> Result<Option<StoredPending>, StoreError> {
        expected(connection, subject).await
    }

    async fn end_pending(
        &self,
        connection: &mut SqliteConnection,
        pending: i64,
        now: UnixTime,
    ) -> Result<(), StoreError> {
        end_pending(connection, pending, now).await
    }

    async fn commit(&self, transaction: Self::Transaction) -> Result<(), StoreError> {
        transaction.commit().await.map_err(StoreError::from).map_err(busy_or)
    }

    async fn roll_back(&self, transaction: Self::Transaction) {
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
        if expect(connection, what, placed_at, next_query_at).await? {
            return Ok(None);
        }
        let subject = Subject::new(&what.route, &what.account, what.kind, &what.number);
        expected(connection, subject).await
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
        let _turn = self.turns.receiver().await;
        let mut transaction = self
            .pool
            .begin_with("begin immediate")
            .await
            .map_err(StoreError::from)
            .map_err(busy_or)?;
        let is_open = hasten(&mut transaction, route, account, name, now, gap).await?;
        transaction.commit().await?;
        Ok(is_open)
    }

    async fn claim_pending(
        &self,
        route: &str,
        account: &str,
        now: UnixTime,
        lease_until: UnixTime,
        limit: u32,
    ) -> Result<Vec<ClaimedPending>, StoreError> {
        let due: Option<i64> = sqlx::query_scalar(
            "select id from yuanfen_inbox_pending where route = $1 and account = $2 and state = 'open' \
             and next_query_at <= $3 limit 1",
        )
        .bind(route)
        .bind(account)
        .bind(now.seconds())
        .fetch_optional(&self.pool)
        .await?;
        if due.is_none() {
            return Ok(Vec::new());
        }
        in_turn!(self, |connection| claim_pending(
            connection,
            route,
            account,
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
    ) -> Result<bool, StoreError> {
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

    async fn park(&self, id: EventId, now: UnixTime) -> Result<bool, StoreError> {
        in_turn!(self, |connection| park(connection, id, now))
    }

    async fn pending(&self, filter: &PendingFilter) -> Result<Vec<StoredPending>, StoreError> {
        pending(&mut *self.read().await?, filter).await
    }

    async fn health(&self, now: UnixTime) -> Result<Health, StoreError> {
        health(&mut *self.read().await?, now).await
    }
}

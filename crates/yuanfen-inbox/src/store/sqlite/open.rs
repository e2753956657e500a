//! From a file or a pool to a store: its options, its tables, its own connections.

use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::SqliteStore;
use super::turns::Turns;
use super::writer::Writer;
use crate::StoreError;
use crate::store::schema;

/// Every schema since the first.
const SCRIPTS: [&str; 1] = [include_str!("../../../migrations/sqlite/0001_inbox.sql")];

/// As many connections of its own the inbox has beside the one that stores notices.
const OWN_CONNECTIONS: u32 = 4;

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
        Ok(Self::on(pool))
    }

    /// Opens a file that has an inbox, with a pool of its own, for a look at it or a decision about an event. Neither the
    /// file nor anything in it is made or changed by that.
    ///
    /// # Errors
    /// [`StoreError::NoInbox`] when there is none in the file, [`StoreError::OlderSchema`] or [`StoreError::NewerSchema`]
    /// when it is of another version, other [`StoreError`]s when the file cannot be opened.
    pub async fn open_existing(file: impl AsRef<std::path::Path>) -> Result<Self, StoreError> {
        // Without a journal mode, which would change the file; one that is not WAL is refused where something is written.
        let options = SqliteConnectOptions::new()
            .filename(file)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5));
        let mut connection = options.connect().await?;
        let tables: i64 = sqlx::query_scalar("select count(*) from sqlite_master where type = 'table' and name = $1")
            .bind(schema::TABLE)
            .fetch_one(&mut connection)
            .await?;
        let found = match tables {
            0 => None,
            _ => sqlx::query_scalar(schema::FOUND).fetch_one(&mut connection).await?,
        };
        connection.close().await?;
        schema::must_be_current(found, &SCRIPTS)?;
        Ok(Self::on(SqlitePoolOptions::new().connect_lazy_with(options)))
    }

    fn on(pool: SqlitePool) -> Self {
        let options = pool.connect_options().as_ref().clone().busy_timeout(Duration::ZERO);
        let own = pool
            .options()
            .clone()
            .min_connections(0)
            .max_connections(OWN_CONNECTIONS);
        // One whose transaction SQLite rolled back by itself, and whose user went away, is still in one for sqlx.
        let own = own.before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }));
        let turns = Arc::new(Turns::default());
        Self {
            pool,
            own: own.connect_lazy_with(options.clone()),
            writer: Writer::start(options, Arc::clone(&turns)),
            turns,
            limit: Arc::default(),
        }
    }
}

/// Refuses a connection whose commits a loss of power could undo.
///
/// Asked on every connection that commits for the inbox, not once: a pool's connections need not be alike.
pub(super) async fn must_be_durable(connection: &mut SqliteConnection) -> Result<(), StoreError> {
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

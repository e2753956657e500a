//! From a database or a pool to a store: its tables, its own connections, the durability that it asks for.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

use super::{PATIENCE, PostgresStore};
use crate::StoreError;
use crate::store::schema;

/// Every schema since the first.
const SCRIPTS: [&str; 1] = [include_str!("../../../migrations/postgres/0001_inbox.sql")];

/// The advisory lock under which schemas are upgraded: any number that nobody else uses.
const UPGRADE_LOCK: i64 = 0x7975_616e_6665_6e31;

/// A connection that was in use so shortly ago is not asked whether its server is still there.
const FRESH: Duration = Duration::from_millis(100);

/// What every session is asked for. The server looks after a client that is gone for two hours before it lets go of its
/// locks, unless it is told otherwise; after less than two minutes an event is somebody else's.
const SESSION: [(&str, &str); 4] = [
    ("synchronous_commit", "on"),
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "6"),
];

impl PostgresStore {
    /// Opens a database with a pool of its own, and brings its tables to this version's schema. The shop's tables may be
    /// in the same database: [`pool`](Self::pool) is for them too. The server is asked to look after each connection every
    /// half a minute (`tcp_keepalives_idle`), so that one that was cut does not keep its locks for hours.
    ///
    /// # Errors
    /// [`StoreError`] when there is no connection, or the tables are of a later version.
    pub async fn connect(options: PgConnectOptions) -> Result<Self, StoreError> {
        let options = options.options(SESSION);
        Self::new(PgPoolOptions::new().connect_with(options).await?).await
    }

    /// An inbox on a pool of the shop's, its tables brought to this version's schema. They are made in the first schema
    /// of the connection's search path.
    ///
    /// # Errors
    /// [`StoreError::NotDurable`] when the connection, or the server, may lose what is committed; else as
    /// [`connect`](Self::connect).
    pub async fn new(pool: PgPool) -> Result<Self, StoreError> {
        let mut connection = pool.acquire().await?;
        server_must_be_durable(&mut connection).await?;
        // Where the database's default is a stricter isolation, whoever comes second would see the tables as they were before
        // it waited for the first.
        let mut transaction = connection.begin_with("begin isolation level read committed").await?;
        sqlx::query("select pg_advisory_xact_lock($1)")
            .bind(UPGRADE_LOCK)
            .execute(&mut *transaction)
            .await?;
        schema::upgrade(&mut *transaction, &SCRIPTS).await?;
        transaction.commit().await?;
        drop(connection);
        Ok(Self::on(pool))
    }

    /// Opens a database that has an inbox, with a pool of its own, for a look at it or a decision about an event. Nothing in
    /// the database is made or changed by that.
    ///
    /// # Errors
    /// [`StoreError::NoInbox`] when there is none in the connection's search path, [`StoreError::OlderSchema`] or
    /// [`StoreError::NewerSchema`] when it is of another version, other [`StoreError`]s when there is no connection.
    pub async fn connect_existing(options: PgConnectOptions) -> Result<Self, StoreError> {
        let options = options.options(SESSION);
        // Not over the pool, which would try for half a minute to reach a server that is not there.
        let mut connection = options.connect().await?;
        let is_there: bool = sqlx::query_scalar("select to_regclass($1) is not null")
            .bind(schema::TABLE)
            .fetch_one(&mut connection)
            .await?;
        let found = if is_there {
            sqlx::query_scalar(schema::FOUND).fetch_one(&mut connection).await?
        } else {
            None
        };
        connection.close().await?;
        schema::must_be_current(found, &SCRIPTS)?;
        Ok(Self::on(PgPoolOptions::new().connect_lazy_with(options)))
    }

    fn on(pool: PgPool) -> Self {
        let own = pool.options().clone().min_connections(0).acquire_timeout(PATIENCE);
        // To ask before every statement is a third of what the server and the network do for a notice.
        let own = own.test_before_acquire(false).before_acquire(|connection, of| {
            Box::pin(async move { Ok(of.idle_for < FRESH || connection.ping().await.is_ok()) })
        });
        let own = own.connect_lazy_with(pool.connect_options().as_ref().clone());
        Self { pool, own }
    }
}

/// Refuses a server that does not wait for its disk.
async fn server_must_be_durable(connection: &mut PgConnection) -> Result<(), StoreError> {
    for setting in ["fsync", "full_page_writes"] {
        let value: String = sqlx::query_scalar("select current_setting($1)")
            .bind(setting)
            .fetch_one(&mut *connection)
            .await?;
        if value != "on" {
            let needed = "on";
            return Err(StoreError::NotDurable { setting, value, needed });
        }
    }
    must_be_durable(connection).await
}

/// Refuses a connection that commits before the disk has it.
///
/// Asked on every connection that commits for the inbox, not once: a pool's connections need not be alike.
pub(super) async fn must_be_durable(connection: &mut PgConnection) -> Result<(), StoreError> {
    let value: String = sqlx::query_scalar("select current_setting('synchronous_commit')")
        .fetch_one(connection)
        .await?;
    is_durable(value)
}

fn is_durable(value: String) -> Result<(), StoreError> {
    if matches!(&*value, "on" | "remote_apply") {
        return Ok(());
    }
    Err(StoreError::NotDurable {
        setting: "synchronous_commit",
        value,
        needed: "on, or remote_apply",
    })
}

//! The two databases, as they are measured: the store, and beside its table of events a copy with the same columns and
//! indexes, into which rows go bare.

use std::path::Path;
use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, SqliteConnection};
use yuanfen_core::Fen;
use yuanfen_inbox::store::Store;
use yuanfen_inbox::{PostgresStore, SqliteStore};
use yuanfen_testkit::PostgresServer;

use super::notice::Row;
use crate::Error;

/// As many connections has each pool, whoever works on it.
pub(super) const CONNECTIONS: u32 = 16;

/// So many rows go into a table with one statement when it is filled.
const FILL: u64 = 50_000;

const BARE: &str = "insert into bare_event (route, account, subject, transition, amount, currency, order_no, remote_id, \
                    merchant, app, end_state, origin, is_over, received_at, method, uri, headers, body, ready_at, state) \
                    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'notice', false, $12, $13, $14, $15, $16, $12, \
                    'ready')";

/// `BARE` on a pool; it commits by itself.
macro_rules! bare {
    ($pool:expr, $row:expr) => {
        sqlx::query(BARE)
            .bind(&*$row.key.route)
            .bind(&$row.key.account)
            .bind(&$row.key.subject)
            .bind($row.key.transition.as_str())
            .bind($row.facts.amount.map(Fen::get))
            .bind(&$row.facts.currency)
            .bind(&$row.facts.order_no)
            .bind(&$row.facts.remote_id)
            .bind(&$row.facts.merchant)
            .bind(&$row.facts.app)
            .bind(&$row.facts.end_state)
            .bind($row.received_at.seconds())
            .bind(&$row.method)
            .bind(&$row.uri)
            .bind(&$row.headers)
            .bind(&$row.body[..])
            .execute($pool)
    };
}

/// The events of `sql` that are done, as if they had come and been handled on earlier days; keys are random. `$1` to `$5`
/// are route, account, headers, body and time, `$6` how many.
macro_rules! fill {
    ($connection:expr, $sql:expr, $row:expr, $count:expr) => {
        sqlx::query($sql)
            .bind(&*$row.key.route)
            .bind(&$row.key.account)
            .bind(&$row.headers)
            .bind(&$row.body[..])
            .bind($row.received_at.seconds())
            .bind(i64::try_from($count)?)
            .execute($connection)
    };
}

/// A store that can be measured.
pub(super) trait Place: Store {
    const NAME: &'static str;

    /// Inserts a row into the bare table and commits; waits as long as it must for the lock.
    fn bare(&self, row: &Row) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// What a handler does: one row of the shop's own.
    fn ship(connection: &mut Self::Connection, key: &str) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// How many events are stored.
    fn stored(&self) -> impl Future<Output = Result<u64, Error>>;

    /// Fills the table of events until it has so many, with events like that row that are done. Not through the inbox,
    /// and over a connection of its own, which is gone afterwards.
    fn fill(&self, events: u64, row: &Row) -> impl Future<Output = Result<(), Error>>;

    /// The processes of the database's own that serve this pool.
    fn backends(&self) -> impl Future<Output = Result<Vec<u32>, Error>>;
}

impl Place for SqliteStore {
    const NAME: &'static str = "sqlite";

    async fn bare(&self, row: &Row) -> Result<(), sqlx::Error> {
        loop {
            match bare!(self.pool(), row).await {
                Ok(_) => return Ok(()),
                // SQLITE_BUSY after the pool's five seconds: the lock has no queue, so this may happen.
                Err(sqlx::Error::Database(error)) if error.code().is_some_and(|code| code == "5") => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn ship(connection: &mut SqliteConnection, key: &str) -> Result<(), sqlx::Error> {
        let insert = sqlx::query("insert into shipped (event) values ($1)").bind(key);
        insert.execute(connection).await.map(drop)
    }

    async fn stored(&self) -> Result<u64, Error> {
        let count: i64 = sqlx::query_scalar("select count(*) from yuanfen_inbox_event")
            .fetch_one(self.pool())
            .await?;
        Ok(u64::try_from(count)?)
    }

    async fn fill(&self, events: u64, row: &Row) -> Result<(), Error> {
        const SQL: &str = "with recursive one(n) as (select 1 union all select n + 1 from one where n < $6), \
             keyed as (select lower(hex(randomblob(16))) as number from one) \
             insert into yuanfen_inbox_event (route, account, subject, transition, amount, currency, order_no, remote_id, \
             merchant, app, end_state, origin, is_over, received_at, finished_at, ready_at, method, uri, headers, body, \
             state) select $1, $2, number, 'order-paid', 100, 'CNY', number, '4200000833202011221234567890', $2, \
             'wxd678efh567hg6787', 'SUCCESS', 'notice', false, $5, $5, $5, 'POST', '/notify/' || number, $3, $4, 'done' \
             from keyed";
        let mut connection = self.pool().connect_options().connect().await?;
        let mut missing = events.saturating_sub(self.stored().await?);
        while missing > 0 {
            let count = missing.min(FILL);
            fill!(&mut connection, SQL, row, count).await?;
            missing -= count;
        }
        sqlx::query("pragma wal_checkpoint(truncate)")
            .execute(&mut connection)
            .await?;
        Ok(connection.close().await?)
    }

    async fn backends(&self) -> Result<Vec<u32>, Error> {
        Ok(Vec::new())
    }
}

impl Place for PostgresStore {
    const NAME: &'static str = "postgres";

    async fn bare(&self, row: &Row) -> Result<(), sqlx::Error> {
        bare!(self.pool(), row).await.map(drop)
    }

    async fn ship(connection: &mut PgConnection, key: &str) -> Result<(), sqlx::Error> {
        let insert = sqlx::query("insert into shipped (event) values ($1)").bind(key);
        insert.execute(connection).await.map(drop)
    }

    async fn stored(&self) -> Result<u64, Error> {
        let count: i64 = sqlx::query_scalar("select count(*) from yuanfen_inbox_event")
            .fetch_one(self.pool())
            .await?;
        Ok(u64::try_from(count)?)
    }

    async fn fill(&self, events: u64, row: &Row) -> Result<(), Error> {
        const SQL: &str = "insert into yuanfen_inbox_event (route, account, subject, transition, amount, currency, \
             order_no, remote_id, merchant, app, end_state, origin, is_over, received_at, finished_at, ready_at, method, \
             uri, headers, body, state) select $1, $2, number, 'order-paid', 100, 'CNY', number, \
             '4200000833202011221234567890', $2, 'wxd678efh567hg6787', 'SUCCESS', 'notice', false, $5, $5, $5, 'POST', \
             '/notify/' || number, $3, $4, 'done' \
             from (select md5(random()::text || n) as number from generate_series(1, $6) n) keyed";
        let mut connection = self.pool().connect_options().connect().await?;
        let mut missing = events.saturating_sub(self.stored().await?);
        while missing > 0 {
            let count = missing.min(FILL);
            fill!(&mut connection, SQL, row, count).await?;
            missing -= count;
        }
        // What the server would do by itself a little later, in the middle of the measurement.
        for sql in ["vacuum (analyze) yuanfen_inbox_event", "checkpoint"] {
            sqlx::query(sql).execute(&mut connection).await?;
        }
        Ok(connection.close().await?)
    }

    async fn backends(&self) -> Result<Vec<u32>, Error> {
        let sql =
            "select pid from pg_stat_activity where datname = current_database() and backend_type = 'client backend'";
        let processes: Vec<i32> = sqlx::query_scalar(sql).fetch_all(self.pool()).await?;
        Ok(processes.into_iter().map(u32::try_from).collect::<Result<_, _>>()?)
    }
}

/// A new file.
pub(super) async fn sqlite(folder: &Path, name: &str) -> Result<SqliteStore, Error> {
    let pool = SqlitePoolOptions::new()
        .max_connections(CONNECTIONS)
        .connect_with(SqliteStore::options(folder.join(name)))
        .await?;
    let store = SqliteStore::new(pool).await?;
    let made: Vec<String> = sqlx::query_scalar(
        "select sql from sqlite_master where tbl_name = 'yuanfen_inbox_event' and sql is not null order by rowid",
    )
    .fetch_all(store.pool())
    .await?;
    for sql in made {
        let sql = sqlx::AssertSqlSafe(sql.replace("yuanfen_inbox_event", "bare_event"));
        sqlx::query(sql).execute(store.pool()).await?;
    }
    sqlx::query("create table shipped (id integer primary key, event text not null)")
        .execute(store.pool())
        .await?;
    Ok(store)
}

/// A new database of that server.
pub(super) async fn postgres(server: &PostgresServer) -> Result<PostgresStore, Error> {
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(Duration::from_secs(30))
        .connect(&server.create_database())
        .await?;
    let store = PostgresStore::new(pool).await?;
    for sql in [
        "create table bare_event (like yuanfen_inbox_event including all)",
        "create table shipped (id bigint generated always as identity primary key, event text not null)",
    ] {
        sqlx::query(sql).execute(store.pool()).await?;
    }
    Ok(store)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bare table is only a baseline while it has the same columns and indexes.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_bare_table_has_the_same_columns_and_indexes() {
        let folder = tempfile::tempdir().unwrap();
        let store = sqlite(folder.path(), "shop.db").await.unwrap();
        let of = async |table: &str| -> Vec<String> {
            sqlx::query_scalar("select sql from sqlite_master where tbl_name = $1 order by rowid")
                .bind(table)
                .fetch_all(store.pool())
                .await
                .unwrap()
                .into_iter()
                .map(|sql: Option<String>| sql.unwrap_or_default().replace(table, ""))
                .collect()
        };
        let ours = of("yuanfen_inbox_event").await;
        assert_eq!(ours.len(), 4, "the table, the index of its key, two indexes: {ours:?}");
        assert_eq!(ours, of("bare_event").await);
    }
}
